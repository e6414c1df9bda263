#include "runtime/runtime.hpp"

#include <botel/ext/timer.h>

#include <algorithm>
#include <random>

#include "base/log.hpp"

namespace botel::runtime {
namespace {

// How long handlers may run until what they did is written and the socket is looked at again.
constexpr std::chrono::milliseconds kRound{2};

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

// splitmix64: spreads consecutive ids over all 64-bit numbers.
std::uint64_t spread(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::optional<std::chrono::milliseconds> retry_delay(std::int32_t result) {
  if (result <= BOTEL_RETRY_AFTER(0)) return {};
  return std::chrono::milliseconds(result - BOTEL_RETRY_AFTER(0));
}

}  // namespace

Runtime::Runtime(Counters& counters, std::function<void()> wake)
    : now_(Time::now()),
      wake_(std::move(wake)),
      secret_(random_number()),
      // Above all ids of earlier runs, unless they had more than a million events a second.
      last_id_(static_cast<std::uint64_t>(now_.unix_ms) << 20),
      events_(counters.add("events_total", "Events handled")),
      failures_(counters.add("events_failed_total", "Events that a plugin failed to handle")),
      retries_(counters.add("events_retried_total", "Events that a plugin asked for again")),
      slow_(counters.add("events_slow_total", "Handlers that ran so long that another thread took over")) {}

void Runtime::advance(Time now) {
  now_ = now;
  take_back();
  timers_.advance(now.steady);
}

void Runtime::post(Actor& actor, Event event) {
  event.id = ++last_id_;
  event.sequence = ++actor.sequence_;
  event.time_ms = now_.unix_ms;
  event.seed = spread(secret_ ^ event.id);
  actor.queue_.push_back(std::move(event));
  if (!actor.busy_) go_on(actor);
}

void Runtime::go_on(Actor& actor) {
  actor.busy_ = !actor.queue_.empty();
  if (actor.busy_) ready_.push_back(&actor);
}

bool Runtime::run(Workers& workers) {
  const SteadyTime until = std::chrono::steady_clock::now() + kRound;
  while (!ready_.empty() && workers.can_lend()) {
    Turn turn = begin(*ready_.front());
    Logic& logic = turn.actor->logic();
    if (!workers.lend([&] { logic.handle(turn); })) {
      hand_back(std::move(turn));
      return false;
    }
    away_.pop_back();
    finish(turn);
    if (std::chrono::steady_clock::now() > until) break;
  }
  return true;
}

Turn Runtime::begin(Actor& actor) {
  ready_.pop_front();
  // Until it has returned it is away: whoever drives then must know.
  away_.push_back(&actor);
  Turn turn;
  turn.actor = &actor;
  turn.event = std::move(actor.queue_.front());
  turn.cached = actor.cached_;
  actor.queue_.pop_front();
  return turn;
}

void Runtime::hand_back(Turn turn) {
  {
    const std::lock_guard lock(mutex_);
    returned_.push_back(std::move(turn));
    any_returned_.store(true, std::memory_order_release);
  }
  wake_();
}

void Runtime::take_back() {
  if (!any_returned_.load(std::memory_order_acquire)) return;
  std::vector<Turn> returned;
  {
    const std::lock_guard lock(mutex_);
    returned.swap(returned_);
    any_returned_.store(false, std::memory_order_release);
  }
  for (Turn& turn : returned) {
    ++slow_;
    std::erase(away_, turn.actor);
    finish(turn);
  }
}

void Runtime::finish(Turn& turn) {
  Actor& actor = *turn.actor;
  ++events_;
  actor.cached_ = turn.cached;
  if (turn.result == BOTEL_OK) {
    commit(turn);
  } else if (retry(turn)) {
    return;
  } else {
    fail(turn);
  }
}

void Runtime::commit(Turn& turn) {
  Actor& actor = *turn.actor;
  if (turn.state) {
    actor.state_ = std::move(*turn.state);
    actor.state_schema_ = actor.logic_->schema_written();
  }
  for (Effect& effect : turn.effects) {
    switch (effect.kind) {
      case BOTEL_TIMER_SET: set_timer(actor, effect); break;
      case BOTEL_TIMER_CANCEL: cancel_timer(actor, effect.tag); break;
      default: actor.lane_.push_back(std::move(effect));
    }
  }
  tell(turn, true);
}

void Runtime::fail(Turn& turn) {
  Actor& actor = *turn.actor;
  ++failures_;
  if (retry_delay(turn.result)) turn.error = fmt::format("it was tried {} times", turn.event.attempt);
  const Logic& logic = actor.logic();
  complaints_.warning("bot {} {}: event {:#x} of {} {} failed with {}{}{}", logic.id(), logic.version(),
                      turn.event.kind, actor.type, log::printable(actor.address), turn.result,
                      turn.error.empty() ? "" : ": ", turn.error);
  drop_cached(actor);
  tell(turn, false);
}

bool Runtime::retry(Turn& turn) {
  const auto delay = retry_delay(turn.result);
  if (!delay || turn.event.attempt >= kMaxAttempts) return false;
  Actor& actor = *turn.actor;
  ++retries_;
  drop_cached(actor);
  ++turn.event.attempt;
  actor.queue_.push_front(std::move(turn.event));
  actor.retry_timer_ = timers_.set(now_.steady + *delay, [this, &actor] {
    actor.retry_timer_ = 0;
    ready_.push_back(&actor);
  });
  return true;
}

void Runtime::give_up_retry(Actor& actor) {
  if (actor.retry_timer_ == 0) return;
  timers_.cancel(std::exchange(actor.retry_timer_, 0));
  Turn turn;
  turn.actor = &actor;
  turn.event = std::move(actor.queue_.front());
  turn.error = "there is no time to try it again";
  actor.queue_.pop_front();
  fail(turn);
}

// The protocol hears of a commit before the effects leave: a room answers its start before its first word. It may
// retire the actor.
void Runtime::tell(Turn& turn, bool committed) {
  Actor& actor = *turn.actor;
  go_on(actor);
  told_ = &actor;
  actor.port.handled(actor, turn.event, committed);
  if (std::exchange(told_, nullptr)) pump(actor);
}

void Runtime::drop_cached(Actor& actor) {
  if (actor.cached_) actor.logic().drop(std::exchange(actor.cached_, nullptr));
}

void Runtime::pump(Actor& actor) {
  if (actor.held_ || actor.lane_timer_ != 0) return;
  while (!actor.lane_.empty()) {
    const auto delay = std::exchange(actor.lane_.front().delay, {});
    if (delay.count() > 0) {
      actor.lane_timer_ = timers_.set(now_.steady + delay, [this, &actor] {
        actor.lane_timer_ = 0;
        pump(actor);
      });
      return;
    }
    perform_first(actor);
  }
}

void Runtime::perform_first(Actor& actor) {
  Effect effect = std::move(actor.lane_.front());
  actor.lane_.pop_front();
  actor.port.perform(actor, effect);
}

void Runtime::release(Actor& actor) {
  actor.held_ = false;
  pump(actor);
}

void Runtime::flush(Actor& actor) {
  timers_.cancel(std::exchange(actor.lane_timer_, 0));
  while (!actor.lane_.empty()) perform_first(actor);
}

void Runtime::set_timer(Actor& actor, const Effect& effect) {
  cancel_timer(actor, effect.tag);
  actor.timers_[effect.tag] = timers_.set(now_.steady + effect.delay, [this, &actor, tag = effect.tag] {
    actor.timers_.erase(tag);
    post(actor, {.kind = BOTEL_TIMER_DUE, .tag = tag});
  });
}

void Runtime::cancel_timer(Actor& actor, std::uint64_t tag) {
  const auto timer = actor.timers_.extract(tag);
  if (!timer.empty()) timers_.cancel(timer.mapped());
}

void Runtime::retire(Actor& actor) {
  if (actor.busy_) std::erase(ready_, &actor);
  for (const auto& [tag, timer] : actor.timers_) timers_.cancel(timer);
  timers_.cancel(actor.lane_timer_);
  timers_.cancel(actor.retry_timer_);
  actor.timers_.clear();
  actor.queue_.clear();
  actor.lane_.clear();
  if (told_ == &actor) told_ = nullptr;
}

}  // namespace botel::runtime
