// Time is passed in: one reading for a round of the host, and whatever a test chooses.
#pragma once

#include <algorithm>
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

// The host's own clock, in milliseconds, which never goes back: the times in the store are read on it. Within a run it
// advances with the steady clock, whatever becomes of the system's time. The next run goes on from the moment that was
// kept last, and adds the time since then as the system's clock has it: none where that was set back.
class HostClock {
 public:
  // On this clock, and in the system's time.
  struct Moment {
    std::int64_t host_ms = 0;
    std::int64_t unix_ms = 0;
  };

  // The first run begins with the system's time.
  explicit HostClock(const Time& now) : begin_(now.steady), begin_ms_(now.unix_ms) {}
  // Any other begins at least a millisecond after the one before it, so that it has ids of its own.
  HostClock(const Time& now, const Moment& kept)
      : begin_(now.steady), begin_ms_(kept.host_ms + std::max<std::int64_t>(now.unix_ms - kept.unix_ms, 1)) {}

  [[nodiscard]] std::int64_t ms(SteadyTime time) const {
    return begin_ms_ + std::chrono::ceil<std::chrono::milliseconds>(time - begin_).count();
  }
  [[nodiscard]] SteadyTime steady(std::int64_t ms) const { return begin_ + std::chrono::milliseconds(ms - begin_ms_); }
  [[nodiscard]] Moment moment(const Time& now) const { return {ms(now.steady), now.unix_ms}; }

  // The ids of this run are above this one, and above all of earlier runs, unless one of those had more than a million
  // a millisecond.
  [[nodiscard]] std::uint64_t ids_begin() const { return static_cast<std::uint64_t>(begin_ms_) << 20; }

 private:
  SteadyTime begin_;
  std::int64_t begin_ms_;
};

}  // namespace botel
