// The second part of Plugins: how a version comes to take over, or does not.
#include <algorithm>
#include <iterator>

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/file.hpp"

namespace botel::plugin {

namespace fs = std::filesystem;
using From = Wish::From;

namespace {

constexpr std::chrono::seconds kRetry{10};
constexpr auto kRolledBack = "it was rolled back: `botel reload` with its name takes it again";

std::string schemas(const Item& item) {
  if (item.schema_oldest == item.schema_written) return fmt::format("schema {}", item.schema_written);
  return fmt::format("the schemas {} to {}", item.schema_oldest, item.schema_written);
}

// What is refused.
std::string in_words(From from) {
  if (from == From::active) return "with another configuration is refused";
  return from == From::previous ? "cannot go back to the version before" : "is refused";
}

}  // namespace

// Step by step -------------------------------------------------------------------------------------------------------

// One at a time: what comes meanwhile is looked at afterwards.
void Plugins::look(File& file, Wish wish) {
  if (file.candidate) {
    if (file.again) wish.merge(*file.again);
    file.again = wish;
    return;
  }
  file.retry.reset();
  fs::path source = config_.folder / file.name;
  std::string hash;  // that it must have
  file.candidate = std::make_shared<Candidate>(wish);
  if (wish.from != From::folder) {
    const Shelf::Kept& kept = wish.from == From::active ? *entry(file).active : *entry(file).previous;
    source = shelf_->path(kept);
    hash = kept.sha256;
    if (file.now) file.candidate->parts = parts_of(file.now->note);
  }
  loader_.run(
      [this, &file, candidate = file.candidate, source, hash, copy = next_copy(file.name)]() -> JobThread::Then {
        candidate->stage(config_.folder, source, copy);
        const bool is_right = !candidate->error.empty() || hash.empty() || candidate->sha256 == hash;
        if (!is_right) candidate->error = "the kept copy is damaged";
        return [this, &file] { staged(file); };
      });
}

void Plugins::staged(File& file) {
  Candidate& candidate = *file.candidate;
  if (candidate.gone) return may_be_gone(file) ? remove(file) : refuse(file, {"it cannot be found any more"});
  file.gone = false;
  if (!candidate.error.empty()) return refuse(file, {candidate.error});
  if (is_settled(file)) return;
  if (black_box_ && black_box_->condemned(candidate.task()) && !candidate.wish.by_hand) {
    return refuse(file,
                  {fmt::format("it has crashed the host while it was being loaded; `botel reload {}` tries it again",
                               file.name)});
  }
  if (is_to_be_rolled_back(file)) {
    log::error("{}: the host has crashed in this version: the one before it takes over again", file.name);
    throw_away(file);
    return look(file, {.from = From::previous});
  }
  const Objection objection = this->objection(file, candidate);
  file.names = !objection.to_a_name        ? File::Names::own
               : may_wait_for_a_name(file) ? File::Names::undecided
                                           : File::Names::lost;
  if (file.names == File::Names::undecided) {
    throw_away(file);
    return finish(file, false, objection.why);
  }
  if (!objection.why.empty()) return refuse(file, objection);
  for (const Item& item : candidate.note().items) names_[item.id] = &file;
  choose_parts(file, candidate);
  // What has run here needs no trial, and its rooms wait.
  if (candidate.wish.from == From::previous) return load(file);
  prober_.run([this, &file, shared = file.candidate]() -> JobThread::Then {
    shared->try_out(config_.probe, prober_.stopped());
    return [this, &file] { tried(file); };
  });
}

void Plugins::tried(File& file) {
  const Candidate& candidate = *file.candidate;
  if (!candidate.error.empty()) return refuse(file, {candidate.error});
  for (const auto& warning : candidate.warnings) log::info("{}: {}", file.name, warning);
  load(file);
}

void Plugins::load(File& file) {
  loader_.run([this, &file, shared = file.candidate]() -> JobThread::Then {
    shared->load(*shelf_, file.name, black_box_);
    return [this, &file] { loaded(file); };
  });
}

// Rooms may have changed meanwhile.
void Plugins::loaded(File& file) {
  const Candidate& candidate = *file.candidate;
  if (black_box_ && candidate.library) black_box_->done(candidate.task());
  if (!candidate.error.empty()) return refuse(file, {candidate.error});
  if (const auto objection = this->objection(file, candidate); !objection.why.empty()) return refuse(file, objection);
  put_on_shelf(file);
  loader_.run([this, &file, path = shelf_->file(), list = shelf_->list()]() -> JobThread::Then {
    return [this, &file, written = write_whole(path, list)] { shelved(file, written); };
  });
}

// The shelf knows it before its first handler runs: if the host crashes there, the next one goes back.
void Plugins::shelved(File& file, const Result<>& written) {
  file.candidate->may_pass = !written;
  const auto objection = written ? this->objection(file, *file.candidate) : Objection{written.error()};
  if (objection.why.empty()) return take_over(file);
  shelf_->entry(file.name) = file.candidate->before;
  save({});
  refuse(file, objection);
}

void Plugins::take_over(File& file) {
  const auto shared = file.candidate;
  const Candidate& candidate = *shared;
  auto next = std::make_unique<Generation>(Generation{++file.generations,
                                                      candidate.sha256,
                                                      candidate.note(),
                                                      candidate.copy,
                                                      candidate.library,
                                                      candidate.parts,
                                                      {candidate.logics.begin(), candidate.logics.end()}});
  const bool back = candidate.wish.from == From::previous;
  std::string text = describe_take_over(file, *next);
  std::size_t rooms = 0;
  bool good = true;
  for (std::size_t i = 0; i < candidate.parts.size(); ++i) {
    const Part& part = candidate.parts[i];
    serve(part, candidate.logics[i], candidate.wish.restart_rooms);
    rooms += part.role->actors();
    if (candidate.logics[i]) continue;
    good = false;
    text += fmt::format("; {} is not served: {}", part.role->name(), candidate.errors[i]);
  }
  for (const Item& item : next->note.items) surroundings_.serves(item);
  for (const Part& part : file.now ? file.now->parts : std::vector<Part>()) {
    if (std::ranges::count(candidate.parts, part.role, &Part::role) == 0) serve(part, nullptr, false);
  }
  log::write(good ? log::Level::info : log::Level::error,
             fmt::format("{}: {}, {}", file.name, text, counted_actors(rooms, next->note)));
  ++(back ? rolled_back_ : taken_over_);
  const Shelf::Entry& before = candidate.before;
  const bool was_failing = before.failing && before.active && before.active->sha256 == candidate.sha256;
  replace(file, std::move(next));
  if (candidate.wish.from == From::folder) file.refusal.reset();
  if (back) file.refusal = {entry(file).refused, kRolledBack};
  file.refused_parts.clear();
  file.health = File::Health::good;
  file.probation.reset();
  if (!entry(file).proven && entry(file).previous) begin_probation(file);
  if (was_failing && file.first) give_up(file);
  loader_.run([superfluous = candidate.superfluous]() -> JobThread::Then {
    remove_files(superfluous);
    return {};
  });
  finish(file, good, std::move(text));
}

// Equal versions are told apart by their hashes.
std::string Plugins::describe_take_over(const File& file, const Generation& next) const {
  const std::string what = describe(next.note);
  if (!file.now) return what + " serves";
  const Generation& old = *file.now;
  if (next.sha256 == old.sha256 && next.parts != old.parts) return what + " goes on with another configuration";
  const auto verb = file.candidate->wish.from == From::previous ? "takes over again from" : "takes over from";
  if (describe(old.note) != what) return fmt::format("{} {} {}", what, verb, describe(old.note));
  return fmt::format("{} ({:.8}) {} {} ({:.8})", what, next.sha256, verb, what, old.sha256);
}

void Plugins::serve(const Part& part, std::shared_ptr<runtime::Logic> logic, bool restart_rooms) {
  runtime::Role& role = *part.role;
  if (logic && restart_rooms) surroundings_.restart_unreadable(role, *logic);
  runtime_.take_over(role, std::move(logic));
  role.suspend(false);
  role.set_failing(false);
  if (!role.logic()) surroundings_.gone(role);
}

void Plugins::refuse(File& file, const Objection& objection) {
  const auto refused = file.candidate;
  const Wish& wish = refused->wish;
  const bool is_news = wish.told || wish.again || objection.why != file.last.text;
  if (is_news) {
    ++refused_;
    log::error(
        "{} {}: {}{}", file.name, in_words(wish.from), objection.why,
        file.now && file.health == File::Health::good ? fmt::format("; {} goes on", describe(file.now->note)) : "");
  }
  throw_away(file);
  if (wish.from == From::folder) file.refusal = {refused->may_pass ? "" : refused->sha256, objection.why};
  if (refused->may_pass) file.retry = now_.steady + kRetry;
  if (file.now && refused->sha256 == file.now->sha256) file.refused_parts = refused->parts;
  if (fall_back(file, *refused, objection)) return;
  if (file.health == File::Health::rolling_back) give_up(file);
  finish(file, false, objection.why, is_news);
}

// What is no news leaves the last outcome as it is.
void Plugins::finish(File& file, bool good, std::string text, bool is_news) {
  file.candidate.reset();
  file.first = false;
  const Outcome outcome{now_.unix_ms, good, std::move(text)};
  if (is_news) file.last = outcome;
  file.has_news |= is_news;
  free_names(file);
  if (const auto again = std::exchange(file.again, std::nullopt)) return look(file, *again);
  for (const FileDone& done : std::exchange(file.waiting, {})) done({file.name, file.has_news ? file.last : outcome});
  if (!file.now) return;
  // The configuration may have changed meanwhile.
  const auto parts = parts_of(file.now->note);
  if (parts != file.now->parts && parts != file.refused_parts) look(file, {.from = From::active});
}

void Plugins::remove(File& file) {
  for (const Part& part : file.now ? file.now->parts : std::vector<Part>()) {
    serve(part, nullptr, false);
    if (part.role->actors() > 0)
      log::warning("{}: {} waiting", part.role->name(), counted_actors(part.role->actors(), file.now->note));
  }
  if (file.now) log::info("{} is gone: {} is not served any more", file.name, describe(file.now->note));
  replace(file, nullptr);
  file.gone = true;
  file.health = File::Health::good;
  file.probation.reset();
  file.refusal.reset();
  Shelf::Entry& entry = shelf_->entry(file.name);
  std::vector<fs::path> dropped;
  if (entry.active && (entry.proven || !entry.previous)) std::swap(entry.active, entry.previous);
  if (entry.active) dropped.push_back(shelf_->path(*entry.active));
  entry = {{}, entry.previous, false, false, ""};
  save(std::move(dropped));
  finish(file, true, "it is gone");
}

void Plugins::throw_away(File& file) {
  const auto candidate = std::exchange(file.candidate, nullptr);
  const auto& [active, previous, proven, failing, refused] = entry(file);
  const auto is_kept = [&](const auto& kept) { return kept && kept->sha256 == candidate->sha256; };
  std::vector<fs::path> superfluous;
  if (candidate->kept && !is_kept(active) && !is_kept(previous)) superfluous.push_back(shelf_->path(*candidate->kept));
  loader_.run([this, candidate, superfluous]() -> JobThread::Then {
    remove_files(superfluous);
    if (!candidate->library) return {};
    return [this, candidate, gone = candidate->discard()] {
      unloaded(describe(candidate->note()), candidate->copy, gone);
    };
  });
}

// What decides -------------------------------------------------------------------------------------------------------

// A folder that is not there for a while, as when a file system is unmounted, retires nobody: the watcher knows.
bool Plugins::may_be_gone(const File& file) const { return file.first || !file.now || file.candidate->wish.told; }

// The same content again is no other version; what was refused is not tried again by itself.
bool Plugins::is_settled(File& file) {
  const Wish wish = file.candidate->wish;
  const std::string hash = file.candidate->sha256;
  if (wish.from != From::folder) return false;
  if (file.now && file.now->sha256 == hash) {
    if (!is_as_it_shall_be(file, wish)) return false;
    throw_away(file);
    file.refusal.reset();
    if (file.health == File::Health::failing && wish.by_hand) {
      try_again(file);
    } else if (file.health == File::Health::failing) {
      finish(file, false, describe(file.now->note) + " is failing, and waits for another version");
    } else {
      finish(file, true, describe(file.now->note) + " is there already", !file.last.good);
    }
    return true;
  }
  const bool rolled_back = hash == entry(file).refused && !wish.by_hand;
  const bool refused = file.refusal && file.refusal->sha256 == hash && !wish.again && !wish.told;
  if (wish.last_resort || (!rolled_back && !refused)) return false;
  throw_away(file);
  const std::string why = rolled_back ? kRolledBack : file.refusal->why;
  log::error("{} is refused as before: {}", file.name, why);
  file.refusal = {hash, why};
  if (!file.now && file.first && entry(file).active) {
    look(file, {.from = From::active});
  } else {
    finish(file, false, why);
  }
  return true;
}

// What serves needs no other look.
bool Plugins::is_as_it_shall_be(const File& file, const Wish& wish) const {
  const Generation& now = *file.now;
  const auto is_unreadable = [&](const Item& item) {
    return std::ranges::any_of(now.parts, [&](const Part& part) {
      return part.role->name() == item.id && part.role->unreadable(item.schema_oldest, item.schema_written) > 0;
    });
  };
  if (wish.restart_rooms && std::ranges::any_of(now.note.items, is_unreadable)) return false;
  return parts_of(now.note) == now.parts;
}

// A version that took over shortly before the host crashed in its code.
bool Plugins::is_to_be_rolled_back(const File& file) const {
  const Candidate& candidate = *file.candidate;
  const auto& [active, previous, proven, failing, refused] = entry(file);
  const bool is_new = file.first && candidate.wish.from == From::folder && active && !proven && previous &&
                      active->sha256 == candidate.sha256;
  const auto by_it = [&](const BlackBox::Suspect& suspect) {
    return suspect.recent && suspect.crashes > 0 && std::ranges::any_of(candidate.note().items, [&](const Item& item) {
             return suspect.name.starts_with(fmt::format("{} {},", item.kind_name(), item.id));
           });
  };
  return is_new && black_box_ && std::ranges::any_of(black_box_->suspects(), by_it);
}

// Another file may have the names, or may not: then it is this one's turn again.
bool Plugins::may_wait_for_a_name(const File& file) const {
  return std::ranges::any_of(file.candidate->note().items, [&](const Item& item) {
    const auto owner = names_.find(item.id);
    return owner != names_.end() && owner->second != &file && owner->second->candidate;
  });
}

Plugins::Objection Plugins::objection(const File& file, const Candidate& candidate) const {
  for (const Item& item : candidate.note().items) {
    const auto owner = names_.find(item.id);
    if (owner != names_.end() && owner->second != &file) {
      return {.why = fmt::format("{} is offered by {} already", item.id, owner->second->name), .to_a_name = true};
    }
    if (auto why = surroundings_.objection(item); !why.empty()) return {std::move(why)};
  }
  if (candidate.wish.restart_rooms || candidate.wish.last_resort) return {};
  for (const Item& item : candidate.note().items) {
    std::size_t lost = 0;
    for (const Part& part : surroundings_.parts(item)) {
      lost += part.role->would_lose(item.schema_oldest, item.schema_written);
    }
    if (lost == 0) continue;
    const bool is_new = candidate.wish.from == From::folder;
    return {.why = fmt::format(
                "{} {} reads states of {}, and cannot read those of {}{}", item.id, item.version, schemas(item),
                counted_actors(lost, candidate.note()),
                is_new ? fmt::format(": with `botel reload {} --restart-rooms` they begin anew", item.id) : ""),
            .to_a_schema = true};
  }
  for (const Part& part : file.now ? file.now->parts : std::vector<Part>()) {
    const bool offered = std::ranges::count(candidate.note().items, part.role->name(), &Item::id) > 0;
    if (offered || part.role->actors() == 0) continue;
    return {fmt::format("it no longer offers {}, which has {}: with `botel reload {} --restart-rooms` they wait",
                        part.role->name(), counted_actors(part.role->actors(), file.now->note), part.role->name())};
  }
  return {};
}

std::vector<Part> Plugins::parts_of(const Note& note) const {
  std::vector<Part> parts;
  for (const Item& item : note.items) std::ranges::move(surroundings_.parts(item), std::back_inserter(parts));
  return parts;
}

// Nobody who is served may end up without: what has failed already may fail again. When the host starts nobody is
// served yet, but a kept version may be able to.
void Plugins::choose_parts(const File& file, Candidate& candidate) const {
  candidate.parts = parts_of(candidate.note());
  const auto has_failed = [&](const Part& part) {
    const auto same = std::ranges::find(file.now->parts, part);
    return same != file.now->parts.end() &&
           file.now->logics[static_cast<std::size_t>(same - file.now->parts.begin())].expired();
  };
  for (const Part& part : candidate.parts) {
    candidate.needed.push_back(file.now ? !has_failed(part) : can_fall_back(file, candidate));
  }
}

// Names that it does not have after all are there for other files; those that it has are not.
void Plugins::free_names(const File& file) {
  const auto freed = std::erase_if(names_, [&](const auto& owned) {
    const auto& [name, owner] = owned;
    return owner == &file && !(file.now && std::ranges::count(file.now->note.items, name, &Item::id) > 0);
  });
  for (const auto& [name, other] : files_) {
    const bool undecided = other->names == File::Names::undecided, lost = other->names == File::Names::lost;
    if (other.get() == &file || !(undecided || (lost && freed > 0))) continue;
    other->names = File::Names::own;
    look(*other, {.again = true});
  }
}

}  // namespace botel::plugin
