// The third part of Plugins: what is kept, for a version that fails and for a host that starts.
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/file.hpp"

namespace botel::plugin {

namespace fs = std::filesystem;
using From = Wish::From;

// The version that is replaced is the one to go back to, if it is known to be good, or there is no other.
void Plugins::put_on_shelf(File& file) {
  Candidate& candidate = *file.candidate;
  Shelf::Entry& entry = shelf_->entry(file.name);
  candidate.before = entry;
  entry.failing = false;
  const auto is = [&](const std::optional<Shelf::Kept>& kept) { return kept && kept->sha256 == candidate.sha256; };
  const auto drop = [&](std::optional<Shelf::Kept>& kept) {
    if (kept) candidate.superfluous.push_back(shelf_->path(*kept));
    kept.reset();
  };
  const bool back = candidate.wish.from == From::previous;
  if (back || is(entry.previous)) {
    // It was good enough to be kept.
    entry.refused = back && entry.active ? entry.active->sha256 : "";
    std::swap(entry.active, entry.previous);
    if (back || !entry.proven) drop(entry.previous);
    entry.proven = !entry.previous;
  } else if (candidate.wish.from == From::folder && !is(entry.active)) {
    drop(entry.active && (entry.proven || !entry.previous) ? entry.previous : entry.active);
    if (entry.active) entry.previous = std::move(entry.active);
    entry.active = candidate.kept;
    entry.proven = false;
    entry.refused.clear();
  }
}

// When the host starts, nobody serves yet: the kept copy does, if the file in the folder cannot; and where none can
// read the state of all rooms, those it cannot read wait.
bool Plugins::can_fall_back(const File& file, const Candidate& candidate) const {
  const auto& active = entry(file).active;
  return !file.now && file.first && !candidate.wish.last_resort && candidate.wish.from != From::active && active &&
         active->sha256 != candidate.sha256;
}

std::optional<Wish> Plugins::instead_of(const File& file, const Candidate& refused, const Objection& objection) const {
  if (can_fall_back(file, refused)) return Wish{.from = From::active};
  if (file.now || !file.first || refused.wish.last_resort || !objection.to_a_schema) return {};
  return Wish{.from = refused.wish.from, .last_resort = true};
}

void Plugins::watch_probation(File& file) {
  if (!file.probation || file.candidate || file.health != File::Health::good) return;
  File::Probation& probation = *file.probation;
  const auto [calls, errors] = file.handled();
  const auto failures = errors - probation.before.errors;
  if (failures == 0 || failures < calls - probation.before.calls) {
    probation.failing_since.reset();
  } else if (!probation.failing_since) {
    probation.failing_since = now_.steady;
  }
  // Where few talk to it, there may never be many failures: what they said waits.
  const bool fails_always = probation.failing_since && now_.steady >= *probation.failing_since + kFailsAlways;
  if (failures >= config_.most_failures || fails_always) return roll_back(file, failures);
  if (now_.steady >= probation.until) pass_probation(file);
}

void Plugins::begin_probation(File& file) {
  file.probation = {now_.steady + config_.probation, file.handled(), {}};
  for (const Part& part : file.now->parts) part.role->set_on_probation(true);
}

void Plugins::pass_probation(File& file) {
  file.probation.reset();
  for (const Part& part : file.now->parts) {
    part.role->set_on_probation(false);
    runtime_.give_up_failed(*part.role);
  }
  shelf_->entry(file.name).proven = true;
  save({});
}

// Until the version before it is back, its actors wait.
void Plugins::roll_back(File& file, std::uint64_t failures) {
  log::error("{}: {} of {} failed since it took over: the version before it shall take over again", file.name,
             counted(failures, "handler"), describe(file.now->note));
  file.health = File::Health::rolling_back;
  for (const Part& part : file.now->parts) part.role->suspend(true);
  if (!entry(file).previous) return give_up(file);
  look(file, {.from = From::previous});
}

// Also the next host lets them wait.
void Plugins::give_up(File& file) {
  log::error("{} is failing, and no version before it can go on: all that it had waits", describe(file.now->note));
  file.health = File::Health::failing;
  for (const Part& part : file.now->parts) {
    part.role->suspend(false);
    part.role->set_failing(true);
    surroundings_.gone(*part.role);
  }
  shelf_->entry(file.name).failing = true;
  save({});
}

void Plugins::try_again(File& file) {
  file.health = File::Health::good;
  for (const Part& part : file.now->parts) {
    part.role->set_failing(false);
    runtime_.retry_failed(*part.role);
  }
  begin_probation(file);
  shelf_->entry(file.name).failing = false;
  save({});
  finish(file, true, describe(file.now->note) + " is tried again");
}

const Shelf::Entry& Plugins::entry(const File& file) const { return shelf_->entry(file.name); }

// Written on the loader's thread, which may wait for the disk.
void Plugins::save(std::vector<fs::path> superfluous) {
  loader_.run(
      [file = shelf_->file(), list = shelf_->list(), superfluous = std::move(superfluous)]() -> JobThread::Then {
        const auto done = Shelf::write(file, list);
        if (!done) return [why = done.error()] { log::error("{}: after a restart, plugins may be older ones", why); };
        remove_files(superfluous);
        return {};
      });
}

}  // namespace botel::plugin
