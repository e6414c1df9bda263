#include "moca/recent.hpp"

#include <doctest/doctest.h>

#include <string>

using botel::Digest;
using botel::SteadyTime;
using botel::moca::Recent;
using std::chrono::seconds;

namespace {

Digest key(std::uint64_t number) { return {0, number}; }

constexpr SteadyTime kBegin = SteadyTime{} + std::chrono::hours(1);

}  // namespace

TEST_CASE("recent: a request is known as long as it is under way, and for its time behind its answer") {
  Recent recent(seconds(60));
  CHECK(recent.find(key(1), kBegin) == nullptr);
  recent.begin(key(1), "demo/42");
  REQUIRE(recent.find(key(1), kBegin + seconds(1000)) != nullptr);
  CHECK_FALSE(recent.find(key(1), kBegin + seconds(1000))->answer);
  recent.answered(key(1), "{}", kBegin + seconds(1000));
  CHECK(recent.find(key(1), kBegin + seconds(1059))->answer == "{}");
  CHECK(recent.find(key(1), kBegin + seconds(1060)) == nullptr);
}

TEST_CASE("recent: what was forgotten and begun again has its whole time") {
  Recent recent(seconds(60));
  recent.begin(key(1), "demo/42");
  recent.answered(key(1), "a", kBegin);
  recent.forget(key(1));
  recent.begin(key(1), "demo/42");
  recent.answered(key(1), "b", kBegin + seconds(50));
  CHECK(recent.find(key(1), kBegin + seconds(70))->answer == "b");
  CHECK(recent.find(key(1), kBegin + seconds(110)) == nullptr);
}

TEST_CASE("recent: a connector that goes takes its requests along, and no others") {
  Recent recent(seconds(60));
  recent.begin(key(1), "demo/42");
  recent.begin(key(2), "demo/43");
  recent.answered(key(1), "{}", kBegin);
  recent.forget(std::string("demo/42"));
  CHECK(recent.find(key(1), kBegin) == nullptr);
  CHECK(recent.find(key(2), kBegin) != nullptr);
}

TEST_CASE("recent: connectors that go do not look through what is remembered of all") {
  Recent recent(seconds(60));
  for (std::uint64_t number = 1; number <= 40'000; ++number) {
    recent.begin(key(number), "demo/" + std::to_string(number));
    recent.answered(key(number), "[]", kBegin);
  }
  // 40,000 times 20,000 would take minutes.
  for (std::uint64_t number = 1; number <= 40'000; ++number) recent.forget("demo/" + std::to_string(number));
  CHECK(recent.size() == 0);
  CHECK(recent.bytes() == 0);
}

TEST_CASE("recent: when answers take too much memory the oldest go, but nothing that is under way") {
  Recent recent(seconds(60));
  recent.begin(key(0), "demo/42");
  for (std::uint64_t number = 1; number <= 40; ++number) {
    recent.begin(key(number), "demo/42");
    recent.answered(key(number), std::string(1 << 20, 'x'), kBegin);
  }
  CHECK(recent.find(key(0), kBegin) != nullptr);
  CHECK(recent.find(key(1), kBegin) == nullptr);
  CHECK(recent.find(key(40), kBegin) != nullptr);
  CHECK(recent.bytes() <= 16 << 20);
}

TEST_CASE("recent: a flood of small answers is bounded, too") {
  Recent recent(seconds(60));
  for (std::uint64_t number = 1; number <= 500'000; ++number) {
    recent.begin(key(number), "demo/42");
    recent.answered(key(number), "[]", kBegin);
  }
  CHECK(recent.size() < 200'000);
  CHECK(recent.find(key(1), kBegin) == nullptr);
  CHECK(recent.find(key(500'000), kBegin) != nullptr);
}
