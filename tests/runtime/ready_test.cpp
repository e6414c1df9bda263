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
  void handled(Actor&, const Event&, bool) override {}
  void perform(Actor&, Effect&) override {}
  std::string origin(const Actor&) const override { return "{}"; }
  std::string progress(const Actor&) const override { return "{}"; }
};

// Actors of two bots, named by their bot and a number.
struct Stage {
  NoPort port;
  FakeBot a, b;
  std::shared_ptr<Logic> logic_a = a.logic("a"), logic_b = b.logic("b");
  std::deque<Actor> actors;
  Ready ready;

  Actor& add(std::string name) {
    const auto& logic = name.front() == 'a' ? logic_a : logic_b;
    Actor& actor = actors.emplace_back(port, BOTEL_ACTOR_ROOM, name, "{}", name.substr(0, 1), logic);
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
