// A bot for tests of the host, made of a function: what crosses the ABI without a plugin file.
#pragma once

#include <botel/abi.h>
#include <botel/ext/room.h>
#include <botel/ext/timer.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/logic.hpp"
#include "runtime/runtime.hpp"

class FakeBot {
 public:
  using Handle = std::function<std::int32_t(const botel_call& call, const botel_event& event)>;

  Handle handle = [](const botel_call&, const botel_event&) { return BOTEL_OK; };
  int dropped = 0;  // cached objects

  // Valid as long as this. `oldest`, `written`: of its states' schemas.
  std::shared_ptr<botel::runtime::Logic> logic(const char* id = "fake", std::uint32_t written = 3,
                                               std::uint32_t oldest = 1) {
    botel_descriptor& descriptor = *descriptors_.emplace_back(std::make_unique<botel_descriptor>(kDescriptor));
    descriptor.id = id;
    descriptor.schema_written = written;
    descriptor.schema_oldest = oldest;
    making_ = this;
    return botel::runtime::Logic::create(descriptor, "{}", nullptr).value();
  }
  // Whom it serves.
  botel::runtime::Role& role(botel::runtime::Runtime& runtime, const char* id = "fake") {
    auto& role = *roles_.emplace_back(std::make_unique<botel::runtime::Role>(id));
    runtime.take_over(role, logic(id));
    return role;
  }

  static std::string_view view(botel_str text) { return {text.ptr, text.len}; }

  static botel_effect effect(std::int32_t kind, std::string_view payload = {}) {
    botel_effect effect{};
    effect.size = sizeof effect;
    effect.kind = kind;
    effect.format = BOTEL_FORMAT_TEXT;
    effect.payload = {payload.data(), payload.size()};
    return effect;
  }
  static std::int32_t emit(const botel_call& call, const botel_effect& effect) {
    return call.host->emit(&call, &effect);
  }
  static std::int32_t say(const botel_call& call, std::string_view text, std::int64_t delay_ms = 0) {
    botel_effect say = effect(BOTEL_ROOM_SAY, text);
    say.delay_ms = delay_ms;
    return emit(call, say);
  }

 private:
  static inline FakeBot* making_ = nullptr;
  static constexpr botel_descriptor kDescriptor = {sizeof(botel_descriptor),
                                                   BOTEL_BOT,
                                                   "fake",
                                                   "1.0.0",
                                                   3,
                                                   1,
                                                   nullptr,
                                                   [](const botel_host*, botel_str, void** instance) -> std::int32_t {
                                                     *instance = making_;
                                                     return BOTEL_OK;
                                                   },
                                                   [](void*) {},
                                                   [](void* self, const botel_call* call, const botel_event* event) {
                                                     return static_cast<FakeBot*>(self)->handle(*call, *event);
                                                   },
                                                   [](void* self, void*) { ++static_cast<FakeBot*>(self)->dropped; },
                                                   nullptr};
  std::vector<std::unique_ptr<botel_descriptor>> descriptors_;
  std::vector<std::unique_ptr<botel::runtime::Role>> roles_;
};

// Runs `runtime` on real threads until it has nothing left to do.
inline void settle(botel::runtime::Runtime& runtime) {
  botel::runtime::Workers* running = nullptr;
  botel::runtime::Workers workers(
      [&] {
        runtime.advance(runtime.now());
        if (!runtime.run(*running)) return false;
        if (!runtime.has_work() && runtime.away().empty()) running->stop();
        return true;
      },
      [] {}, 4);
  running = &workers;
  workers.run();
}
