// What befalls the host and its network, while the broker lives.
#include <doctest/doctest.h>

#include "chaos/stage.hpp"

using namespace chaos;

TEST_CASE("chaos: a host that is killed at any moment loses, doubles and reorders nothing") {
  Stage stage({.name = "host kills"});
  check_clean(stage.play({kills(stage.host, stage.random, times(15, 200)),
                          slow_handlers(stage.gitple, stage.random, times(15, 150))}),
              stage);
}

TEST_CASE("chaos: planned stops lose nothing, even in relaxed") {
  for (const char* durability : {"strict", "relaxed"}) {
    Stage stage({.name = std::string("planned stops, ") + durability, .durability = durability});
    check_clean(stage.play({planned_stops(stage.host, stage.random, times(4, 30)),
                            slow_handlers(stage.gitple, stage.random, times(5, 30))}),
                stage);
  }
}

TEST_CASE("chaos: a host that was stopped for seconds goes on as if nothing had been") {
  Stage stage({.name = "SIGSTOP"});
  check_clean(stage.play({faints(stage.host, stage.random, times(1, 10))}), stage);
}

TEST_CASE("chaos: connections that are torn and frozen lose nothing, whatever is kept over restarts") {
  for (const char* durability : {"strict", "relaxed", "off"}) {
    Stage stage({.name = std::string("TCP resets, ") + durability, .durability = durability, .proxied = true});
    check_clean(stage.play({resets(*stage.proxy, stage.random, times(4, 60)),
                            freezes(*stage.proxy, stage.random, times(2, 20))}),
                stage);
  }
}

TEST_CASE("chaos: kills, stops and resets at once lose, double and reorder nothing") {
  Stage stage({.name = "all at once but the broker", .proxied = true});
  check_clean(
      stage.play({kills(stage.host, stage.random, times(5, 100)), faints(stage.host, stage.random, times(1, 10)),
                  resets(*stage.proxy, stage.random, times(4, 60)), freezes(*stage.proxy, stage.random, times(2, 20))}),
      stage);
}
