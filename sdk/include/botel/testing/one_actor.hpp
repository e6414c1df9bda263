// One actor and the host around it, in a test: what Talk and Moca have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "effect.hpp"
#include "instance.hpp"
#include "lines.hpp"

namespace botel::testing {

// Time, seeds and numbers are the same in every run. Not for several threads.
class OneActor {
 public:
  virtual ~OneActor() = default;
  OneActor(const OneActor&) = delete;
  OneActor& operator=(const OneActor&) = delete;

  // Lets time pass: the timers that are due and the events that wait for a retry happen, in order.
  Lines advance(milliseconds by) {
    effects_.clear();
    Lines lines;
    const Time until = time_ + by;
    for (int events = 0; next(until, lines); ++events) {
      if (events == kManyEvents) throw Error("the timers never let time pass");
    }
    time_ = until;
    return lines;
  }

  // What the last call committed, besides the state.
  const std::vector<Effect>& effects() const { return effects_; }

  const std::string& state() const { return actor_.state; }
  unsigned state_schema() const { return actor_.state_schema; }
  // Gives the actor a state, such as one that an older version wrote.
  void set_state(std::string state, unsigned schema = 1) {
    forget_cache();
    actor_.state = std::move(state);
    actor_.state_schema = schema;
  }
  // Drops what cached() keeps, as a host may do at any time.
  void forget_cache() { instance_->forget_cache(); }
  // Goes on with another version of the plugin, as after a reload.
  void reload(const botel_descriptor& descriptor, std::string_view config = "{}") {
    if (state_schema() != 0 &&
        (state_schema() < descriptor.schema_oldest || state_schema() > descriptor.schema_written)) {
      throw Error("the new version cannot read the states of the old one");
    }
    auto next = std::make_unique<Instance>(descriptor, check_, config);
    next->log() = std::move(instance_->log());
    instance_ = std::move(next);
  }

  // The clock, and the seed of the next event. Both have fixed values at first.
  Time time() const { return time_; }
  void set_time(Time time) { time_ = time; }
  void set_seed(std::uint64_t seed) { seed_ = seed; }

  // What the plugin has logged.
  const std::vector<std::string>& log() const { return instance_->log(); }

 protected:
  OneActor(const botel_descriptor& descriptor, Check check, std::string_view config, Identity actor)
      : check_(check), instance_(std::make_unique<Instance>(descriptor, check, config)), actor_(std::move(actor)) {}

  // Hands over one event; the others that are due because of it follow.
  Lines happen(Event event) {
    effects_.clear();
    return queue(std::move(event));
  }
  Lines queue(Event event) {
    event.sequence = ++sequence_;
    event.time = time_;
    event.seed = seed_;
    seed_ += 0x9E3779B97F4A7C15;  // any odd number
    if (waiting_.empty()) return deliver(std::move(event));
    waiting_.push_back(std::move(event));
    return {"waits for the retry"};
  }
  void cancel_timer(std::uint64_t tag) { timers_.erase(tag); }
  // Nothing of it is to happen any more.
  void stop() {
    forget_cache();
    timers_.clear();
    waiting_.clear();
  }
  // It is as it was before its first event.
  void begin_anew() {
    stop();
    actor_.state.clear();
    actor_.state_schema = 0;
    sequence_ = 0;
  }

  // What comes of an effect of the actor's own kinds when its event commits: the lines that tell of it.
  virtual Lines take(const Event& event, const Effect& effect) = 0;
  // An event was handled, for better or worse. More lines.
  virtual Lines handled(const Event& event, bool committed) = 0;
  // When the host itself does something next.
  virtual std::optional<Time> next_due() const { return {}; }
  virtual Lines do_due() { return {}; }

  static void append(Lines& to, const Lines& lines) { to.insert(to.end(), lines.begin(), lines.end()); }
  static Event number_event(std::int32_t kind, milliseconds value) {
    return {.kind = kind, .format = BOTEL_FORMAT_TEXT, .payload = std::to_string(value.count())};
  }
  Identity& actor() { return actor_; }
  const botel_descriptor& descriptor() const { return instance_->descriptor(); }

 private:
  static constexpr int kManyEvents = 10'000;
  static constexpr Time kSomeDay{milliseconds(1'534'395'300'000)};
  static constexpr std::uint64_t kSomeSeed = 2018;

  // Does what is due next, if it is until then.
  bool next(Time until, Lines& lines) {
    const auto sooner = [](const auto& one, const auto& other) { return one.second < other.second; };
    const auto timer = std::min_element(timers_.begin(), timers_.end(), sooner);
    const Time timer_at = timer == timers_.end() ? Time::max() : timer->second;
    const Time retry_at = waiting_.empty() ? Time::max() : retry_at_;
    const Time own_at = next_due().value_or(Time::max());
    const Time due = std::min({timer_at, retry_at, own_at});
    if (due == Time::max() || due > until) return false;
    time_ = std::max(time_, due);
    if (due == own_at) {
      append(lines, do_due());
    } else if (due == retry_at) {
      Event event = std::move(waiting_.front());
      waiting_.pop_front();
      append(lines, deliver(std::move(event)));
    } else {
      const std::uint64_t tag = timer->first;
      timers_.erase(timer);
      append(lines, queue({.kind = BOTEL_TIMER_DUE, .tag = tag}));
    }
    return true;
  }

  // One event, one transaction.
  Lines deliver(Event event) {
    const std::int32_t result = instance_->run(event, actor_);
    const bool retry = result > BOTEL_RETRY_AFTER(0);
    if (retry && event.attempt < kMaxAttempts) {
      forget_cache();
      const milliseconds delay(result - BOTEL_RETRY_AFTER(0));
      retry_at_ = time_ + delay;
      ++event.attempt;
      waiting_.push_front(std::move(event));
      return {"retry after " + std::to_string(delay.count()) + " ms"};
    }
    Lines lines;
    if (result == BOTEL_OK) {
      lines = commit(event);
    } else {
      forget_cache();
      lines = {"failed: " + (retry ? "too many attempts" : instance_->why(result))};
    }
    append(lines, handled(event, result == BOTEL_OK));
    return lines;
  }

  Lines commit(const Event& event) {
    Lines lines;
    for (Effect& effect : std::exchange(instance_->effects(), {})) {
      if (effect.kind == BOTEL_EFFECT_STATE) {
        actor_.state = std::move(effect.payload);
        actor_.state_schema = descriptor().schema_written;
        continue;
      }
      if (effect.kind == BOTEL_TIMER_SET) timers_[effect.tag] = time_ + effect.delay;
      if (effect.kind == BOTEL_TIMER_CANCEL) timers_.erase(effect.tag);
      const bool is_timer = effect.kind == BOTEL_TIMER_SET || effect.kind == BOTEL_TIMER_CANCEL;
      append(lines, is_timer ? Lines{timer_line(effect)} : take(event, effect));
      effects_.push_back(std::move(effect));
    }
    return lines;
  }

  const Check check_;
  std::unique_ptr<Instance> instance_;

  Identity actor_;
  std::map<std::uint64_t, Time> timers_;
  std::deque<Event> waiting_;  // the first waits until retry_at_, the others for it
  Time retry_at_{};
  std::uint64_t sequence_ = 0;

  Time time_ = kSomeDay;
  std::uint64_t seed_ = kSomeSeed;

  std::vector<Effect> effects_;  // of the last call
};

}  // namespace botel::testing
