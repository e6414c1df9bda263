// Tells when a disk is too slow for what depends on it. [driver]
#pragma once

#include <chrono>
#include <utility>

#include "base/clock.hpp"
#include "base/counters.hpp"

namespace botel::store {

class SlowCommits {
 public:
  static constexpr std::chrono::seconds kLimit{1};
  static constexpr std::chrono::minutes kCalm{1};  // without a slow one, until the next one is news

  explicit SlowCommits(Counters& counters)
      : slow_(counters.add("store_commits_slow_total", "Batches whose commit took a second or more")) {}

  // One has been under way for so long. Whether it is slow, and that is news.
  [[nodiscard]] bool is_news(std::chrono::milliseconds taken, SteadyTime now) {
    return taken >= kLimit && now >= std::exchange(known_until_, now + kCalm);
  }
  void done(std::chrono::milliseconds taken) {
    if (taken >= kLimit) ++slow_;
  }

 private:
  SteadyTime known_until_ = SteadyTime::min();
  Counter& slow_;
};

}  // namespace botel::store
