#include "runtime/runtime.hpp"

#include <botel/ext/timer.h>

#include <algorithm>

#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

namespace botel::runtime {
namespace {

// A handler that has not returned by then may never do so.
constexpr std::chrono::seconds kAddThread{1};

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

// The event's content: what comes again after a crash is another event, with the same content.
std::uint64_t task(const Actor& actor, const Event& event) {
  const std::uint64_t numbers = static_cast<std::uint64_t>(event.kind) << 32 ^ event.tag;
  return hash(event.payload, hash(event.detail, hash(actor.address, numbers)));
}

std::uint64_t task(const Turn& turn) { return task(*turn.actor, *turn.event); }

}  // namespace

Runtime::Runtime(RuntimeConfig config, Counters& counters, std::function<void()> wake, Time now)
    : config_(config),
      reserve_from_(config.threads - config.threads / 4),
      now_(now),
      clock_(now),
      wake_(std::move(wake)),
      secret_(random_number()),
      last_id_(clock_.ids_begin()),
      events_(counters.add("events_total", "Events handled")),
      failures_(counters.add("events_failed_total", "Events that a plugin failed to handle")),
      retries_(counters.add("events_retried_total", "Events that a plugin asked for again")),
      unwanted_(counters.add("events_unwanted_total", "Events that nobody waited for any more, and no plugin got")),
      taken_over_(counters.add("events_taken_over_total", "Handlers that ran so long that another thread took over")),
      slow_(counters.add("events_slow_total", "Handlers that ran longer than host.slow_handler")),
      dead_letters_(counters.add("events_dead_total",
                                 "Events that crashed the host, or never returned, and are not tried again")) {}

void Runtime::keep(store::Store* store, BlackBox* black_box) {
  store_ = store;
  black_box_ = black_box;
}

void Runtime::advance(Time now) {
  now_ = now;
  take_back();
  give_up_old();
  complain_of_slow();
  timers_.advance(now.steady);
}

std::optional<SteadyTime> Runtime::next() const {
  auto next = timers_.next();
  for (const Away& away : away_) {
    const SteadyTime due = away.has_extra ? away.complain : std::min(away.complain, away.since + kAddThread);
    next = std::min(next.value_or(due), due);
  }
  const auto holds = [](const auto& logic) { return !logic->holders.empty(); };
  if (std::ranges::any_of(replaced_, holds)) next = now_.steady;
  return next;
}

void Runtime::stamp(Event& event) {
  event.id = new_id();
  event.time_ms = now_.unix_ms;
  event.seed = spread(secret_ ^ event.id);
}

void Runtime::post(Actor& actor, Event event) {
  stamp(event);
  event.sequence = ++actor.sequence_;
  if (store_ && (actor.spilled_ > 0 || actor.queue_.size() >= kMostInMemory)) return spill(actor, std::move(event));
  actor.queue_.push_back({std::move(event)});
  mark(actor);
  if (!actor.busy_) go_on(actor);
}

void Runtime::go_on(Actor& actor) {
  actor.busy_ = !actor.queue_.empty();
  if (actor.busy_) {
    ready_.push(actor);
  } else if (actor.spilled_ > 0 && !actor.hungry_ && actor.queue_.empty()) {
    actor.hungry_ = true;
    hungry_.push_back(&actor);
  }
}

bool Runtime::run(Workers& workers) {
  add_threads(workers);
  SteadyTime now = std::chrono::steady_clock::now();
  const SteadyTime until = now + config_.round;
  while (workers.can_lend()) {
    Actor* const actor = ready_.next(crowded());
    if (!actor) break;
    if (drop_unwanted(*actor) || set_aside(*actor)) continue;
    Turn turn = begin(*actor, now);
    if (condemned(turn)) {
      bury(turn);
      continue;
    }
    if (!workers.lend([&] { call(turn); })) {
      hand_back(std::move(turn));
      return false;
    }
    now = std::chrono::steady_clock::now();
    finish(turn, now);
    if (now > until) break;
  }
  return true;
}

// A bot whose handlers hang holds up their own actors only, and not all threads that it may have.
void Runtime::add_threads(Workers& workers) {
  for (Away& away : away_) {
    if (away.has_extra || extra_threads_ >= kMostExtraThreads || now_.steady - away.since < kAddThread) continue;
    away.has_extra = true;
    ++extra_threads_;
    ready_.back(*away.actor);
  }
  workers.set_extra(extra_threads_);
  workers.try_again(now_.steady);
}

// An actor whose state the logic cannot read waits for one that can.
bool Runtime::set_aside(Actor& actor) {
  if (actor.role.logic_->can_read(actor.state_schema_)) return false;
  ready_.begin(actor);
  ready_.back(actor);
  actor.role.stuck_.insert(&actor);
  return true;
}

// Who asked for it has been told that it failed: it must not happen afterwards.
bool Runtime::drop_unwanted(Actor& actor) {
  Turn turn;
  turn.actor = &actor;
  turn.event = &actor.queue_.front().event;
  if (actor.port.is_wanted(actor, *turn.event)) return false;
  ready_.begin(actor);
  ready_.back(actor);
  ++unwanted_;
  if (black_box_ && !black_box_->suspects().empty()) black_box_->done(task(turn));
  tell(turn, failure(""));
  return true;
}

Turn Runtime::begin(Actor& actor, SteadyTime now) {
  ready_.begin(actor);
  Turn turn;
  turn.actor = &actor;
  turn.logic = actor.role.logic_;
  turn.event = &actor.queue_.front().event;
  // What an older version attached is nothing for this one.
  if (actor.cached_by_ != turn.logic) actor.drop_cached();
  turn.cached = actor.take_cached();
  actor.in_turn_ = true;
  // Until it has returned it is away: whoever drives then must know.
  away_.push_back({&actor, turn.event, turn.logic.get(), now, now + config_.slow});
  return turn;
}

// On the thread that runs the handler; touches nothing of the driver's.
void Runtime::call(Turn& turn) const {
  Logic& logic = *turn.logic;
  if (!black_box_) return logic.handle(turn);
  black_box_->begin(
      task(turn),
      {turn.actor->served_by(), " ", logic.id(), ", ", turn.actor->type, " ", turn.actor->address, ", event "},
      static_cast<std::uint32_t>(turn.event->kind));
  logic.handle(turn);
  black_box_->end();
}

std::vector<std::uint64_t> Runtime::tasks_begun_after(SteadyTime time) const {
  std::vector<std::uint64_t> tasks;
  for (const Away& away : away_) {
    if (away.since > time) tasks.push_back(task(*away.actor, *away.event));
  }
  return tasks;
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
    ++taken_over_;
    finish(turn, now_.steady);
  }
}

void Runtime::finish(Turn& turn, SteadyTime now) {
  const auto away = std::ranges::find(away_, turn.actor, &Away::actor);
  if (now - away->since > config_.slow) {
    ++slow_;
    name_slow(*away, now, "took");
  }
  Actor& actor = *turn.actor;
  if (away->has_extra) {
    --extra_threads_;
  } else {
    ready_.back(actor);
  }
  away_.erase(away);
  ++events_;
  ++turn.logic->calls;
  actor.in_turn_ = false;
  if (black_box_ && !black_box_->suspects().empty()) black_box_->done(task(turn));
  actor.keep_cached(turn.cached, turn.logic);
  const Role& role = actor.role;
  if (turn.logic != role.logic_) actor.drop_cached();
  const bool writes_unreadable =
      turn.result == BOTEL_OK && turn.state && role.logic_ && !role.logic_->can_read(turn.logic->schema_written());
  if (first_again_.contains(&actor) || writes_unreadable) {
    handle_again(turn);
  } else if (turn.result == BOTEL_OK) {
    commit(turn);
  } else if (!retry(turn) && !put_off(turn) && !pass_on(turn)) {
    fail(turn);
  }
}

void Runtime::commit(Turn& turn) {
  Actor& actor = *turn.actor;
  if (turn.state) {
    actor.state_ = std::move(*turn.state);
    actor.set_schema(turn.logic->schema_written());
  }
  for (Effect& effect : turn.effects) {
    switch (effect.kind) {
      case BOTEL_TIMER_SET: set_timer(actor, effect.tag, now_.steady + effect.delay); break;
      case BOTEL_TIMER_CANCEL: cancel_timer(actor, effect.tag); break;
      default:
        if (!actor.port.take(actor, effect)) queue(actor, std::move(effect));
    }
  }
  tell(turn, {});
}

// `why`: what the host says of it, where that is not up to the plugin.
void Runtime::fail(Turn& turn, std::string_view why) {
  std::string words(why.empty() ? std::string_view(turn.error) : why);
  if (why.empty() && retry_delay(turn.result)) words = fmt::format("it was tried {} times", turn.event->attempt);
  note_failure(turn, words, "");
  turn.actor->drop_cached();
  tell(turn, failure("{}", turn.error));
}

void Runtime::note_failure(const Turn& turn, std::string_view words, std::string_view what_next) {
  const Actor& actor = *turn.actor;
  ++failures_;
  if (turn.logic) ++turn.logic->errors;
  complaints_.warning("{} {} {}: event {:#x} of {} {} failed with {}{}{}{}", actor.served_by(), actor.role.name(),
                      turn.logic ? turn.logic->version() : "", turn.event->kind, actor.type,
                      log::printable(actor.address), turn.result, words.empty() ? "" : ": ", words, what_next);
}

// A version that is on probation may be rolled back, and then the one before handles what it could not.
bool Runtime::put_off(Turn& turn) {
  Actor& actor = *turn.actor;
  Role& role = actor.role;
  if (!role.on_probation_ || turn.logic != role.logic_) return false;
  note_failure(turn, turn.error, "; it waits until its version is rolled back, or has passed its probation");
  actor.drop_cached();
  role.failed_.emplace(&actor, std::move(turn.error));
  return true;
}

// Where that has happened while its handler ran. No logic serves again once it is replaced, so that this ends.
bool Runtime::pass_on(Turn& turn) {
  if (turn.logic == turn.actor->role.logic_ || !turn.logic->replaced_on_probation) return false;
  note_failure(turn, turn.error, "; its version has been replaced, and another one handles it");
  handle_again(turn);
  return true;
}

void Runtime::retry_failed(Role& role) {
  for (const auto& [actor, error] : std::exchange(role.failed_, {})) ready_.push(*actor);
}

void Runtime::give_up_failed(Role& role) {
  while (!role.failed_.empty()) {
    const auto first = role.failed_.extract(role.failed_.begin());
    fail_waiting(*first.key(), first.mapped());
  }
}

// Of what had failed before, and was counted then.
void Runtime::fail_waiting(Actor& actor, const std::string& error) {
  Turn turn;
  turn.actor = &actor;
  turn.event = &actor.queue_.front().event;
  tell(turn, failure("{}", error));
}

bool Runtime::retry(Turn& turn) {
  const auto delay = retry_delay(turn.result);
  if (!delay || turn.event->attempt >= kMaxAttempts) return false;
  Actor& actor = *turn.actor;
  ++retries_;
  actor.drop_cached();
  Actor::Queued& first = actor.queue_.front();
  ++first.event.attempt;
  first.stored = false;
  mark(actor);
  actor.retry_timer_ = timers_.set(now_.steady + *delay, [this, &actor] {
    actor.retry_timer_ = 0;
    ready_.push(actor);
  });
  return true;
}

void Runtime::give_up_retry(Actor& actor) {
  if (const auto failed = actor.role.failed_.extract(&actor)) return fail_waiting(actor, failed.mapped());
  if (actor.retry_timer_ == 0) return;
  timers_.cancel(std::exchange(actor.retry_timer_, 0));
  Turn turn;
  turn.actor = &actor;
  turn.logic = actor.role.logic_;
  turn.event = &actor.queue_.front().event;
  fail(turn, "there is no time to try it again");
}

// Of an event that was running at a crash; the others say so, too.
bool Runtime::condemned(Turn& turn) {
  if (!black_box_ || black_box_->suspects().empty()) return false;
  const auto suspect = std::ranges::find(black_box_->suspects(), task(turn), &BlackBox::Suspect::task);
  if (suspect == black_box_->suspects().end()) return false;
  Event& event = turn.actor->queue_.front().event;
  event.attempt = std::max(event.attempt, 1 + suspect->crashes + suspect->ends);
  event.flags |= BOTEL_EVENT_REDELIVERED;
  return suspect->condemned();
}

// An event that was running when the host crashed, again and again: it is kept for people to look at.
void Runtime::bury(Turn& turn) {
  Actor& actor = *turn.actor;
  const std::uint64_t which = task(turn);
  store_ ? buried_.push_back(which) : black_box_->done(which);
  away_.pop_back();
  actor.in_turn_ = false;
  actor.keep_cached(turn.cached, turn.logic);
  ready_.back(actor);
  ++dead_letters_;
  constexpr std::string_view why =
      "it was running when the host crashed, or had not returned when it stopped, more than once, and is a dead letter "
      "now";
  if (store_) {
    store::DeadLetter letter{now_.unix_ms,      std::string(actor.type), actor.address,
                             actor.role.name(), std::string(why),        *turn.event};
    actor.port.censor(letter.event);
    changes_.dead_letters.push_back(std::move(letter));
  }
  fail(turn, why);
}

// The protocol hears of a commit before the effects leave: a room answers its start before its first word. It may
// retire the actor.
void Runtime::tell(Turn& turn, const Result<>& committed) {
  Actor& actor = *turn.actor;
  const Event event = take_first(actor);
  go_on(actor);
  told_ = &actor;
  actor.port.handled(actor, event, committed);
  if (std::exchange(told_, nullptr)) pump(actor);
}

Event Runtime::take_first(Actor& actor) {
  Actor::Queued first = std::move(actor.queue_.front());
  actor.queue_.pop_front();
  actor.handled_ = first.event.sequence;
  mark_changed(actor);
  if (first.stored) changes_.inbox_gone.emplace_back(actor.id_, actor.handled_);
  return std::move(first.event);
}

void Runtime::retire(Actor& actor) {
  if (actor.busy_) ready_.remove(actor);
  actor.role.stuck_.erase(&actor);
  actor.role.failed_.erase(&actor);
  first_again_.erase(&actor);
  for (const auto& [tag, timer] : actor.timers_) timers_.cancel(timer.id);
  timers_.cancel(actor.lane_timer_);
  timers_.cancel(actor.retry_timer_);
  actor.timers_.clear();
  actor.queue_.clear();
  actor.lane_.clear();
  forget(actor);
  if (told_ == &actor) told_ = nullptr;
}

}  // namespace botel::runtime
