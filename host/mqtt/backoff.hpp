// How long to wait before the next try to connect: longer after each one that fails, up to half a minute, and never
// quite the same, so that many clients of one broker do not all come at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>

#include "base/clock.hpp"

namespace botel::mqtt {

class Backoff {
 public:
  using milliseconds = std::chrono::milliseconds;
  static constexpr milliseconds kFirst{250};
  static constexpr milliseconds kLongest{30'000};
  // A broker that takes us in only to throw us out is not one that is back.
  static constexpr milliseconds kLasting{1000};

  explicit Backoff(std::uint32_t seed = std::random_device{}()) : random_(seed) {}

  void connected(SteadyTime now) { connected_at_ = now; }

  // A try has failed, or the connection is lost: the pause before the next try.
  [[nodiscard]] milliseconds failed(SteadyTime now) {
    if (connected_at_) {
      unreached_ = 0;
      short_ = now - *connected_at_ >= kLasting ? 0 : short_ + 1;
      connected_at_.reset();
    } else {
      ++unreached_;
    }
    const unsigned failures = std::clamp(std::max(unreached_, short_), 1u, 10u);
    const milliseconds longest = std::min(kLongest, kFirst * (1 << (failures - 1)));
    return milliseconds(std::uniform_int_distribution<long>(longest.count() / 2, longest.count())(random_));
  }

  // The next pause is a short one.
  void reset() { unreached_ = short_ = 0; }

 private:
  unsigned unreached_ = 0;  // tries since the last connection that have reached nobody
  unsigned short_ = 0;      // connections in a row that did not last
  std::optional<SteadyTime> connected_at_;
  std::minstd_rand random_;
};

}  // namespace botel::mqtt
