// The memory that the process has of the system. What is freed stays the process's, as a rule: with the C library's
// arenas, what a hundred thousand rooms have used would be kept for ever.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/clock.hpp"

namespace botel {

struct HeapUse {
  std::size_t resident = 0;  // bytes that the system has given, without files
  std::size_t used = 0;      // of them, those that are in use
};

// When it is worthwhile to give memory back.
class HeapRule {
 public:
  // There is much that is free, and either much more than was left the last time, or a minute has passed: what was in
  // use beside it may be free by now.
  [[nodiscard]] bool is_due(const HeapUse& use, SteadyTime now);
  void given_back(const HeapUse& left, SteadyTime now);

 private:
  std::size_t kept_ = 0;
  SteadyTime again_{};
};

// Gives back what is free, where that is worthwhile. It may take some ten milliseconds: call it now and then, where
// there is nothing else to do. [driver]
class HeapTidier {
 public:
  void tidy(SteadyTime now);

 private:
  HeapRule rule_;
};

}  // namespace botel
