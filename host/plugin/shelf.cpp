#include "plugin/shelf.hpp"

#include <set>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace botel::plugin {
namespace {

namespace fs = std::filesystem;

constexpr auto kList = "list.json";

std::string text_of(const std::optional<Shelf::Kept>& kept) {
  if (!kept) return "null";
  return fmt::format(R"({{"copy":{},"sha256":{}}})", json::quoted(kept->copy), json::quoted(kept->sha256));
}

std::string text_of(const std::string& name, const Shelf::Entry& entry) {
  return fmt::format(R"({}:{{"active":{},"previous":{},"proven":{},"failing":{},"refused":{}}})", json::quoted(name),
                     text_of(entry.active), text_of(entry.previous), entry.proven, entry.failing,
                     json::quoted(entry.refused));
}

std::optional<Shelf::Kept> read_kept(const json::Document& entry, std::string_view key) {
  const auto value = entry.present(key);
  const auto kept = value ? json::read(value->raw) : failure("");
  if (!kept) return {};
  return Shelf::Kept{json::text(*kept, "copy"), json::text(*kept, "sha256")};
}

Shelf::Entry read_entry(const json::Document& entry) {
  const auto is_true = [&](std::string_view key) {
    const auto value = entry.find(key);
    return value && value->raw == "true";
  };
  return {read_kept(entry, "active"), read_kept(entry, "previous"), is_true("proven"), is_true("failing"),
          json::text(entry, "refused")};
}

std::string copy_name(const std::string& name, const std::string& sha256) {
  return fmt::format("{}.{}", sha256.substr(0, 16), name);
}

// Whether it is what keep() has made, which does not lead out of the folder.
bool is_ours(const std::string& name, const Shelf::Kept& kept) {
  return kept.sha256.size() == 64 && kept.copy == copy_name(name, kept.sha256) &&
         kept.copy.find_first_of(std::string_view("/\0", 2)) == std::string::npos;
}

Result<std::string> read_regular(const fs::path& file) {
  std::error_code error;
  const bool regular = fs::is_regular_file(file, error);
  std::string bytes = regular ? read_whole(file) : "";
  if (!regular || bytes.size() != fs::file_size(file, error)) return failure("{} cannot be read", file.string());
  return bytes;
}

}  // namespace

Result<Shelf> Shelf::open(fs::path folder, std::vector<std::string>& complaints) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return failure("{}: {}", folder.string(), error.message());
  Shelf shelf(std::move(folder));
  const auto read = shelf.read();
  if (!read) complaints.push_back(read.error());
  for (auto& [name, entry] : shelf.entries_) {
    for (auto* const kept : {&entry.active, &entry.previous}) {
      if (!*kept) continue;
      const bool ours = is_ours(name, **kept);
      if (ours && fs::is_regular_file(shelf.path(**kept), error)) continue;
      complaints.push_back(fmt::format("{}: the copy {} {}", log::printable(name), log::printable((*kept)->copy),
                                       ours ? "is gone" : "is none"));
      kept->reset();
    }
  }
  if (read) shelf.sweep();
  return shelf;
}

const Shelf::Entry& Shelf::entry(const std::string& name) const {
  static const Entry none;
  const auto found = entries_.find(name);
  return found == entries_.end() ? none : found->second;
}

Result<> Shelf::read() {
  std::error_code error;
  if (fs::symlink_status(file(), error).type() == fs::file_type::not_found) return {};
  const auto text = read_regular(file());
  const auto list = text ? json::read(*text) : failure("");
  if (!list || !list->root.is(json::Kind::object)) return failure("{} cannot be read", file().string());
  for (const auto& [name, value] : list->members) {
    if (const auto entry = json::read(value.raw)) entries_[name] = read_entry(*entry);
  }
  return {};
}

Result<Shelf::Kept> Shelf::keep(const fs::path& file, const std::string& name, const std::string& sha256) const {
  Kept kept{copy_name(name, sha256), sha256};
  const auto bytes = read_regular(file);
  if (!bytes) return tl::unexpected(bytes.error());
  if (read_regular(path(kept)) == bytes) return kept;
  if (auto done = write_whole(path(kept), *bytes); !done) return tl::unexpected(done.error());
  return kept;
}

std::string Shelf::list() const {
  std::string text;
  for (const auto& [name, entry] : entries_) {
    if (entry.active || entry.previous || !entry.refused.empty())
      text += (text.empty() ? "{" : ",\n") + text_of(name, entry);
  }
  return text.empty() ? "{}\n" : text + "}\n";
}

fs::path Shelf::file() const { return folder_ / kList; }

Result<> Shelf::write(const fs::path& file, const std::string& list) {
  if (const auto there = read_regular(file); there && *there == list) return {};
  return write_whole(file, list);
}

// What a host that was killed has left behind.
void Shelf::sweep() const {
  std::set<std::string> named{kList};
  for (const auto& [name, entry] : entries_) {
    for (const auto* const kept : {&entry.active, &entry.previous}) {
      if (*kept) named.insert((*kept)->copy);
    }
  }
  std::error_code ignored;
  std::vector<fs::path> superfluous;
  for (const auto& file : fs::directory_iterator(folder_, ignored)) {
    if (!named.contains(file.path().filename())) superfluous.push_back(file.path());
  }
  for (const auto& file : superfluous) fs::remove(file, ignored);
}

}  // namespace botel::plugin
