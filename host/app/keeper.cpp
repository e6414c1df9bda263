#include "app/keeper.hpp"

#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "base/text.hpp"
#include "store/sqlite.hpp"

namespace botel::app {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// What is acknowledged before it is on disk is there after this long, and the time of one commit.
constexpr milliseconds kPause{50};

// How old what is kept of the host's clock may be, where nothing else is to be saved: that much a clock that was set
// back can add to what waits.
constexpr std::chrono::minutes kClockPause{1};

}  // namespace

Keeper::Keeper(store::Store& store, bool strict, runtime::Runtime& runtime, mqtt::Link& link, gitple::Service& gitple,
               moca::Service& moca, moca::Directory& directory, Counters& counters, std::function<void()> wake)
    : store_(store),
      strict_(strict),
      runtime_(runtime),
      link_(link),
      gitple_(gitple),
      moca_(moca),
      directory_(directory),
      slow_(counters),
      writer_(store_, counters, std::move(wake)) {}

Result<> Keeper::load() {
  std::unordered_map<store::ActorId, runtime::Actor*> actors;
  std::string unreadable;
  const auto with = [&](store::ActorId id, const auto& action) {
    if (const auto found = actors.find(id); found != actors.end()) action(*found->second);
  };
  const store::Visitor visitor{
      .clock =
          [&](const store::Clock& clock) {
            runtime_.restore(clock);
            since_written_ = milliseconds(runtime_.host_ms() - clock.host_ms);
          },
      .actor =
          [&](store::Actor record, store::State state) {
            runtime_.used(record.id);
            const bool is_connector = record.type == BOTEL_ACTOR_CONNECTOR;
            runtime::Actor* const actor = is_connector ? moca_.restore(record, state) : gitple_.restore(record, state);
            if (!actor) {
              unreadable = fmt::format("{} {} cannot be read", record.type, log::printable(record.address));
              return;
            }
            runtime_.restore(*actor, std::move(state));
            actors.emplace(record.id, actor);
          },
      .timer =
          [&](const store::Timer& timer) { with(timer.actor, [&](auto& actor) { runtime_.restore(actor, timer); }); },
      .effect =
          [&](store::Waiting effect) {
            with(effect.actor, [&](auto& actor) { runtime_.restore(actor, std::move(effect)); });
          },
      .inbox = [&](store::ActorId id,
                   std::size_t count) { with(id, [&](auto& actor) { runtime_.restore_inbox(actor, count); }); },
      .outbox =
          [&](store::Message message) {
            unsent_.insert(message.topic);
            link_.restore(std::move(message));
          },
      .request = [&](store::Request request) { requests_.push_back(std::move(request)); },
      .received = [&](const store::Received& received) { link_.restore(received); },
      .secret =
          [&](store::Secret secret) {
            with(secret.actor, [&](auto& actor) { moca_.restore(actor, std::move(secret)); });
          }};
  if (auto loaded = store_.load(visitor); !loaded) return loaded;
  if (!unreadable.empty()) return failure("{}: {}; `botel store export` shows it", store::kFile, unreadable);
  runtime_.saved();
  return {};
}

void Keeper::resume(std::optional<milliseconds> known, bool ended_well) {
  const milliseconds away = known.value_or(since_written_);
  for (auto& request : std::exchange(requests_, {})) gitple_.restore(std::move(request));
  gitple_.resume(away);
  // In strict nothing is sent that the store does not know of.
  moca_.resume(away, std::exchange(unsent_, {}), strict_ || ended_well);
  if (gitple_.rooms() > 0) log::info("back after {} ms: {}", away.count(), counted(gitple_.rooms(), "room"));
  if (moca_.connectors() > 0) log::info("back after {} ms: {}", away.count(), counted(moca_.connectors(), "connector"));
}

bool Keeper::must_save() const {
  return runtime_.has_changes() || link_.has_changes() || gitple_.has_changes() || moca_.has_changes() ||
         directory_.has_changes();
}

std::optional<SteadyTime> Keeper::next() const {
  if (writing_) return {};
  return must_save() || link_.has_gone() ? std::min(clock_due_, last_ + kPause) : clock_due_;
}

bool Keeper::save(SteadyTime now) {
  if (writing_ && writer_.idle()) {
    writing_ = stalled_ = false;
    link_.resume();
    committed(now);
  }
  // Whatever is acknowledged while nothing is saved would be lost, and fill the memory.
  if (writing_ && !stalled_ && !writer_.trouble().empty()) stall();
  if (stalled_) return false;
  if (writing_) look_whether_slow(duration_cast<milliseconds>(now - last_), now);
  const bool due = now >= clock_due_ || (now - last_ >= kPause && (must_save() || link_.has_gone()));
  if (writing_ || !(due || (strict_ && must_save()))) return true;
  write(now);
  if (!strict_) return true;
  if (!writer_.wait()) {
    stall();
    return false;
  }
  writing_ = false;
  committed(now);
  return true;
}

void Keeper::committed(SteadyTime now) {
  slow_.done(writer_.taken());
  look_whether_slow(writer_.taken(), now);
  runtime_.saved();
  directory_.saved();
  moca_.saved();
}

// What comes while a commit is under way waits for the next one, which may take as long.
void Keeper::look_whether_slow(milliseconds taken, SteadyTime now) {
  if (!slow_.is_news(taken, now)) return;
  if (strict_) {
    log::warning("store: a commit takes {} ms: all that is acknowledged and answered waits for it", taken.count());
  } else {
    log::warning("store: a commit takes {} ms: a crash now may take back up to {} ms", taken.count(),
                 2 * taken.count());
  }
}

void Keeper::stall() {
  stalled_ = true;
  link_.cut("the store takes nothing, so nothing is acknowledged");
}

void Keeper::write(SteadyTime now) {
  store::Batch batch = runtime_.save();
  link_.save(batch);
  gitple_.save(batch);
  moca_.save(batch);
  directory_.save(batch);
  writer_.write(std::move(batch));
  writing_ = true;
  last_ = now;
  clock_due_ = now + kClockPause;
}

Result<> Keeper::finish(SteadyTime deadline) {
  const auto committed = [&]() -> Result<> {
    if (!writer_.wait() && !writer_.wait_until(deadline)) return failure("{}", writer_.trouble());
    if (std::exchange(writing_, false)) slow_.done(writer_.taken());
    return {};
  };
  if (auto done = committed(); !done) return done;
  write(last_);
  return committed();
}

}  // namespace botel::app
