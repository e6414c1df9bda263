#include "app/keeper.hpp"

#include <doctest/doctest.h>

#include "store/sqlite.hpp"

using namespace botel;
using namespace std::chrono_literals;

namespace {

// All that a Keeper keeps, in strict, which waits for each commit. There is no broker.
struct Kept {
  explicit Kept(store::Store& store, Time time) : store(store), time(time) {}

  void round(std::chrono::milliseconds passed) {
    time.steady += passed;
    time.unix_ms += passed.count();
    runtime.advance(time);
    REQUIRE(keeper.save(time.steady));
  }
  [[nodiscard]] std::optional<store::Clock> clock() const {
    std::optional<store::Clock> clock;
    REQUIRE(store.load({.clock = [&](const store::Clock& kept) { clock = kept; }}));
    return clock;
  }

  store::Store& store;
  Time time;
  Counters counters;
  runtime::Runtime runtime{{}, counters, [] {}, time};
  runtime::Role nobody{"nobody"};
  std::unique_ptr<mqtt::Link> link = mqtt::Link::create({}, counters).value();
  gitple::Service gitple{{},
                         *link,
                         runtime,
                         [this](const std::string&) { return &nobody; },
                         [this](const std::string&, const std::string&) -> runtime::Role& { return nobody; },
                         counters};
  moca::Directory directory{store, [] {}};
  moca::Service moca{
      {}, *link, runtime, directory, [this](const std::string&) -> runtime::Role& { return nobody; }, counters};
  app::Keeper keeper{store, true, runtime, *link, gitple, moca, directory, counters, [] {}};
};

constexpr Time kBegin{SteadyTime{} + 1h, 1'700'000'000'000};

}  // namespace

TEST_CASE("keeper: the clock is kept from the first round on, and again each minute in which nothing else is") {
  const auto store = store::Sqlite::in_memory().value();
  Kept kept(*store, kBegin);
  CHECK_FALSE(kept.clock());
  kept.round(0ms);
  REQUIRE(kept.clock());
  CHECK(kept.clock()->host_ms == kBegin.unix_ms);
  CHECK(kept.keeper.next() == kept.time.steady + 1min);
  kept.round(59'999ms);
  CHECK(kept.clock()->host_ms == kBegin.unix_ms);
  kept.round(1ms);
  CHECK(kept.clock()->host_ms == kBegin.unix_ms + 60'000);
  CHECK(kept.clock()->unix_ms == kBegin.unix_ms + 60'000);
}

TEST_CASE("keeper: the clock goes on in the next run, without the time by which the system's was set back") {
  const auto store = store::Sqlite::in_memory().value();
  Kept(*store, kBegin).round(0ms);
  const auto next = [&](std::chrono::milliseconds later) {
    Kept kept(*store, {SteadyTime{} + 1s, kBegin.unix_ms + later.count()});
    REQUIRE(kept.keeper.load());
    kept.round(0ms);
    return kept.clock()->host_ms - kBegin.unix_ms;
  };
  CHECK(next(5s) == 5'000);
  CHECK(next(-24h) == 5'001);
  CHECK(next(-23h) == 5'001 + 3'600'000);
}
