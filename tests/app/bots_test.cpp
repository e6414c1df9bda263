#include "app/bots.hpp"

#include <doctest/doctest.h>

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
