// One run of a handler: one event of one actor, and what came of it until it is committed or thrown away.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/event.hpp"

namespace botel::runtime {

class Actor;
class Logic;

struct Turn {
  Actor* actor = nullptr;
  std::shared_ptr<Logic> logic;  // the version that handles it
  const Event* event = nullptr;  // the first one of the actor's queue: it stays there until the turn is over

  // What the handler did. Belongs to the thread that runs it.
  std::int32_t result = BOTEL_E_FAILED;
  std::vector<Effect> effects;
  std::optional<std::string> state;
  std::size_t bytes = 0;   // of all that it emitted
  void* cached = nullptr;  // what the actor has attached now
  std::string error;       // in the plugin's words
};

// What one event may cause.
inline constexpr std::size_t kMaxEffects = 1000;
inline constexpr std::size_t kMaxEffectBytes = 16 << 20;
inline constexpr std::uint32_t kMaxAttempts = 20;

// Events of one actor; what is above waits in the store, as far as that goes.
inline constexpr std::size_t kMostInMemory = 1000;
inline constexpr std::size_t kMostInStore = 1'000'000;

}  // namespace botel::runtime
