#include "store/slow_commits.hpp"

#include <doctest/doctest.h>

using namespace botel;
using namespace std::chrono_literals;

TEST_CASE("slow commits: the first is news, and the next after a minute without one") {
  Counters counters;
  store::SlowCommits slow(counters);
  const SteadyTime begin{};
  CHECK_FALSE(slow.is_news(999ms, begin));
  CHECK(slow.is_news(1s, begin));
  CHECK_FALSE(slow.is_news(1s, begin + 1s));
  CHECK_FALSE(slow.is_news(5s, begin + 60s));
  CHECK_FALSE(slow.is_news(5s, begin + 119s));
  CHECK_FALSE(slow.is_news(1ms, begin + 150s));
  CHECK(slow.is_news(1s, begin + 179s));
}

TEST_CASE("slow commits: each counts once, when it is done") {
  Counters counters;
  store::SlowCommits slow(counters);
  for (const auto taken : {0ms, 999ms, 1000ms, 50'000ms}) slow.done(taken);
  CHECK(counters.all()[0].value() == 2);
}
