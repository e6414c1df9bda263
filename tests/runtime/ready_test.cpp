#include "runtime/ready.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <string>

#include "runtime/fake_bot.hpp"
#include "runtime/runtime.hpp"

using namespace botel::runtime;

namespace {

struct NoPort : Port {
  std::int32_t check(const botel_effect&) const override { return BOTEL_OK; }
  void handled(Actor&, const Event&, const botel::Result<>&) override {}
  void perform(Actor&, Effect&) override {}
  std::string origin(const Actor&) const override { return "{}"; }
  std::string progress(const Actor&) const override { return "{}"; }
};

// Actors of two bots, named by their bot and a number.
struct Stage {
  NoPort port;
  FakeBot a, b;
  botel::Counters counters;
  Runtime runtime{{}, counters, [] {}};
  Role &role_a = a.role(runtime, "a"), &role_b = b.role(runtime, "b");
  std::deque<Actor> actors;
  Ready ready;

  Actor& add(std::string name) {
    Role& role = name.front() == 'a' ? role_a : role_b;
    Actor& actor = actors.emplace_back(port, BOTEL_ACTOR_ROOM, name, "{}", role);
    ready.push(actor);
    return actor;
  }
  std::string take(bool quiet_only = false) {
    Actor* const next = ready.next(quiet_only);
    if (!next) return "nobody";
    ready.begin(*next);
    return next->address;
  }
};

}  // namespace

TEST_CASE("ready: bots take turns, however many actors of one of them wait") {
  Stage stage;
  for (const char* name : {"a1", "a2", "a3", "b1"}) stage.add(name);
  CHECK(stage.take() == "a1");
  CHECK(stage.take() == "b1");
  stage.add("b2");
  CHECK(stage.take() == "a2");
  CHECK(stage.take() == "b2");
  CHECK(stage.take() == "a3");
  CHECK(stage.take() == "nobody");
}

TEST_CASE("ready: where threads are few, only bots that are in no handler get one") {
  Stage stage;
  Actor& first = stage.add("a1");
  stage.add("a2");
  CHECK(stage.take() == "a1");
  CHECK(stage.take(true) == "nobody");
  stage.add("b1");
  CHECK(stage.take(true) == "b1");
  stage.ready.back(first);
  CHECK(stage.take(true) == "a2");
}

TEST_CASE("ready: who is removed does not get a turn") {
  Stage stage;
  Actor& gone = stage.add("a1");
  stage.add("b1");
  stage.ready.remove(gone);
  stage.ready.remove(gone);
  CHECK(stage.take() == "b1");
  CHECK(stage.take() == "nobody");
}

TEST_CASE("ready: a bot that does not serve keeps its actors' turns until it does") {
  Stage stage;
  for (const char* name : {"a1", "b1", "a2"}) stage.add(name);
  stage.role_a.suspend(true);
  CHECK(stage.take() == "b1");
  CHECK(stage.take() == "nobody");
  stage.role_a.suspend(false);
  CHECK(stage.take() == "a1");
  CHECK(stage.take() == "a2");
}
