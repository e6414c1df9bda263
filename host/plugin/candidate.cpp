#include "plugin/candidate.hpp"

#include "base/log.hpp"

namespace botel::plugin {

namespace fs = std::filesystem;

void Candidate::stage(const fs::path& folder, const fs::path& file, const fs::path& to) {
  const bool in_folder = wish.from == Wish::From::folder;
  if (auto trusted = folder.empty() || !in_folder ? Result<>() : check_folder(folder); !trusted) {
    error = trusted.error();
    return;
  }
  // What cannot be looked at, as when the folder is not mounted now, is not gone; nor is a link that leads nowhere.
  std::error_code ignored;
  gone = in_folder && fs::symlink_status(file, ignored).type() == fs::file_type::not_found;
  if (gone) return;
  auto made = Staged::make(file, to);
  if (made) {
    staged.emplace(std::move(*made));
    sha256 = staged->sha256();
  } else {
    error = made.error();
  }
}

void Candidate::try_out(const ProbeConfig& config, const std::atomic<bool>& stop) {
  std::vector<Trial> trials;
  for (const Part& part : parts) trials.push_back({part.role->name(), part.config});
  auto tried = probe(config, staged->copy(), trials, stop);
  if (!tried) {
    error = tried.error();
    return;
  }
  errors = std::move(tried->errors);
  warnings = std::move(tried->warnings);
  judge_errors();
}

void Candidate::judge_errors() {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (needed[i] && !errors[i].empty()) error = errors[i];
  }
}

void Candidate::prepare(const ProbeConfig& config, const Shelf& shelf, const std::string& name, BlackBox* black_box,
                        const std::atomic<bool>& stop) {
  try_out(config, stop);
  if (error.empty() && wish.from == Wish::From::folder) {
    auto copied = shelf.keep(staged->copy(), name, staged->sha256());
    if (copied) {
      kept = std::move(*copied);
    } else {
      error = copied.error();
    }
  }
  if (error.empty()) load(black_box);
}

// What crashes the host here, in spite of the trial, is known when it starts again.
void Candidate::load(BlackBox* black_box) {
  if (black_box) black_box->begin(task(), {"plugin ", note().items.front().id, ", loading "}, 0);
  auto loaded = Library::load(staged->copy(), note().items);
  if (loaded) {
    library = std::move(*loaded);
    copy = staged->release();
    for (std::size_t i = 0; i < parts.size(); ++i) logics.push_back(make(i));
    judge_errors();
  } else {
    error = loaded.error();
  }
  if (black_box) BlackBox::end();
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

void Candidate::discard() {
  logics.clear();
  if (!library) return;
  std::error_code ignored;
  if (library->unload()) fs::remove(copy, ignored);
  library.reset();
}

std::string Candidate::report() const {
  std::string text;
  for (const Item& item : note().items) {
    text += fmt::format("{} {}: a {} for ABI {}.{}, with states of schema {}, which reads those from {} on\n", item.id,
                        item.version, item.kind == BOTEL_BOT ? "bot" : "connector", note().abi_major, note().abi_minor,
                        item.schema_written, item.schema_oldest);
  }
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (!errors[i].empty()) text += fmt::format("{} would not be served: {}\n", parts[i].role->name(), errors[i]);
  }
  for (const auto& warning : warnings) text += fmt::format("warning: {}\n", warning);
  return text;
}

}  // namespace botel::plugin
