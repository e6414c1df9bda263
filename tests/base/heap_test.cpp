#include "base/heap.hpp"

#include <doctest/doctest.h>

using namespace botel;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMega = 1 << 20;

HeapUse use(std::size_t resident, std::size_t used) { return {resident * kMega, used * kMega}; }

}  // namespace

TEST_CASE("heap: memory is given back where much is free") {
  HeapRule rule;
  const SteadyTime now{};
  CHECK_FALSE(rule.is_due(use(20, 15), now));
  CHECK_FALSE(rule.is_due(use(300, 290), now));
  CHECK_FALSE(rule.is_due(use(10, 400), now));
  CHECK(rule.is_due(use(300, 15), now));
}

TEST_CASE("heap: what had to stay is looked at again after a minute, and at once when there is much more") {
  HeapRule rule;
  SteadyTime now{};
  REQUIRE(rule.is_due(use(90, 15), now));
  rule.given_back(use(80, 15), now);
  CHECK_FALSE(rule.is_due(use(80, 15), now + 59s));
  CHECK(rule.is_due(use(80, 15), now + 60s));
  CHECK_FALSE(rule.is_due(use(96, 15), now + 1s));
  CHECK(rule.is_due(use(97, 15), now + 1s));
}

TEST_CASE("heap: what had to stay counts no more once it is in use again") {
  HeapRule rule;
  const SteadyTime now{};
  rule.given_back(use(100, 20), now);
  CHECK_FALSE(rule.is_due(use(100, 95), now));
  CHECK(rule.is_due(use(100, 70), now));
}
