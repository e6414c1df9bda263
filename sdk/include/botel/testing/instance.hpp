// One version of a bot or a connector, made and called as a host does it.
#pragma once

#include <botel/abi.h>
#include <botel/ext/connector.h>
#include <botel/ext/room.h>
#include <botel/ext/timer.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "../actor.hpp"
#include "../error.hpp"
#include "effect.hpp"

namespace botel::testing {

// A botel_event that owns what it holds.
struct Event {
  std::int32_t kind = 0;
  std::uint64_t tag = 0;
  std::uint64_t reply = 0;
  std::int32_t format = 0;
  std::int32_t status = 0;
  std::string payload = {};
  std::string detail = {};
  std::uint64_t sequence = 0;
  std::uint32_t attempt = 1;
  Time time = {};
  std::uint64_t seed = 0;
};

using Secrets = std::map<std::string, std::string, std::less<>>;

// An actor, as a handler sees it.
struct Identity {
  std::string type, address, info;
  std::string state = {};
  unsigned state_schema = 0;
  Secrets secrets = {};
};

// An instance of a bot or a connector, and the host that it sees.
class Instance {
 public:
  // Throws Error when the plugin refuses the configuration.
  Instance(const botel_descriptor& descriptor, Check check, std::string_view config)
      : descriptor_(descriptor), check_(check) {
    if (!json::parse(config).IsObject()) throw Error("a configuration is a JSON object");
    const std::string copy(config);
    const std::int32_t result = descriptor_.create(&host_, botel::detail::borrow(copy), &instance_);
    const std::string what = descriptor_.kind == BOTEL_CONNECTOR ? "connector" : "bot";
    if (result != BOTEL_OK) throw Error("the " + what + " was not created: " + why(result));
  }
  ~Instance() {
    forget_cache();
    descriptor_.destroy(instance_);
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const botel_descriptor& descriptor() const { return descriptor_; }

  // Runs the handler once; effects() is what it emitted, whatever it returned.
  std::int32_t run(const Event& event, const Identity& actor) {
    // Copies on the heap, so that a sanitizer finds a plugin that keeps what it only borrowed.
    const auto lent = std::make_unique<const Lent>(Lent{event, actor});
    const botel_event lent_event = borrow(lent->event);
    botel_call& call = calls_.emplace_back();
    call = {sizeof call,
            lent->actor.state_schema,
            &host_,
            botel::detail::borrow(lent->actor.type),
            botel::detail::borrow(lent->actor.address),
            botel::detail::borrow(lent->actor.info),
            botel::detail::borrow(lent->actor.state),
            cached_};
    secrets_ = &lent->actor.secrets;
    error_.clear();
    effects_.clear();
    bytes_ = 0;
    handler_thread_ = std::this_thread::get_id();
    current_ = &call;
    const std::int32_t result = descriptor_.handle(instance_, &call, &lent_event);
    current_ = nullptr;
    call.type = call.address = call.info = call.state = {};
    call.cached = nullptr;
    return result;
  }

  std::vector<Effect>& effects() { return effects_; }
  // Why the last function failed that returned `result`.
  std::string why(std::int32_t result) const { return error_.empty() ? "error " + std::to_string(result) : error_; }
  std::vector<std::string>& log() { return log_; }

  void forget_cache() {
    if (cached_ != nullptr) descriptor_.drop(instance_, std::exchange(cached_, nullptr));
  }

 private:
  struct Lent {
    Event event;
    Identity actor;
  };

  static botel_event borrow(const Event& from) {
    botel_event event{};
    event.size = sizeof event;
    event.kind = from.kind;
    event.id = event.sequence = from.sequence;
    event.time_ms = from.time.time_since_epoch().count();
    event.seed = from.seed;
    event.reply = from.reply;
    event.tag = from.tag;
    event.attempt = from.attempt;
    event.format = from.format;
    event.status = from.status;
    event.payload = botel::detail::borrow(from.payload);
    event.detail = botel::detail::borrow(from.detail);
    return event;
  }

  static Instance& of(const botel_host* host) { return *static_cast<Instance*>(host->context); }

  bool outside(const botel_call* call) const {
    return call != current_ || std::this_thread::get_id() != handler_thread_.load();
  }
  std::int32_t emit(const botel_call* call, const botel_effect* effect) {
    if (outside(call)) return BOTEL_E_THREAD;
    Effect copy;
    const std::int32_t result = detail::take(effect, check_, copy);
    if (result != BOTEL_OK) return result;
    const std::size_t bytes = bytes_ + copy.payload.size() + copy.detail.size();
    if (effects_.size() >= kMaxEffects || bytes > kMaxEffectBytes) return BOTEL_E_LIMIT;
    bytes_ = bytes;
    effects_.push_back(std::move(copy));
    return BOTEL_OK;
  }
  std::int32_t attach(const botel_call* call, void* object) {
    if (outside(call)) return BOTEL_E_THREAD;
    if (descriptor_.drop == nullptr) return BOTEL_E_UNSUPPORTED;
    if (object != cached_) forget_cache();
    calls_.back().cached = cached_ = object;
    return BOTEL_OK;
  }
  std::int32_t secret(const botel_call* call, botel_str name, botel_str* value) const {
    if (outside(call)) return BOTEL_E_THREAD;
    if (!detail::readable(name) || value == nullptr) return BOTEL_E_INVALID;
    const auto found = secrets_->find(botel::detail::view(name));
    *value = found == secrets_->end() ? botel_str{nullptr, 0} : botel::detail::borrow(found->second);
    return BOTEL_OK;
  }
  void set_error(botel_str message) {
    const std::lock_guard lock(mutex_);
    error_ = detail::own(message);
  }
  void add_log(botel_str message) {
    const std::lock_guard lock(mutex_);
    log_.push_back(detail::own(message));
  }
  static const void* extension(std::string_view id) {
    static constexpr botel_room_v1 room{sizeof(botel_room_v1), 1};
    static constexpr botel_timer_v1 timer{sizeof(botel_timer_v1), 1};
    static constexpr botel_connector_v1 connector{
        sizeof(botel_connector_v1), 1, [](const botel_call* call, botel_str name, botel_str* value) {
          return call == nullptr ? BOTEL_E_THREAD : of(call->host).secret(call, name, value);
        }};
    if (id == BOTEL_ROOM) return &room;
    if (id == BOTEL_TIMER) return &timer;
    if (id == BOTEL_CONNECTOR_EXTENSION) return &connector;
    return nullptr;
  }

  const botel_descriptor descriptor_;
  const Check check_;
  const botel_host host_{sizeof(botel_host),
                         BOTEL_ABI_MAJOR,
                         BOTEL_ABI_MINOR,
                         0,
                         this,
                         [](const botel_call* call, const botel_effect* effect) {
                           return call == nullptr ? BOTEL_E_THREAD : of(call->host).emit(call, effect);
                         },
                         [](const botel_call* call, void* object) {
                           return call == nullptr ? BOTEL_E_THREAD : of(call->host).attach(call, object);
                         },
                         [](const botel_host* host, botel_str message) { of(host).set_error(message); },
                         [](const botel_host* host, std::int32_t, botel_str message) { of(host).add_log(message); },
                         [](const botel_host*, const char* id) { return extension(id); }};
  void* instance_ = nullptr;
  void* cached_ = nullptr;

  // Calls are kept, so that a plugin that uses one too late gets an error, not a crash.
  std::list<botel_call> calls_;
  std::atomic<const botel_call*> current_ = nullptr;
  std::atomic<std::thread::id> handler_thread_;
  std::vector<Effect> effects_;
  std::size_t bytes_ = 0;
  const Secrets* secrets_ = nullptr;  // of the actor of the current call

  std::mutex mutex_;  // of error_ and log_: a plugin may use them on any thread
  std::string error_;
  std::vector<std::string> log_;
};

}  // namespace botel::testing
