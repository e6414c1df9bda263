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

// What is refused.
std::string in_words(From from) {
  if (from == From::active) return "with another configuration is refused";
  return from == From::previous ? "cannot go back to the version before" : "is refused";
}

}  // namespace

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
        candidate->stage(config_.folder, source, copy, config_.writers);
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
  if (auto why = crash_objection(file, candidate); !why.empty() && !candidate.wish.by_hand)
    return refuse(file, {std::move(why)});
  if (is_to_be_rolled_back(file)) {
    log::error("{}: the host has crashed in this version: the one before it takes over again", file.name);
    throw_away(file);
    return look(file, {.from = From::previous});
  }
  const Objection objection = this->objection(file, candidate);
  file.names = !objection.to_a_name        ? File::Names::own
               : may_wait_for_a_name(file) ? File::Names::undecided
                                           : File::Names::lost;
  if (file.names == File::Names::undecided) return put_off(file, objection);
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

// Until it is known whether another file has its names: nothing has come of it so far.
void Plugins::put_off(File& file, const Objection& objection) {
  file.undecided = file.candidate->wish;
  const bool first = file.first;
  throw_away(file);
  finish(file, false, objection.why);
  file.first = first;
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
    return [this, &file, written = Shelf::write(path, list)] { shelved(file, written); };
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
  if (back) file.refusal = {entry(file).refused, kRolledBack, {}};
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
  const From from = file.candidate->wish.from;
  if (!file.now && next.parts.empty()) return what + " is idle: nothing in the configuration wants it";
  if (!file.now && from == From::active) return what + ", the version that was kept, serves";
  if (!file.now && from == From::previous) return what + ", the version before, serves";
  if (!file.now) return what + " serves";
  const Generation& old = *file.now;
  if (next.sha256 == old.sha256 && next.parts != old.parts) return what + " goes on with another configuration";
  const auto verb = from == From::previous ? "takes over again from" : "takes over from";
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
  const auto instead = instead_of(file, *refused, objection);
  if (is_news) {
    ++refused_;
    log::error("{} {}: {}{}", file.name, in_words(wish.from), objection.why, describe_what_goes_on(file, instead));
  }
  throw_away(file);
  if (wish.from == From::folder) {
    file.refusal = {refused->may_pass ? "" : refused->sha256, objection.why, refused->names()};
  }
  if (refused->may_pass) file.retry = now_.steady + kRetry;
  if (file.now && refused->sha256 == file.now->sha256) file.refused_parts = refused->parts;
  if (instead) return look(file, *instead);
  if (file.health == File::Health::rolling_back) give_up(file);
  finish(file, false, objection.why, is_news);
}

std::string Plugins::describe_what_goes_on(const File& file, const std::optional<Wish>& instead) const {
  if (file.now && file.health == File::Health::good) return fmt::format("; {} goes on", describe(file.now->note));
  if (!instead) return "";
  return instead->last_resort ? "; as there is no other, it serves, and they wait"
                              : "; the version that was kept is tried";
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

}  // namespace botel::plugin
