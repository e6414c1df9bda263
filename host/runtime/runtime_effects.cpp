// What Runtime does with the effects of a committed event: each leaves when its delay is over, timers fire.
#include <botel/ext/timer.h>

#include <algorithm>

#include "runtime/runtime.hpp"

namespace botel::runtime {

// Each leaves when its delay behind the one before it is over.
void Runtime::queue(Actor& actor, Effect effect) {
  const SteadyTime before = actor.lane_.empty() ? now_.steady : std::max(now_.steady, actor.lane_.back().due);
  const SteadyTime due = before + effect.delay;
  actor.lane_.push_back({std::move(effect), due, ++actor.last_number_});
}

void Runtime::pump(Actor& actor) {
  if (actor.lane_timer_ != 0) return;
  // To perform one may hold back the next.
  while (!actor.held_ && !actor.lane_.empty()) {
    if (actor.lane_.front().due > now_.steady) return watch_lane(actor);
    perform_first(actor);
  }
}

void Runtime::watch_lane(Actor& actor) {
  actor.lane_timer_ = timers_.set(actor.lane_.front().due, [this, &actor] {
    actor.lane_timer_ = 0;
    pump(actor);
  });
}

void Runtime::perform_first(Actor& actor) {
  Actor::Leaving first = std::move(actor.lane_.front());
  actor.lane_.pop_front();
  if (first.stored) changes_.effects_gone.emplace_back(actor.id_, first.number);
  actor.port.perform(actor, first.effect);
}

void Runtime::release(Actor& actor) {
  actor.held_ = false;
  pump(actor);
}

void Runtime::flush(Actor& actor) {
  timers_.cancel(std::exchange(actor.lane_timer_, 0));
  while (!actor.lane_.empty()) perform_first(actor);
}

void Runtime::set_timer(Actor& actor, std::uint64_t tag, SteadyTime due) {
  cancel_timer(actor, tag);
  const auto id = timers_.set(due, [this, &actor, tag] {
    actor.timers_.erase(tag);
    note_timer(actor, tag);
    post(actor, {.kind = BOTEL_TIMER_DUE, .tag = tag});
  });
  actor.timers_[tag] = {id, due};
}

void Runtime::cancel_timer(Actor& actor, std::uint64_t tag) {
  note_timer(actor, tag);
  const auto timer = actor.timers_.extract(tag);
  if (!timer.empty()) timers_.cancel(timer.mapped().id);
}

}  // namespace botel::runtime
