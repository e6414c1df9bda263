#include "plugin/candidate.hpp"

#include <algorithm>
#include <iterator>

#include "base/log.hpp"

namespace botel::plugin {

namespace fs = std::filesystem;

namespace {

std::string names_of(const std::vector<Clash>& clashes) {
  std::string all;
  for (const Clash& clash : clashes) all += (all.empty() ? "" : ", ") + clash.wanted.path.filename().string();
  return log::printable(all, 300);
}

std::string describe(const Clash& clash) {
  const auto path = [](const Image& image) { return log::printable(image.path.string(), 300); };
  if (clash.wanted.path == clash.present.path) {
    return fmt::format(
        "it needs {} as it is now, and another version of that is in memory: restart the host, or give the new one "
        "another name",
        path(clash.wanted));
  }
  return fmt::format("it needs {}, and {} is in memory by that name: give one of them another soname",
                     path(clash.wanted), path(clash.present));
}

}  // namespace

void Candidate::stage(const fs::path& folder, const fs::path& file, const fs::path& to, Writers allowed) {
  const bool in_folder = wish.from == Wish::From::folder;
  if (auto trusted = folder.empty() || !in_folder ? Result<>() : check_folder(folder, allowed); !trusted) {
    error = trusted.error();
    may_pass = true;
    return;
  }
  // What cannot be looked at, as when the folder is not mounted now, is not gone; nor is a link that leads nowhere.
  std::error_code ignored;
  gone = in_folder && fs::symlink_status(file, ignored).type() == fs::file_type::not_found;
  if (gone) return;
  auto copied = Staged::copy_of(file, to, allowed);
  if (!copied) {
    error = copied.error();
    may_pass = true;
    return;
  }
  staged.emplace(std::move(*copied));
  sha256 = staged->sha256();
  if (const auto judged = staged->judge(); !judged) error = judged.error();
}

void Candidate::try_out(const ProbeConfig& config, const std::atomic<bool>& stop) {
  std::vector<Trial> trials;
  for (const Part& part : parts) trials.push_back({part.role->name(), part.config});
  auto tried = probe(config, staged->copy(), trials, stop);
  if (!tried) {
    error = tried.error().why;
    may_pass = tried.error().may_pass;
    return;
  }
  errors = std::move(tried->errors);
  warnings = std::move(tried->warnings);
  own_ = std::move(tried->own);
  brought_ = std::move(tried->brought);
  opened_ = std::move(tried->opened);
  if (const auto replaced = clashes(own_); !replaced.empty()) {
    warnings.push_back(names_of(replaced) +
                       ": replaced since the host started, which uses the old until it is restarted");
  }
  judge_errors();
  check_libraries();
}

// What was tried would not be what is loaded.
void Candidate::check_libraries() {
  auto others = clashes(brought_);
  std::ranges::move(clashes(opened_, By::path), std::back_inserter(others));
  if (!error.empty() || others.empty()) return;
  error = describe(others.front());
  may_pass = true;
}

void Candidate::judge_errors() {
  const auto failed = std::ranges::count_if(errors, [](const std::string& why) { return !why.empty(); });
  const bool all_failed = failed > 0 && static_cast<std::size_t>(failed) == errors.size();
  for (std::size_t i = 0; i < needed.size() && error.empty(); ++i) {
    if (needed[i] || all_failed) error = errors[i];
  }
}

// What crashes the host here, in spite of the trial, is known when it starts again.
void Candidate::load(const Shelf& shelf, const std::string& name, BlackBox* black_box) {
  if (wish.from == Wish::From::folder) {
    auto copied = shelf.keep(staged->copy(), name, sha256);
    if (!copied) {
      error = copied.error();
      may_pass = true;
      return;
    }
    kept = std::move(*copied);
  }
  check_libraries();
  if (!error.empty()) return;
  if (black_box) black_box->begin(task(), {"plugin ", note().items.front().id, ", loading "}, 0);
  load_library();
  if (black_box) BlackBox::end();
}

void Candidate::load_library() {
  auto loaded = Library::load(staged->copy(), note().items);
  if (!loaded) {
    error = loaded.error();
    if (const auto replaced = clashes(own_); !replaced.empty()) {
      error += fmt::format("; {}: replaced since the host started, which has to be restarted", names_of(replaced));
    } else {
      may_pass = true;  // it was loaded when it was tried
    }
    return;
  }
  library = std::move(*loaded);
  copy = staged->release();
  errors.resize(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) logics.push_back(make(i));
  judge_errors();
  if (!error.empty()) may_pass = true;  // it was made when it was tried
}

std::shared_ptr<runtime::Logic> Candidate::make(std::size_t part) {
  if (!errors[part].empty()) return nullptr;
  for (const auto* const descriptor : library->descriptors()) {
    if (descriptor->id != parts[part].role->name()) continue;
    auto made = runtime::Logic::create(*descriptor, parts[part].config, library);
    if (made) return std::move(*made);
    errors[part] = made.error();
  }
  return nullptr;
}

Result<> Candidate::discard() {
  logics.clear();
  return library ? std::exchange(library, nullptr)->unload() : Result<>();
}

std::vector<std::string> Candidate::names() const {
  std::vector<std::string> names;
  if (!staged) return names;
  for (const Item& item : note().items) names.push_back(item.id);
  return names;
}

bool Candidate::is_good() const { return error.empty() && std::ranges::all_of(errors, &std::string::empty); }

std::string Candidate::report() const {
  std::string text;
  for (const Item& item : note().items) {
    text += fmt::format("{} {}: a {} for ABI {}.{}, with states of schema {}, which reads those from {} on\n", item.id,
                        item.version, item.kind_name(), note().abi_major, note().abi_minor, item.schema_written,
                        item.schema_oldest);
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (!errors[i].empty()) text += fmt::format("{} is not served: {}\n", parts[i].role->name(), errors[i]);
  }
  for (const auto& warning : warnings) text += fmt::format("warning: {}\n", warning);
  text.pop_back();
  return text;
}

}  // namespace botel::plugin
