#include "runtime/timers.hpp"

#include <doctest/doctest.h>

#include <string>

using botel::SteadyTime;
using botel::runtime::Timers;
using std::chrono::seconds;

TEST_CASE("timers: fire in order of time, then of setting") {
  Timers timers;
  std::string fired;
  const SteadyTime start{};
  timers.set(start + seconds(2), [&] { fired += 'c'; });
  timers.set(start + seconds(1), [&] { fired += 'a'; });
  timers.set(start + seconds(1), [&] { fired += 'b'; });
  CHECK(timers.next() == start + seconds(1));
  timers.advance(start);
  CHECK(fired.empty());
  timers.advance(start + seconds(1));
  CHECK(fired == "ab");
  timers.advance(start + seconds(9));
  CHECK(fired == "abc");
  CHECK_FALSE(timers.next());
}

TEST_CASE("timers: a cancelled one does not fire, and cancelling twice, or 0, does nothing") {
  Timers timers;
  bool fired = false;
  const auto id = timers.set(SteadyTime{}, [&] { fired = true; });
  timers.cancel(id);
  timers.cancel(id);
  timers.cancel(0);
  timers.advance(SteadyTime{} + seconds(1));
  CHECK_FALSE(fired);
}

TEST_CASE("timers: an action may set and cancel others") {
  Timers timers;
  std::string fired;
  Timers::Id other = 0;
  timers.set(SteadyTime{}, [&] {
    fired += 'a';
    timers.cancel(other);
    timers.set(SteadyTime{}, [&] { fired += 'b'; });
  });
  other = timers.set(SteadyTime{}, [&] { fired += 'x'; });
  timers.advance(SteadyTime{});
  CHECK(fired == "ab");
}
