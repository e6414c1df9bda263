// The fourth part of Runtime: versions that take over, and handlers that hold them up.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "runtime/runtime.hpp"

namespace botel::runtime {
namespace {

constexpr std::size_t kDropsARound = 1000;
constexpr std::chrono::seconds kStuck{30};  // a handler that runs for so long counts as one that fails

}  // namespace

void Runtime::take_over(Role& role, std::shared_ptr<Logic> next) {
  if (auto old = std::exchange(role.logic_, std::move(next))) {
    old->replaced_on_probation = role.on_probation_;
    replaced_.push_back(std::move(old));
  }
  role.on_probation_ = false;
  if (!role.logic_) return;
  for (Actor* const actor : std::exchange(role.stuck_, {})) ready_.push(*actor);
  retry_failed(role);
}

// Cached objects are dropped a few at a time, so that no round takes long.
void Runtime::give_up_old() {
  std::size_t left = kDropsARound;
  for (auto& logic : replaced_) {
    for (; left > 0 && !logic->holders.empty(); --left) logic->holders.front()->drop_cached();
    if (logic->holders.empty() && logic.use_count() == 1) retired_.push_back(std::move(logic));
  }
  std::erase(replaced_, nullptr);
}

void Runtime::restart(Actor& actor, std::optional<Event> first) {
  if (actor.in_turn_) {
    first_again_.insert_or_assign(&actor, std::move(first));
    return;
  }
  actor.drop_cached();
  actor.state_.clear();
  actor.set_schema(0);
  while (!actor.timers_.empty()) cancel_timer(actor, actor.timers_.begin()->first);
  mark_changed(actor);
  // What was said before is said at once: it must not hold up what comes now.
  if (!actor.held_) flush(actor);
  if (first) restart_with(actor, std::move(*first));
}

void Runtime::restart_with(Actor& actor, Event first) {
  if (actor.queue_.empty() && (actor.spilled_ == 0 || actor.handled_ == 0)) return post(actor, std::move(first));
  const bool waits = actor.retry_timer_ != 0 || actor.role.failed_.erase(&actor) > 0;
  timers_.cancel(std::exchange(actor.retry_timer_, 0));
  if (waits) ready_.push(actor);
  // The event before those that wait was handled: its place is free.
  stamp(first);
  first.sequence = actor.queue_.empty() ? actor.handled_ : actor.queue_.front().event.sequence - 1;
  actor.handled_ = first.sequence - 1;
  actor.queue_.push_front({std::move(first)});
  if (!actor.busy_) go_on(actor);
}

// A version that is gone has handled it, or failed at it, and the one that is there shall.
void Runtime::handle_again(Turn& turn) {
  Actor& actor = *turn.actor;
  actor.drop_cached();
  if (auto first = first_again_.extract(&actor)) restart(actor, std::move(first.mapped()));
  ready_.push(actor);
}

// One that has not returned yet is named when it is too slow, ten times too slow and so on, and when it is stuck.
void Runtime::complain_of_slow() {
  for (Away& away : away_) {
    if (now_.steady < away.complain) continue;
    name_slow(away, now_.steady, "has been running for");
    const auto elapsed = now_.steady - away.since;
    // It may never return, and who looks for errors must see that.
    if (!away.is_error && elapsed >= kStuck) ++away.logic->errors;
    away.is_error = elapsed >= kStuck;
    away.complain = away.since + (away.is_error ? elapsed * 10 : std::min<SteadyTime::duration>(elapsed * 10, kStuck));
  }
}

void Runtime::name_slow(const Away& away, SteadyTime now, std::string_view how) {
  const Actor& actor = *away.actor;
  complaints_.warning("{} {} {}: event {:#x} of {} {} {} {} ms", actor.served_by(), away.logic->id(),
                      away.logic->version(), away.event->kind, actor.type, log::printable(actor.address), how,
                      std::chrono::duration_cast<std::chrono::milliseconds>(now - away.since).count());
}

}  // namespace botel::runtime
