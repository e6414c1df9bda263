// A broker that is killed forgets what it had acknowledged, so that here the driver repeats each message until the bot
// has answered it, and only what is lost in spite of that counts. What a timer made a bot say nobody can ask for again:
// where it has not arrived, the broker had it (the host's outbox is empty at the end), and that does not count.
#include <doctest/doctest.h>

#include "chaos/stage.hpp"

using namespace chaos;

namespace {

constexpr Pace kInsistent{.rooms = 20, .unanswered = 5, .per_second = 500, .visitors = 0, .insistent = true};

}  // namespace

TEST_CASE("chaos: whatever a broker forgets, a message that is repeated until it is answered is not lost") {
  for (const bool keeps_sessions : {true, false}) {
    const std::string with = keeps_sessions ? "with its memory" : "without";
    Stage stage({.name = "broker, " + with, .broker_keeps_sessions = keeps_sessions, .pace = kInsistent});
    check_nothing_lost(stage.play({broker_ends(stage.broker, stage.gitple, stage.random, times(3, 40))}), stage);
  }
}

TEST_CASE("chaos: all at once loses nothing") {
  Stage stage({.name = "all at once", .proxied = true, .broker_keeps_sessions = true, .pace = kInsistent});
  check_nothing_lost(
      stage.play({kills(stage.host, stage.random, times(4, 50)), faints(stage.host, stage.random, times(1, 5)),
                  resets(*stage.proxy, stage.random, times(4, 50)),
                  broker_ends(stage.broker, stage.gitple, stage.random, times(2, 30))}),
      stage);
}
