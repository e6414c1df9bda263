#include "app/bots.hpp"

#include <doctest/doctest.h>

#include "runtime/fake_bot.hpp"

using botel::app::Bots;
using botel::app::BotsConfig;
using botel::plugin::Item;

TEST_CASE("bots: a bot and a connector of one name are two") {
  Bots bots{BotsConfig{}};
  const Item bot{BOTEL_BOT, "rev", "1.0.0", 1, 1}, connector{BOTEL_CONNECTOR, "rev", "2.0.0", 1, 1};
  // What an earlier run left of a connector, and what serves now.
  const auto& left = bots.connector("rev");
  bots.offer(bot);
  REQUIRE(bots.parts(bot).size() == 1);
  CHECK(bots.parts(bot)[0].role != &left);
  CHECK(bots.find("rev") == bots.parts(bot)[0].role);
  CHECK(&bots.owner("1", "rev") == bots.parts(bot)[0].role);

  bots.offer(connector);
  REQUIRE(bots.parts(connector).size() == 1);
  CHECK(bots.parts(connector)[0].role == &left);
  CHECK(left.kind() == BOTEL_CONNECTOR);
}

TEST_CASE("bots: a bot id that nobody serves is named with the reason") {
  Bots bots{BotsConfig{{{"1", "echo"}, {"*", "dice"}}, {}}};
  const auto why = [](const std::string& name) { return name + " has no plugin"; };
  CHECK(bots.not_served(why) == std::vector<std::string>{"bot id 1 is not served: echo has no plugin",
                                                         "bot id * is not served: dice has no plugin"});
}

TEST_CASE("bots: without any table, only ids that are numbers are served by whoever is the first by name") {
  FakeBot bot;  // whose logics the bots have to the end
  Bots bots{BotsConfig{}};
  botel::Counters counters;
  botel::runtime::Runtime runtime({}, counters, [] {});
  const auto offer = [&](const char* name) {
    const Item item{BOTEL_BOT, name, "1.0.0", 1, 1};
    bots.offer(item);
    const auto parts = bots.parts(item);
    REQUIRE(parts.size() == 1);
    runtime.take_over(*parts[0].role, bot.logic(name));
    return parts[0].role;
  };
  const auto* const echo = offer("echo");
  const auto* const sandwich = offer("sandwich");
  CHECK(bots.find("1") == echo);
  CHECK(bots.find("007") == echo);
  CHECK(bots.find("sandwich") == sandwich);
  // Who asks what would be wanted of a plugin, as a check does, changes nothing in who serves.
  CHECK(bots.parts({BOTEL_BOT, "7", "1.0.0", 1, 1}).size() == 1);
  CHECK(bots.find("7") == echo);
  for (const std::string nobody : {"nobdy", "1a", "sandwich2", "*", ""}) CHECK(bots.find(nobody) == nullptr);
}
