// What a handler of bots and connectors alike is given: the actor that an event came from. See bot.hpp, connector.hpp.
#pragma once

#include <botel/abi.h>
#include <botel/ext/timer.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "error.hpp"

namespace botel {

using std::chrono::milliseconds;
using Time = std::chrono::sys_time<milliseconds>;

// Throw it to undo all that the handler did, and to get the same event again later (after 1 ms to 12 days).
struct RetryAfter {
  milliseconds delay;
};

namespace detail {

inline botel_str borrow(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(botel_str text) {
  return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}

inline long long number(botel_str text) {
  long long value = 0;
  for (const char digit : view(text)) {
    if (digit < '0' || digit > '9' || value > INT64_MAX / 10 - 10) return value;
    value = value * 10 + (digit - '0');
  }
  return value;
}

// An object that Actor::cached left with an actor.
struct Cached {
  virtual ~Cached() = default;
};
template <class T>
struct CachedValue : Cached {
  explicit CachedValue(T made) : value(std::move(made)) {}
  T value;
};

}  // namespace detail

// A room of a bot, or an account of a connector: what it remembers, and what shall happen to it once the handler
// returns. Valid until the handler returns. An effect that the host refuses throws botel::Error. [actor]
class Actor {
 public:
  Actor(const botel_call& call, const botel_event& event) : call_(call), event_(event) {}
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  // A timer of this actor; `tag` comes back in on_timer. Setting it again replaces it. A negative delay is none.
  void set_timer(std::uint64_t tag, milliseconds delay) {
    botel_effect effect = make(BOTEL_TIMER_SET);
    effect.tag = tag;
    effect.delay_ms = std::max(delay, milliseconds(0)).count();
    emit(effect);
  }
  void cancel_timer(std::uint64_t tag) {
    botel_effect effect = make(BOTEL_TIMER_CANCEL);
    effect.tag = tag;
    emit(effect);
  }

  // What the actor remembers: bytes of the plugin's choice, empty at first. save() is seen from the next event on.
  std::string_view state() const { return detail::view(call_.state); }
  unsigned state_schema() const { return call_.state_schema; }
  void save(std::string_view state) {
    botel_effect effect = make(BOTEL_EFFECT_STATE);
    effect.payload = detail::borrow(state);
    emit(effect);
  }

  // An object that is costly to make from the state, kept between events as long as the host likes. It must hold
  // nothing that the state does not: when it is gone, `make()` makes it anew. Always the same T in one bot or
  // connector.
  template <class T, class Make>
  T& cached(Make make) {
    if (!cached_) cached_ = static_cast<detail::Cached*>(call_.cached);
    if (!cached_) {
      auto made = std::make_unique<detail::CachedValue<T>>(make());
      check(call_.host->attach(&call_, static_cast<detail::Cached*>(made.get())));
      cached_ = made.release();
    }
    return static_cast<detail::CachedValue<T>*>(cached_)->value;
  }

  std::string_view address() const { return detail::view(call_.address); }
  // JSON, the same as long as the actor lives. A room: {"context": {...}, "user": {...} or null}
  std::string_view info() const { return detail::view(call_.info); }
  // When the event happened. Use no other clock: an event must always have the same effects.
  Time time() const { return Time(milliseconds(event_.time_ms)); }
  // The event's own randomness. Use no other.
  std::mt19937_64 random() const { return std::mt19937_64(event_.seed); }
  const botel_event& event() const { return event_; }

  // A line in the host's log: neither secrets nor what users write belong there.
  void log(std::string_view line, int level = BOTEL_LOG_INFO) const {
    call_.host->log(call_.host, level, detail::borrow(line));
  }

 protected:
  ~Actor() = default;

  const botel_call& call() const { return call_; }
  static botel_effect make(std::int32_t kind) {
    botel_effect effect{};
    effect.size = sizeof effect;
    effect.kind = kind;
    return effect;
  }
  void emit(const botel_effect& effect) { check(call_.host->emit(&call_, &effect)); }
  static void check(std::int32_t result) {
    switch (result) {
      case BOTEL_OK: return;
      case BOTEL_E_INVALID: throw Error("the host refused an effect: it is malformed");
      case BOTEL_E_UNSUPPORTED: throw Error("the host refused an effect: it does not know it here");
      case BOTEL_E_LIMIT: throw Error("the host refused an effect: too many or too large in one call");
      default: throw Error("the host refused an effect: error " + std::to_string(result));
    }
  }

 private:
  const botel_call& call_;
  const botel_event& event_;
  detail::Cached* cached_ = nullptr;
};

}  // namespace botel
