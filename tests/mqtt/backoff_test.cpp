#include "mqtt/backoff.hpp"

#include <doctest/doctest.h>

using botel::SteadyTime;
using botel::mqtt::Backoff;
using namespace std::chrono_literals;

TEST_CASE("backoff: pauses grow up to half a minute, and are never shorter than half of what they may be") {
  Backoff backoff(1);
  auto longest = Backoff::kFirst;
  for (int i = 0; i < 20; ++i) {
    const auto pause = backoff.failed(SteadyTime());
    CHECK(pause >= longest / 2);
    CHECK(pause <= longest);
    longest = std::min(longest * 2, Backoff::kLongest);
  }
  backoff.reset();
  CHECK(backoff.failed(SteadyTime()) <= Backoff::kFirst);
}

TEST_CASE("backoff: after a connection, the pause is a short one, however long the broker was away") {
  for (const auto lasted : {10ms, 10'000ms}) {
    Backoff backoff(1);
    for (int i = 0; i < 10; ++i) (void)backoff.failed(SteadyTime());
    backoff.connected(SteadyTime());
    CHECK(backoff.failed(SteadyTime() + lasted) <= Backoff::kFirst);
  }
}

TEST_CASE("backoff: a broker that throws us out as soon as it has taken us in is asked less and less often") {
  Backoff backoff(1);
  std::chrono::milliseconds pause{};
  for (int i = 0; i < 10; ++i) {
    backoff.connected(SteadyTime());
    pause = backoff.failed(SteadyTime() + 999ms);
  }
  CHECK(pause >= Backoff::kLongest / 2);
  backoff.connected(SteadyTime());
  CHECK(backoff.failed(SteadyTime() + 1000ms) <= Backoff::kFirst);
}

TEST_CASE("backoff: a broker that restarts every seven seconds, three of them away, is found again within four") {
  Backoff backoff(1);
  SteadyTime now{}, end = now + 10min;
  const auto is_there = [](SteadyTime time) { return time.time_since_epoch() % 7s >= 3s; };
  const auto next_end = [](SteadyTime time) { return time - time.time_since_epoch() % 7s + 7s; };
  while (now < end) {
    const SteadyTime lost = now;
    while (!is_there(now)) now += backoff.failed(now);
    CHECK(now - lost < 7s);
    backoff.connected(now);
    now = next_end(now);
  }
}
