#include "plugin/plugins.hpp"

#include <algorithm>
#include <set>

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/file.hpp"

namespace botel::plugin {
namespace {

namespace fs = std::filesystem;

bool is_plugin(std::string_view name) { return check_name(name).has_value(); }

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
      loader_(surroundings_.wake),
      prober_(surroundings_.wake),
      checker_(surroundings_.wake) {}

Plugins::~Plugins() = default;

Result<> Plugins::open() {
  if (auto trusted = check_folder(config_.folder, config_.writers); !trusted) return trusted;
  if (config_.writers == Writers::any) {
    log::warning("plugins folder {}: whoever may write to it, or to a file in it, may run code as this host",
                 config_.folder.string());
  }
  if (auto made = make_cache(config_.copies); !made) return made;
  std::vector<std::string> complaints;
  auto shelf = Shelf::open(config_.data / "plugins", complaints);
  if (!shelf) return tl::unexpected(shelf.error());
  for (const auto& complaint : complaints) log::warning("{}", complaint);
  shelf_.emplace(std::move(*shelf));
  watcher_ = std::make_unique<Watcher>(config_.folder, is_plugin, config_.quiet);
  look_at_first();
  return {};
}

// Also at what is not in the folder any more. What has served before keeps its names: it is the first.
void Plugins::look_at_first() {
  std::vector<std::string> names = watcher_->take(now_.steady);
  const std::set<std::string> in_folder(names.begin(), names.end());
  std::vector<fs::path> forgotten;
  std::erase_if(shelf_->entries(), [&](const auto& kept) {
    const auto& [name, entry] = kept;
    if (in_folder.contains(name)) return false;
    if (entry.active) names.push_back(name);
    if (!entry.active && entry.previous) forgotten.push_back(shelf_->path(*entry.previous));
    return !entry.active;
  });
  if (!forgotten.empty()) save(std::move(forgotten));
  std::ranges::stable_partition(names, [this](const auto& name) { return shelf_->entry(name).active.has_value(); });
  for (const auto& name : names) look(file(name), {.told = true});
}

bool Plugins::settled() const { return loader_.idle() && prober_.idle() && checker_.idle(); }

bool Plugins::stop(SteadyTime deadline) {
  // Two of them have only processes to wait for, which they can end.
  const bool done = prober_.stop(deadline) && checker_.stop(deadline);
  return loader_.stop(deadline) && done;
}

void Plugins::advance(const Time& now) {
  now_ = now;
  if (now.steady >= watcher_->next()) {
    for (const auto& name : watcher_->take(now.steady)) look(file(name), {.told = true});
  }
  if (trouble_ != watcher_->trouble()) {
    trouble_ = watcher_->trouble();
    if (!trouble_.empty()) log::error("plugins folder: {}; what is loaded goes on", trouble_);
  }
  const bool folder_changed = watcher_->folder_changed();
  if (folder_changed) {
    if (auto trusted = check_folder(config_.folder, config_.writers); !trusted) log::error("{}", trusted.error());
  }
  for (const auto& [name, one] : files_) {
    if (one->retry && (folder_changed || now.steady >= *one->retry)) look(*one);
  }
  loader_.take();
  prober_.take();
  checker_.take();
  for (const auto& [name, one] : files_) watch_probation(*one);
  unload_old();
}

SteadyTime Plugins::next() const {
  SteadyTime next = watcher_->next();
  for (const auto& [name, one] : files_) {
    if (one->probation) next = std::min(next, one->probation->next());
    if (one->retry) next = std::min(next, *one->retry);
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
    if (!one->gone && (name.empty() || name == known || name + ".so" == known)) found.push_back(one.get());
  }
  const auto owner = names_.find(name);
  const bool serves = found.size() == 1 && found[0]->now;
  if (!name.empty() && !serves && owner != names_.end()) found = {owner->second};
  if (!found.empty() || name.empty()) return found;
  for (const auto& [known, one] : files_) {
    if (one->refusal && std::ranges::count(one->refusal->names, name) > 0) found.push_back(one.get());
  }
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
  const auto reports = std::make_shared<Reports>(found.size());
  for (File* const one : found) {
    if (one->waiting.empty()) one->has_news = false;
    one->waiting.push_back([reports, done](const Report& report) {
      reports->all.push_back(report);
      if (--reports->missing == 0) done(reports->all);
    });
    look(*one, {.told = told.erase(one) > 0, .again = true, .by_hand = !name.empty(), .restart_rooms = restart_rooms});
  }
  for (File* const other : told) look(*other, {.told = true});
  if (found.empty()) done({nobody(name)});
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
  if (!one.now || !entry(one).previous) return refuse("there is no version to go back to");
  one.waiting.push_back([done](const Report& report) { done({report}); });
  look(one, {.from = Wish::From::previous});
}

void Plugins::reconfigure() {
  for (const auto& [name, one] : files_) {
    // What was refused may have been so for the configuration.
    if (!one->gone && (!one->now || one->refusal)) look(*one, {.again = true});
    if (!one->now || one->candidate) continue;  // it is seen to when nothing is under way
    if (parts_of(one->now->note) != one->now->parts) look(*one, {.from = Wish::From::active});
  }
}

// What there is ------------------------------------------------------------------------------------------------------

std::vector<Status> Plugins::offers(const File& file) const {
  std::vector<Status> all;
  if (!file.now) return all;
  const Generation& now = *file.now;
  for (const Item& item : now.note.items) {
    Status status{.name = item.id,
                  .kind = std::string(item.kind_name()),
                  .version = item.version,
                  .abi = fmt::format("{}.{}", now.note.abi_major, now.note.abi_minor),
                  .sha256 = now.sha256,
                  .state = "idle",
                  .generation = now.number};
    for (std::size_t i = 0; i < now.parts.size(); ++i) {
      const auto logic = now.logics[i].lock();
      if (now.parts[i].role->name() != item.id || !logic) continue;
      const bool is_failing = file.health == File::Health::failing;
      status.state = is_failing ? "failing" : file.probation ? "on probation" : "serving";
      status.rooms += now.parts[i].role->actors();
      status.calls += logic->calls;
      status.errors += logic->errors;
    }
    all.push_back(std::move(status));
  }
  return all;
}

std::vector<FileStatus> Plugins::files() const {
  std::vector<FileStatus> all;
  for (const auto& [name, one] : files_) {
    if (one->gone) continue;
    all.push_back(
        {name, offers(*one), entry(*one).previous.has_value(), one->last, one->refusal ? one->refusal->why : ""});
  }
  return all;
}

std::string Plugins::why_not_served(const std::string& name) const {
  for (const auto& [file, one] : files_) {
    const auto& items = one->now ? one->now->note.items : std::vector<Item>();
    const auto item = std::ranges::find(items, name, &Item::id);
    if (item == items.end()) continue;
    return item->kind == BOTEL_BOT ? fmt::format("no instance could be made of {}", name) : name + " is no bot";
  }
  for (const auto& [file, one] : files_) {
    const auto& refusal = one->refusal;
    // Where a note cannot be read, the file has the name of its bot, mostly.
    if (refusal && (std::ranges::count(refusal->names, name) > 0 || file == name + ".so")) return file + " is refused";
  }
  return "no plugin offers " + log::printable(name);
}

std::vector<std::string> Plugins::leftovers() const {
  std::vector<std::string> all;
  for (const auto& old : old_)
    all.push_back(describe(old->note) + ": something of it is in use, such as a handler that runs");
  for (const Leftover& leftover : leftovers_) {
    if (Library::is_mapped(leftover.copy)) all.push_back(leftover.what);
  }
  return all;
}

fs::path Plugins::next_copy(const std::string& name) {
  return config_.copies / fmt::format("{}.{}.so", fs::path(name).stem().string(), ++copies_);
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
    loader_.run(
        [this, library = std::move(old->library), what = describe(old->note), copy = old->copy]() -> JobThread::Then {
          return [this, what, copy, done = library->unload()] { unloaded(what, copy, done); };
        });
    old.reset();
  }
  std::erase(old_, nullptr);
  if (!leftovers_.empty() && now_.steady >= next_search_) forget_leftovers();
}

void Plugins::forget_leftovers() {
  next_search_ = now_.steady + std::chrono::seconds(1);
  std::erase_if(leftovers_, [](const Leftover& leftover) {
    if (Library::is_mapped(leftover.copy)) return false;
    remove_files({leftover.copy});
    return true;
  });
}

void Plugins::unloaded(const std::string& what, const fs::path& copy, const Result<>& gone) {
  if (gone) return remove_files({copy});
  ++not_unloaded_;
  log::warning("{} stays in memory: {}", what, gone.error());
  leftovers_.push_back({copy, fmt::format("{}: {}", what, gone.error())});
}

}  // namespace botel::plugin
