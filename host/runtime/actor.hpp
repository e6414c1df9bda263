// Who talks: a room, a connector. The host owns what it remembers; a plugin's logic says what happens next.
#pragma once

#include <botel/abi.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/event.hpp"
#include "runtime/role.hpp"
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

  // Takes an effect that happens at the commit, whatever delays others have. False: it leaves in its turn. [driver]
  [[nodiscard]] virtual bool take(Actor& /*actor*/, Effect& /*effect*/) { return false; }

  // What the actor keeps to itself under a name; null: nothing. [actor]
  [[nodiscard]] virtual const std::string* secret(const Actor& /*actor*/, std::string_view /*name*/) const {
    return nullptr;
  }

  // Whether an event is still to be handled: asked each time before a handler begins. One that is not is dropped, as if
  // it had failed. [driver]
  [[nodiscard]] virtual bool is_wanted(const Actor& /*actor*/, const Event& /*event*/) const { return true; }

  // Takes out of a dead letter what nobody may read. [driver]
  virtual void censor(Event& /*letter*/) const {}

  // An event was handled and committed, or has failed for good: then the error is what the plugin says of it, or empty.
  // Its effects follow. [driver]
  virtual void handled(Actor& actor, const Event& event, const Result<>& committed) = 0;

  // Makes one effect happen, in the order made and when its delay is over. [driver]
  virtual void perform(Actor& actor, Effect& effect) = 0;

  // What the store keeps for the protocol, as JSON: what the actor was made of, and what has become of it (see
  // Runtime::touch). [driver]
  [[nodiscard]] virtual std::string origin(const Actor& actor) const = 0;
  [[nodiscard]] virtual std::string progress(const Actor& actor) const = 0;
};

// Owned by its protocol, run by Runtime. All of it is the driver's, but for what is const and what a Turn carries.
class Actor {
 public:
  // `info`: JSON, see botel_call.info. `type`: BOTEL_ACTOR_..., a literal.
  Actor(Port& port, std::string_view type, std::string address, std::string info, Role& role)
      : port(port), type(type), address(std::move(address)), info(std::move(info)), role(role) {
    ++role.schemas_[state_schema_];
  }
  ~Actor() {
    set_schema(0);
    --role.schemas_[0];
    drop_cached();
  }
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  Port& port;
  const std::string_view type;
  const std::string address;
  const std::string info;
  Role& role;

  // What its role is to people.
  [[nodiscard]] std::string_view served_by() const { return type == BOTEL_ACTOR_CONNECTOR ? "connector" : "bot"; }
  // What the last committed event left. Not changed while a handler runs. [actor]
  [[nodiscard]] const std::string& state() const { return state_; }
  [[nodiscard]] std::uint32_t state_schema() const { return state_schema_; }
  // Nobody can handle its events now, nor is about to.
  [[nodiscard]] bool is_orphan() const { return role.is_gone() || !role.logic()->can_read(state_schema_); }
  // Events that are not handled yet.
  [[nodiscard]] std::size_t queued() const { return queue_.size() + spilled_; }

 private:
  friend class Runtime;

  // `stored`: as it is here.
  struct Queued {
    Event event;
    bool stored = false;
  };
  struct Leaving {
    Effect effect;
    SteadyTime due;
    std::uint64_t number;
    bool stored = false;
  };
  struct Timer {
    Timers::Id id;
    SteadyTime due;
  };

  void set_schema(std::uint32_t schema) {
    if (schema == state_schema_) return;
    if (--role.schemas_[state_schema_] == 0) role.schemas_.erase(state_schema_);
    ++role.schemas_[schema];
    state_schema_ = schema;
  }
  // What a handler attached, and whose handler.
  void keep_cached(void* object, std::shared_ptr<Logic> by) {
    cached_ = object;
    if (!object) return;
    cached_by_ = std::move(by);
    holder_ = cached_by_->holders.insert(cached_by_->holders.end(), this);
  }
  void* take_cached() {
    if (cached_) cached_by_->holders.erase(holder_);
    cached_by_.reset();
    return std::exchange(cached_, nullptr);
  }
  void drop_cached() {
    const auto by = cached_by_;
    if (void* const object = take_cached()) by->drop(object);
  }

  std::string state_;
  std::uint32_t state_schema_ = 0;
  void* cached_ = nullptr;
  std::shared_ptr<Logic> cached_by_;  // set where cached_ is
  std::list<Actor*>::iterator holder_;

  std::list<Queued> queue_;     // in order; the first one may be in its handler
  std::size_t spilled_ = 0;     // events behind those, which are in the store alone
  std::uint64_t sequence_ = 0;  // of the last event that came
  std::uint64_t handled_ = 0;   // of the last event that left the queue
  bool busy_ = false;           // waiting for its turn, in it, or waiting to try an event again
  bool in_turn_ = false;        // a handler of it runs
  bool hungry_ = false;         // waiting for the store to hand over what was spilled
  bool held_ = false;           // effects wait, whatever their delays
  std::list<Leaving> lane_;     // committed effects that have not left yet
  std::uint64_t last_number_ = 0;
  Timers::Id lane_timer_ = 0;
  Timers::Id retry_timer_ = 0;
  std::map<std::uint64_t, Timer> timers_;  // the plugin's own, by tag

  // What the store does not know yet.
  store::ActorId id_ = 0;  // 0: it has never heard of it
  bool unsaved_ = false;   // Runtime has it in its list
  bool stored_ = false;    // its record is there
  bool changed_ = false;   // its state, or what its protocol remembers
  std::set<std::uint64_t> changed_timers_;
};

}  // namespace botel::runtime
