// Who talks: a room, a connector. The host owns what it remembers; a plugin's logic says what happens next.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "runtime/event.hpp"
#include "runtime/logic.hpp"
#include "runtime/timers.hpp"

namespace botel::runtime {

class Actor;

// The protocol that an actor speaks: it makes the effects happen.
class Port {
 public:
  virtual ~Port() = default;

  // Whether an effect that is the protocol's own is well-formed: BOTEL_OK, BOTEL_E_INVALID, or BOTEL_E_UNSUPPORTED for
  // kinds that it does not know. [any thread]
  [[nodiscard]] virtual std::int32_t check(const botel_effect& effect) const = 0;

  // An event was handled and committed, or has failed for good. Its effects follow. [driver]
  virtual void handled(Actor& actor, const Event& event, bool committed) = 0;

  // Makes one effect happen, in the order made and when its delay is over. [driver]
  virtual void perform(Actor& actor, Effect& effect) = 0;
};

// Owned by its protocol, run by Runtime. All of it is the driver's, but for what is const and what a Turn carries.
class Actor {
 public:
  // `info`: JSON, see botel_call.info. `type`: BOTEL_ACTOR_..., a literal.
  Actor(Port& port, std::string_view type, std::string address, std::string info, std::shared_ptr<Logic> logic)
      : port(port), type(type), address(std::move(address)), info(std::move(info)), logic_(std::move(logic)) {}
  ~Actor() {
    if (cached_) logic_->drop(cached_);
  }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  Port& port;
  const std::string_view type;
  const std::string address;
  const std::string info;

  // What the last committed event left. Not changed while a handler runs. [actor]
  [[nodiscard]] const std::string& state() const { return state_; }
  [[nodiscard]] std::uint32_t state_schema() const { return state_schema_; }
  [[nodiscard]] Logic& logic() const { return *logic_; }
  // Events that wait for their turn.
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }

 private:
  friend class Runtime;

  std::shared_ptr<Logic> logic_;
  std::string state_;
  std::uint32_t state_schema_ = 0;
  void* cached_ = nullptr;

  std::list<Event> queue_;
  std::uint64_t sequence_ = 0;
  bool busy_ = false;       // waiting for its turn, in it, or waiting to try an event again
  bool held_ = false;       // effects wait, whatever their delays
  std::list<Effect> lane_;  // committed effects that have not left yet
  Timers::Id lane_timer_ = 0;
  Timers::Id retry_timer_ = 0;
  std::map<std::uint64_t, Timers::Id> timers_;  // the plugin's own, by tag
};

}  // namespace botel::runtime
