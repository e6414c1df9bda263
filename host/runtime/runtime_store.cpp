// The other half of Runtime: what it gives to the store, and takes from it.
#include <algorithm>

#include "base/log.hpp"
#include "runtime/runtime.hpp"

namespace botel::runtime {
namespace {

constexpr std::size_t kPage = 500;  // events that are taken back from the store at once
constexpr std::chrono::milliseconds kFeedSoon{10}, kFeedAgain{1000};

}  // namespace

void Runtime::mark(Actor& actor) {
  if (!store_ || std::exchange(actor.unsaved_, true)) return;
  [[maybe_unused]] const auto known = id(actor);
  unsaved_.push_back(&actor);
}

void Runtime::mark_changed(Actor& actor) {
  actor.changed_ = true;
  mark(actor);
}

bool Runtime::changes_empty() const {
  return changes_.actors_gone.empty() && changes_.effects_gone.empty() && changes_.inbox.empty() &&
         changes_.inbox_gone.empty() && changes_.dead_letters.empty() && changes_.dead_letters_gone.empty();
}

store::Batch Runtime::save() {
  for (Actor* const actor : std::exchange(unsaved_, {})) save(*actor);
  changes_.clock = clock_.moment(now_);
  return std::exchange(changes_, {});
}

void Runtime::save(Actor& actor) {
  actor.unsaved_ = false;
  save_queue(actor);
  for (auto effect = actor.lane_.rbegin(); effect != actor.lane_.rend() && !effect->stored; ++effect) {
    changes_.effects.push_back({actor.id_, effect->number, host_ms(effect->due), effect->effect});
    effect->stored = true;
  }
  for (const auto tag : std::exchange(actor.changed_timers_, {})) {
    const auto timer = actor.timers_.find(tag);
    if (timer == actor.timers_.end()) {
      changes_.timers_gone.emplace_back(actor.id_, tag);
    } else {
      changes_.timers.push_back({actor.id_, tag, host_ms(timer->second.due)});
    }
  }
  if (!std::exchange(actor.stored_, true)) {
    changes_.actors.push_back(
        {actor.id_, std::string(actor.type), actor.address, actor.role.name(), actor.port.origin(actor)});
    actor.changed_ = true;
  }
  if (!std::exchange(actor.changed_, false)) return;
  changes_.states.push_back(
      {actor.id_, actor.sequence_, actor.state_schema_, actor.state_, actor.port.progress(actor)});
}

// What is not handled by now goes to the inbox: those that came last, and one that is tried again.
void Runtime::save_queue(Actor& actor) {
  const auto put = [&](Actor::Queued& queued) {
    changes_.inbox.push_back({actor.id_, queued.event});
    queued.stored = actor.changed_ = true;
  };
  for (auto queued = actor.queue_.rbegin(); queued != actor.queue_.rend() && !queued->stored; ++queued) put(*queued);
  if (!actor.queue_.empty() && !actor.queue_.front().stored) put(actor.queue_.front());
}

void Runtime::forget(Actor& actor) {
  if (actor.unsaved_) std::erase(unsaved_, &actor);
  if (actor.hungry_) std::erase(hungry_, &actor);
  if (actor.spilled_ > 0) std::erase_if(changes_.inbox, [&](const auto& queued) { return queued.actor == actor.id_; });
  if (actor.stored_) changes_.actors_gone.push_back(actor.id_);
}

void Runtime::forget_letters(const Actor& actor) {
  std::erase_if(changes_.dead_letters, [&](const store::DeadLetter& letter) {
    return letter.type == actor.type && letter.address == actor.address;
  });
  if (actor.stored_) changes_.dead_letters_gone.emplace_back(actor.type, actor.address);
}

// Memory holds the beginning of a long queue; the store has the rest.
void Runtime::spill(Actor& actor, Event event) {
  mark_changed(actor);
  changes_.inbox.push_back({actor.id_, std::move(event)});
  ++actor.spilled_;
}

void Runtime::saved() {
  for (const auto task : std::exchange(buried_, {})) black_box_->done(task);
  if (!hungry_.empty()) feed_hungry();
}

void Runtime::feed_hungry() {
  timers_.cancel(std::exchange(feed_timer_, 0));
  auto pause = kFeedAgain;
  for (Actor* const actor : std::exchange(hungry_, {})) {
    const Fed fed = feed(*actor);
    if (fed == Fed::yes) {
      actor->hungry_ = false;
      if (!actor->busy_) go_on(*actor);
    } else {
      hungry_.push_back(actor);
    }
    if (fed == Fed::soon) pause = kFeedSoon;
  }
  if (!hungry_.empty()) {
    feed_timer_ = timers_.set(now_.steady + pause, [this] {
      feed_timer_ = 0;
      feed_hungry();
    });
  }
}

Runtime::Fed Runtime::feed(Actor& actor) {
  const auto last = actor.queue_.empty() ? actor.handled_ : actor.queue_.back().event.sequence;
  auto inbox = store_->inbox(actor.id_, last, kPage);
  if (!inbox) {
    complaints_.error("{} {}: {} events wait in the store: {}", actor.type, log::printable(actor.address),
                      actor.spilled_, inbox.error());
    return Fed::no;
  }
  if (!*inbox) return Fed::soon;
  std::vector<Event>& events = **inbox;
  for (Event& event : events) actor.queue_.push_back({std::move(event), true});
  actor.spilled_ -= std::min(actor.spilled_, events.size());
  return events.empty() ? Fed::no : Fed::yes;
}

// Restoring ----------------------------------------------------------------------------------------------------------

void Runtime::restore(const store::Clock& kept) {
  clock_ = HostClock(now_, kept);
  last_id_ = clock_.ids_begin();
}

void Runtime::restore(Actor& actor, store::State state) {
  used(state.actor);
  actor.id_ = state.actor;
  actor.stored_ = true;
  actor.sequence_ = state.sequence;
  actor.set_schema(state.schema);
  actor.state_ = std::move(state.state);
}

void Runtime::restore(Actor& actor, const store::Timer& timer) {
  set_timer(actor, timer.tag, steady(timer.due_ms));
  actor.changed_timers_.clear();
}

void Runtime::restore(Actor& actor, store::Waiting effect) {
  actor.last_number_ = effect.number;
  actor.lane_.push_back({std::move(effect.effect), steady(effect.due_ms), effect.number, true});
  if (actor.lane_timer_ == 0) watch_lane(actor);
}

void Runtime::restore_inbox(Actor& actor, std::size_t count) {
  actor.spilled_ = count;
  go_on(actor);
}

}  // namespace botel::runtime
