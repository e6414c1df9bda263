#include "plugin/plugins.hpp"

#include <algorithm>
#include <set>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "plugin/file.hpp"

namespace botel::plugin {
namespace {

namespace fs = std::filesystem;

bool is_plugin(std::string_view name) {
  return name.ends_with(".so") && !name.starts_with('.') && json::valid_utf8(name);
}

std::string kind_name(std::int32_t kind) { return kind == BOTEL_BOT ? "bot" : "connector"; }

void remove_all(const std::vector<fs::path>& files) {
  std::error_code ignored;
  for (const auto& file : files) fs::remove(file, ignored);
}

}  // namespace

Plugins::Plugins(PluginsConfig config, runtime::Runtime& runtime, BlackBox* black_box, Surroundings surroundings,
                 Counters& counters)
    : config_(std::move(config)),
      runtime_(runtime),
      black_box_(black_box),
      surroundings_(std::move(surroundings)),
      now_(Time::now()),
      taken_over_(counters.add("plugins_taken_over_total", "Versions of plugins that have taken over")),
      refused_(counters.add("plugins_refused_total", "Files of plugins that were refused")),
      rolled_back_(counters.add("plugins_rolled_back_total", "Versions of plugins that were rolled back")),
      not_unloaded_(counters.add("plugins_not_unloaded_total", "Old versions of plugins that stayed in memory")),
      loader_(surroundings_.wake) {}

Plugins::~Plugins() = default;

Result<> Plugins::open() {
  if (auto trusted = check_folder(config_.folder); !trusted) return trusted;
  if (auto made = make_cache(config_.data / "loaded"); !made) return made;
  std::vector<std::string> complaints;
  auto shelf = Shelf::open(config_.data / "plugins", complaints);
  if (!shelf) return tl::unexpected(shelf.error());
  for (const auto& complaint : complaints) log::warning("{}", complaint);
  shelf_.emplace(std::move(*shelf));
  watcher_ = std::make_unique<Watcher>(config_.folder, is_plugin, config_.quiet);
  for (const auto& [name, entry] : shelf_->entries()) file(name);
  advance(now_);
  // A file that is gone is noted as such.
  for (const auto& [name, one] : files_) {
    if (!one->candidate) look(*one);
  }
  return {};
}

bool Plugins::settled() const { return loader_.idle(); }

void Plugins::advance(const Time& now) {
  now_ = now;
  if (now.steady >= watcher_->next()) {
    for (const auto& name : watcher_->take(now.steady)) look(file(name), {.told = true});
    if (watcher_->folder_changed()) {
      if (auto trusted = check_folder(config_.folder); !trusted) log::error("{}", trusted.error());
      for (const auto& [name, one] : files_) {
        if (!one->first && !one->last.good) look(*one);
      }
    }
    if (trouble_ != watcher_->trouble()) {
      trouble_ = watcher_->trouble();
      if (!trouble_.empty()) log::error("plugins folder: {}; what is loaded goes on", trouble_);
    }
  }
  loader_.take();
  for (const auto& [name, one] : files_) watch_probation(*one);
  unload_old();
}

SteadyTime Plugins::next() const {
  SteadyTime next = watcher_->next();
  for (const auto& [name, one] : files_) {
    if (one->probation) next = std::min(next, *one->probation);
  }
  return next;
}

// Orders -------------------------------------------------------------------------------------------------------------

Plugins::File& Plugins::file(const std::string& name) {
  auto& found = files_[name];
  if (!found) found = std::make_unique<File>(name);
  return *found;
}

std::vector<Plugins::File*> Plugins::find(const std::string& name) {
  std::vector<File*> found;
  for (const auto& [known, one] : files_) {
    if (name.empty() || name == known || name + ".so" == known) found.push_back(one.get());
  }
  if (const auto owner = names_.find(name); found.empty() && owner != names_.end()) found.push_back(owner->second);
  return found;
}

void Plugins::reload(const std::string& name, bool restart_rooms, const Done& done) {
  watcher_->look_at_all(now_.steady);
  std::set<File*> told;
  for (const auto& changed : watcher_->take(now_.steady)) told.insert(&file(changed));
  struct Reports {
    std::size_t missing;
    std::vector<Report> all;
  };
  const auto found = find(name);
  if (found.empty()) return done({nobody(name)});
  const auto reports = std::make_shared<Reports>(found.size());
  for (File* const one : found) {
    one->waiting.push_back([reports, done](const Report& report) {
      reports->all.push_back(report);
      if (--reports->missing == 0) done(reports->all);
    });
    look(*one, {.told = told.erase(one) > 0, .forced = true, .restart_rooms = restart_rooms});
  }
  for (File* const other : told) look(*other, {.told = true});
}

Plugins::Report Plugins::nobody(const std::string& name) const {
  if (name.empty()) return {"", {now_.unix_ms, true, "there are no plugins"}};
  return {"", {now_.unix_ms, false, fmt::format("no plugin has the name {}", log::printable(name))}};
}

void Plugins::rollback(const std::string& name, const Done& done) {
  const auto found = name.empty() ? std::vector<File*>() : find(name);
  if (found.empty()) return done({nobody(name.empty() ? "\"\"" : name)});
  File& one = *found[0];
  const auto refuse = [&](const std::string& why) { done({{one.name, {now_.unix_ms, false, why}}}); };
  if (one.candidate) return refuse("another version is under way");
  if (!one.now || !shelf_->entries()[one.name].previous) return refuse("there is no version to go back to");
  one.waiting.push_back([done](const Report& report) { done({report}); });
  look(one, {.from = Wish::From::previous});
}

void Plugins::check(const fs::path& path, const Done& done) {
  const auto candidate = std::make_shared<Candidate>(Wish());
  const std::string name = path.filename().string();
  const auto report = [this, candidate, name, done] {
    const bool good = candidate->error.empty();
    done({{name, {now_.unix_ms, good, good ? candidate->report() : candidate->error}}});
  };
  loader_.run([this, candidate, path, name, report, copy = next_copy(name)]() -> JobThread::Then {
    candidate->stage({}, path, copy);
    return [this, candidate, name, report] {
      if (candidate->gone) candidate->error = "there is no such file";
      File unknown(name);
      const auto known = files_.find(name);
      if (candidate->error.empty())
        candidate->error = objection(known == files_.end() ? unknown : *known->second, *candidate);
      if (!candidate->error.empty()) return report();
      choose_parts(*candidate);
      loader_.run([this, candidate, report]() -> JobThread::Then {
        candidate->try_out(config_.probe, loader_.stopped());
        return report;
      });
    };
  });
}

void Plugins::reconfigure() {
  for (const auto& [name, one] : files_) {
    if (!one->now) {
      look(*one, {.forced = true});
      continue;
    }
    if (parts_of(one->now->note) != one->now->parts) look(*one, {.from = Wish::From::active});
  }
}

// What there is ------------------------------------------------------------------------------------------------------

std::vector<Status> Plugins::status() const {
  std::vector<Status> all;
  for (const auto& [name, one] : files_) {
    if (!one->now) continue;
    const Generation& now = *one->now;
    for (const Item& item : now.note.items) {
      Status status{.name = item.id,
                    .kind = kind_name(item.kind),
                    .version = item.version,
                    .abi = fmt::format("{}.{}", now.note.abi_major, now.note.abi_minor),
                    .file = name,
                    .sha256 = now.sha256,
                    .state = "idle",
                    .generation = now.number};
      for (std::size_t i = 0; i < now.parts.size(); ++i) {
        const auto logic = now.logics[i].lock();
        if (now.parts[i].role->name() != item.id || !logic) continue;
        status.state = one->failing ? "failing" : one->probation ? "on probation" : "serving";
        status.rooms += now.parts[i].role->actors();
        status.calls += logic->calls;
        status.errors += logic->errors;
      }
      all.push_back(std::move(status));
    }
  }
  return all;
}

std::vector<FileStatus> Plugins::files() const {
  std::vector<FileStatus> all;
  for (const auto& [name, one] : files_) {
    if (one->gone) continue;
    const auto entry = shelf_->entries().find(name);
    const bool can_go_back = entry != shelf_->entries().end() && entry->second.previous;
    all.push_back({name, one->now != nullptr, can_go_back, one->last});
  }
  return all;
}

std::vector<std::string> Plugins::leftovers() const {
  std::vector<std::string> all;
  for (const Leftover& leftover : leftovers_) {
    if (Library::is_mapped(leftover.copy)) all.push_back(leftover.what);
  }
  return all;
}

fs::path Plugins::next_copy(const std::string& name) {
  return config_.data / "loaded" / fmt::format("{}.{}.so", fs::path(name).stem().string(), ++copies_);
}

// What is replaced ---------------------------------------------------------------------------------------------------

void Plugins::replace(File& file, std::unique_ptr<Generation> next) {
  if (file.now) old_.push_back(std::move(file.now));
  file.now = std::move(next);
}

// Instances end on the loader's thread, and the last one takes its library along.
void Plugins::unload_old() {
  if (runtime_.has_retired()) {
    loader_.run([logics = runtime_.take_retired()]() mutable -> JobThread::Then {
      logics.clear();
      return {};
    });
  }
  for (auto& old : old_) {
    if (old->library.use_count() > 1) continue;
    const auto gone = std::make_shared<Generation>(std::move(*old));
    old.reset();
    loader_.run([this, gone]() -> JobThread::Then {
      auto done = gone->library->unload();
      return [this, gone, done] { unloaded(*gone, done); };
    });
  }
  std::erase(old_, nullptr);
  std::erase_if(leftovers_, [](const Leftover& leftover) {
    if (Library::is_mapped(leftover.copy)) return false;
    std::error_code ignored;
    fs::remove(leftover.copy, ignored);
    return true;
  });
}

void Plugins::unloaded(const Generation& old, const Result<>& gone) {
  std::error_code ignored;
  if (gone) {
    fs::remove(old.copy, ignored);
    return;
  }
  ++not_unloaded_;
  log::warning("{} stays in memory: {}", old.describe(), gone.error());
  leftovers_.push_back({old.copy, fmt::format("{}: {}", old.describe(), gone.error())});
}

// Written on the loader's thread, which may wait for the disk.
void Plugins::save(std::vector<fs::path> superfluous) {
  loader_.run([file = shelf_->file(), list = shelf_->list(), superfluous = std::move(superfluous)]() -> JobThread::Then {
    const auto done = write_whole(file, list);
    if (!done) return [why = done.error()] { log::error("{}: after a restart, plugins may be older ones", why); };
    remove_all(superfluous);
    return {};
  });
}

void Plugins::discard(std::vector<fs::path> superfluous) {
  loader_.run([superfluous = std::move(superfluous)]() -> JobThread::Then {
    remove_all(superfluous);
    return {};
  });
}

}  // namespace botel::plugin
