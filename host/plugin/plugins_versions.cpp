// The other half of Plugins: how a version comes to take over, or does not.
#include <algorithm>
#include <iterator>

#include "base/files.hpp"
#include "base/log.hpp"
#include "plugin/file.hpp"

namespace botel::plugin {

using From = Wish::From;

// One at a time: what comes meanwhile is looked at afterwards.
void Plugins::look(File& file, Wish wish) {
  if (file.candidate) {
    if (!file.again) file.again.emplace();
    file.again->told |= wish.told;
    file.again->forced |= wish.forced;
    file.again->restart_rooms |= wish.restart_rooms;
    return;
  }
  const auto& entry = shelf_->entries()[file.name];
  std::filesystem::path source = config_.folder / file.name;
  std::string hash;  // that it must have
  if (wish.from != From::folder) {
    const Shelf::Kept& kept = wish.from == From::active ? *entry.active : *entry.previous;
    source = shelf_->path(kept);
    hash = kept.sha256;
  }
  file.candidate = std::make_shared<Candidate>(wish);
  loader_.run([this, &file, candidate = file.candidate, source, hash, copy = next_copy(file.name)]() -> JobThread::Then {
    candidate->stage(config_.folder, source, copy);
    if (candidate->error.empty() && !hash.empty() && candidate->sha256 != hash)
      candidate->error = "the kept copy is damaged";
    return [this, &file] { staged(file); };
  });
}

// A folder that is not there for a while, as when a file system is unmounted, retires nobody: the watcher knows.
bool Plugins::may_be_gone(const File& file) const { return file.first || !file.now || file.candidate->wish.told; }

void Plugins::staged(File& file) {
  Candidate& candidate = *file.candidate;
  file.gone = candidate.gone;
  if (candidate.gone) return may_be_gone(file) ? remove(file) : refuse(file, "it cannot be found any more");
  if (!candidate.error.empty()) return refuse(file, candidate.error);
  if (is_settled(file) || has_crashed(file)) return;
  if (const auto why = objection(file, candidate); !why.empty()) {
    file.undecided = is_undecided(file);
    if (!file.undecided) return refuse(file, why);
    throw_away(file);
    return finish(file, false, why);
  }
  for (const Item& item : candidate.note().items) names_[item.id] = &file;
  choose_parts(candidate);
  // When the host starts nobody serves yet; but a kept version may be able to.
  if (can_fall_back(file, candidate)) candidate.needed.assign(candidate.parts.size(), true);
  loader_.run([this, &file, shared = file.candidate]() -> JobThread::Then {
    shared->prepare(config_.probe, *shelf_, file.name, black_box_, loader_.stopped());
    return [this, &file] { prepared(file); };
  });
}

// The same content again is no other version; what was refused is not tried again by itself.
bool Plugins::is_settled(File& file) {
  const auto shared = file.candidate;
  const Candidate& candidate = *shared;
  const Shelf::Entry& entry = shelf_->entries()[file.name];
  const std::string& hash = candidate.sha256;
  if (candidate.wish.from != From::folder) return false;
  if (file.now && file.now->sha256 == hash) {
    if (parts_of(file.now->note) != file.now->parts) return false;
    throw_away(file);
    if (file.failing && candidate.wish.forced) {
      suspend(file, false);
      file.failing = false;
      file.forgiven = file.errors();
      file.probation = now_.steady + config_.probation;
      finish(file, true, file.now->describe() + " is tried again");
    } else {
      finish(file, true, file.now->describe() + " is there already");
    }
    return true;
  }
  const bool refused = hash == entry.refused || hash == file.refused;
  if (!refused || candidate.wish.forced || candidate.wish.last_resort) return false;
  throw_away(file);
  if (file.now) {
    finish(file, file.last.good, file.last.text);
  } else if (entry.active && file.first) {
    log::warning("{} was rolled back, and is not taken again: the version before it goes on", file.name);
    look(file, {.from = From::active});
  } else {
    finish(file, false, file.last.text);
  }
  return true;
}

// A version that took over shortly before the host crashed in its code is rolled back. One that has crashed the host
// while it was loaded, too often, is not loaded.
bool Plugins::has_crashed(File& file) {
  if (!black_box_) return false;
  const Candidate& candidate = *file.candidate;
  if (const auto* const suspect = black_box_->condemned(candidate.task()); suspect && !candidate.wish.forced) {
    refuse(file, "it has crashed the host while it was being loaded");
    return true;
  }
  Shelf::Entry& entry = shelf_->entries()[file.name];
  const bool new_here = file.first && candidate.wish.from == From::folder && entry.active && !entry.proven &&
                        entry.previous && entry.active->sha256 == candidate.sha256;
  const auto by_it = [&](const BlackBox::Suspect& suspect) {
    return suspect.recent && suspect.crashes > 0 && std::ranges::any_of(candidate.note().items, [&](const Item& item) {
             return suspect.name.starts_with(fmt::format("bot {},", item.id));
           });
  };
  if (!new_here || std::ranges::none_of(black_box_->suspects(), by_it)) return false;
  log::error("{}: the host has crashed in this version: the one before it takes over again", file.name);
  throw_away(file);
  look(file, {.from = From::previous});
  return true;
}

// Another file may have the names, or may not: then it is this one's turn again.
bool Plugins::is_undecided(const File& file) const {
  return file.lost_name && std::ranges::any_of(file.candidate->note().items, [&](const Item& item) {
           const auto owner = names_.find(item.id);
           return owner != names_.end() && owner->second != &file && owner->second->candidate;
         });
}

// What speaks against a version that nobody has tried yet; empty: nothing.
std::string Plugins::objection(File& file, Candidate& candidate) const {
  file.lost_name = candidate.unreadable = false;
  for (const Item& item : candidate.note().items) {
    const auto owner = names_.find(item.id);
    if (owner != names_.end() && owner->second != &file) {
      file.lost_name = true;
      return fmt::format("{} is offered by {} already", item.id, owner->second->name);
    }
  }
  if (candidate.wish.restart_rooms || candidate.wish.last_resort) return "";
  for (const Item& item : candidate.note().items) {
    std::size_t unreadable = 0;
    for (const Part& part : surroundings_.parts(item)) {
      unreadable += part.role->unreadable(item.schema_oldest, item.schema_written);
    }
    if (unreadable == 0) continue;
    candidate.unreadable = true;
    return fmt::format(
        "{} {} reads states of schema {} to {}, and cannot read those of {} rooms: with `botel reload "
        "{} --restart-rooms` they begin anew",
        item.id, item.version, item.schema_oldest, item.schema_written, unreadable, item.id);
  }
  for (const Part& part : file.now ? file.now->parts : std::vector<Part>()) {
    const bool offered = std::ranges::count(candidate.note().items, part.role->name(), &Item::id) > 0;
    if (offered || part.role->actors() == 0) continue;
    return fmt::format("it no longer offers {}, which has {} rooms: with `botel reload {} --restart-rooms` they wait",
                       part.role->name(), part.role->actors(), part.role->name());
  }
  return "";
}

std::vector<Part> Plugins::parts_of(const Note& note) const {
  std::vector<Part> parts;
  for (const Item& item : note.items) std::ranges::move(surroundings_.parts(item), std::back_inserter(parts));
  return parts;
}

void Plugins::choose_parts(Candidate& candidate) const {
  candidate.parts = parts_of(candidate.note());
  for (const Part& part : candidate.parts) candidate.needed.push_back(part.role->logic() != nullptr);
}

void Plugins::prepared(File& file) {
  Candidate& candidate = *file.candidate;
  // Rooms may have changed meanwhile.
  if (candidate.error.empty()) candidate.error = objection(file, candidate);
  if (!candidate.error.empty()) return refuse(file, candidate.error);
  for (const auto& warning : candidate.warnings) log::info("{}: {}", file.name, warning);
  put_on_shelf(file);
  loader_.run([this, &file, path = shelf_->file(), list = shelf_->list()]() -> JobThread::Then {
    return [this, &file, written = write_whole(path, list)] { shelved(file, written); };
  });
}

// The shelf knows it before its first handler runs: if the host crashes there, the next one goes back.
void Plugins::shelved(File& file, const Result<>& written) {
  const auto why = written ? objection(file, *file.candidate) : written.error();
  if (why.empty()) return take_over(file);
  shelf_->entries()[file.name] = file.candidate->before;
  save({});
  refuse(file, why);
}

void Plugins::take_over(File& file) {
  const Candidate& candidate = *file.candidate;
  auto next = std::make_unique<Generation>();
  next->number = ++file.generations;
  next->sha256 = candidate.sha256;
  next->note = candidate.note();
  next->copy = candidate.copy;
  next->library = candidate.library;
  next->parts = candidate.parts;
  next->logics.assign(candidate.logics.begin(), candidate.logics.end());
  std::size_t rooms = 0;
  for (std::size_t i = 0; i < candidate.parts.size(); ++i) {
    runtime::Role& role = *candidate.parts[i].role;
    const auto& logic = candidate.logics[i];
    if (!logic) log::error("{} is not served: {}", role.name(), candidate.errors[i]);
    if (logic && candidate.wish.restart_rooms) surroundings_.restart_unreadable(role, *logic);
    runtime_.take_over(role, logic);
    role.suspend(false);
    rooms += role.actors();
  }
  for (const Part& part : file.now ? file.now->parts : std::vector<Part>()) {
    const auto is_same = [&](const Part& other) { return other.role == part.role; };
    if (std::ranges::any_of(candidate.parts, is_same)) continue;
    runtime_.take_over(*part.role, nullptr);
    surroundings_.gone(*part.role);
  }
  const bool back = candidate.wish.from == From::previous;
  const std::string text = file.now
                               ? fmt::format("{} {} {}", next->describe(),
                                             back ? "takes over again from" : "takes over from", file.now->describe())
                               : next->describe() + " serves";
  log::info("{}: {}, {} rooms", file.name, text, rooms);
  ++(back ? rolled_back_ : taken_over_);
  const Shelf::Entry& entry = shelf_->entries()[file.name];
  file.failing = false;
  file.forgiven = 0;
  file.probation.reset();
  if (!entry.proven && entry.previous) file.probation = now_.steady + config_.probation;
  discard(candidate.superfluous);
  replace(file, std::move(next));
  finish(file, true, text);
}

// The version that is replaced is the one to go back to, if it is known to be good, or there is no other.
void Plugins::put_on_shelf(File& file) {
  Candidate& candidate = *file.candidate;
  Shelf::Entry& entry = shelf_->entries()[file.name];
  candidate.before = entry;
  const auto is = [&](const std::optional<Shelf::Kept>& kept) { return kept && kept->sha256 == candidate.sha256; };
  const auto drop = [&](std::optional<Shelf::Kept>& kept) {
    if (kept) candidate.superfluous.push_back(shelf_->path(*kept));
    kept.reset();
  };
  if (is(entry.previous)) {
    // Also where somebody has copied it into the folder.
    entry.refused = candidate.wish.from == From::previous && entry.active ? entry.active->sha256 : "";
    drop(entry.active);
    entry.active = std::exchange(entry.previous, std::nullopt);
    entry.proven = true;
  } else if (candidate.wish.from == From::folder && !is(entry.active)) {
    drop(entry.active && (entry.proven || !entry.previous) ? entry.previous : entry.active);
    if (entry.active) entry.previous = std::move(entry.active);
    entry.active = candidate.kept;
    entry.proven = false;
    entry.refused.clear();
  }
}

void Plugins::refuse(File& file, const std::string& why) {
  ++refused_;
  log::error("{} is refused: {}{}", (config_.folder / file.name).string(), why,
             file.now ? fmt::format("; {} goes on", file.now->describe()) : "");
  const auto candidate = file.candidate;
  if (candidate->wish.from == From::folder) file.refused = candidate->sha256;
  throw_away(file);
  if (fall_back(file, *candidate)) return;
  if (candidate->wish.from == From::previous && file.failing) give_up(file);
  finish(file, false, why);
}

// When the host starts, nobody serves yet: the kept copy does, if the file in the folder cannot; and where none can
// read the state of all rooms, those it cannot read wait.
bool Plugins::can_fall_back(const File& file, const Candidate& candidate) {
  const auto& active = shelf_->entries()[file.name].active;
  return !file.now && file.first && !candidate.wish.last_resort && candidate.wish.from != From::active && active &&
         active->sha256 != candidate.sha256;
}

bool Plugins::fall_back(File& file, const Candidate& refused) {
  if (can_fall_back(file, refused)) {
    look(file, {.from = From::active});
    return true;
  }
  if (file.now || !file.first || refused.wish.last_resort || !refused.unreadable) return false;
  look(file, {.from = refused.wish.from, .last_resort = true});
  return true;
}

void Plugins::remove(File& file) {
  file.candidate.reset();
  const auto old = file.now ? file.now->parts : std::vector<Part>();
  for (const Part& part : old) {
    runtime_.take_over(*part.role, nullptr);
    part.role->suspend(false);
    surroundings_.gone(*part.role);
    if (part.role->actors() > 0) log::warning("{} rooms wait for {}", part.role->actors(), part.role->name());
  }
  if (file.now) log::info("{} is gone: {} is not served any more", file.name, file.now->describe());
  replace(file, nullptr);
  file.failing = false;
  file.probation.reset();
  file.refused.clear();
  Shelf::Entry& entry = shelf_->entries()[file.name];
  std::vector<std::filesystem::path> dropped;
  if (entry.active && (entry.proven || !entry.previous)) {
    if (entry.previous) dropped.push_back(shelf_->path(*entry.previous));
    entry.previous = std::move(entry.active);
  } else if (entry.active) {
    dropped.push_back(shelf_->path(*entry.active));
  }
  entry.active.reset();
  save(std::move(dropped));
  finish(file, true, "it is gone");
}

void Plugins::finish(File& file, bool good, std::string text) {
  file.candidate.reset();
  file.first = false;
  file.last = {now_.unix_ms, good, std::move(text)};
  free_names(file);
  if (const auto again = std::exchange(file.again, std::nullopt)) return look(file, *again);
  for (const FileDone& done : std::exchange(file.waiting, {})) done({file.name, file.last});
}

// Names that it does not have after all are there for other files; those that it has are not.
void Plugins::free_names(const File& file) {
  const auto freed = std::erase_if(names_, [&](const auto& owned) {
    const auto& [name, owner] = owned;
    return owner == &file && !(file.now && std::ranges::count(file.now->note.items, name, &Item::id) > 0);
  });
  for (const auto& [name, other] : files_) {
    const bool again = other->undecided || (freed > 0 && other->lost_name);
    if (!again || other.get() == &file) continue;
    other->undecided = other->lost_name = false;
    look(*other, {.forced = true});
  }
}

void Plugins::throw_away(File& file) {
  loader_.run([candidate = std::exchange(file.candidate, nullptr)]() -> JobThread::Then {
    candidate->discard();
    return {};
  });
}

// Probation ----------------------------------------------------------------------------------------------------------

void Plugins::watch_probation(File& file) {
  if (!file.probation || file.candidate || file.failing) return;
  if (const auto failures = file.errors() - file.forgiven; failures >= config_.most_failures)
    return roll_back(file, failures);
  if (now_.steady < *file.probation) return;
  file.probation.reset();
  shelf_->entries()[file.name].proven = true;
  save({});
}

// Until the version before it is back, its actors wait: each event that fails is lost to them.
void Plugins::roll_back(File& file, std::uint64_t failures) {
  log::error("{}: {} handlers of {} have failed since it took over: the version before it takes over again", file.name,
             failures, file.now->describe());
  file.failing = true;
  suspend(file, true);
  if (!shelf_->entries()[file.name].previous) return give_up(file);
  look(file, {.from = From::previous});
}

void Plugins::give_up(const File& file) {
  log::error("{} is failing, and no version before it can go on: its rooms wait", file.now->describe());
  for (const Part& part : file.now->parts) surroundings_.gone(*part.role);
}

void Plugins::suspend(const File& file, bool suspended) {
  for (const Part& part : file.now->parts) part.role->suspend(suspended);
}

}  // namespace botel::plugin
