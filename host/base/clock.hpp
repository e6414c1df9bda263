// Time is passed in: one reading for a round of the host, and whatever a test chooses.
#pragma once

#include <chrono>
#include <cstdint>

namespace botel {

using SteadyTime = std::chrono::steady_clock::time_point;

struct Time {
  SteadyTime steady{};       // for delays
  std::int64_t unix_ms = 0;  // for what others see

  [[nodiscard]] static Time now() {
    using namespace std::chrono;
    return {steady_clock::now(), duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
  }
};

}  // namespace botel
