// Two bots in one room, as it is while one hands over to the other.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;

namespace {

// Both with the same room, session and msgSub.
const Room kFirst{.bot = "1"};
const Room kSecond{.bot = "2"};

}  // namespace

TEST_CASE("transfer: two instances in one room both hear each message, once") {
  World world;
  world.start(kFirst);
  world.start(kSecond);
  world.tell(kFirst, "say heard");
  world.hear(kFirst, "heard");
  world.hear(kSecond, "heard");
  world.tell(kFirst, "say last");
  world.hear(kFirst, "last");
  world.hear(kSecond, "last");
  CHECK(world.client.unexpected("s/1/a/1/u/7/r/7/t/+").empty());
  // One filter, so one subscription.
  CHECK(count(world.broker.log(), "\t" + kFirst.msg_sub() + " (QoS") == 1);
}

TEST_CASE("transfer: when one of two instances ends, the other goes on hearing, and the last one unsubscribes") {
  World world;
  world.start(kFirst);
  world.start(kSecond);
  const Room* gone = &kFirst;
  const Room* left = &kSecond;
  SUBCASE("the first ends") {}
  SUBCASE("the second ends") { std::swap(gone, left); }
  CHECK(at(world.end(*gone).payload, "result") == "OK");
  world.hear(*gone, "end ended");
  world.tell(*left, "say still here");
  world.hear(*left, "still here");
  CHECK(world.client.unexpected(gone->msg_pub()).empty());
  CHECK_FALSE(world.broker.was_unsubscribed(left->msg_sub()));
  world.end(*left);
  world.broker.wait_for_unsubscription(left->msg_sub());
}

TEST_CASE("transfer: a bot hands over to another, which starts while the first is still there") {
  World world;
  world.start(kFirst);
  world.tell(kFirst, "bot 5 2");
  const Received asked = world.asked(kFirst, "transfer");
  CHECK(at(asked.payload, "params.type") == "bot");
  CHECK(at(asked.payload, "params.targetId") == "2");
  world.reply(asked);
  world.hear(kFirst, R"(result 5 0 "OK")");

  CHECK(at(world.start(kSecond).payload, "result") == "OK");
  world.tell(kSecond, "say I am the second");
  world.hear(kSecond, "I am the second");
  CHECK(at(world.end(kFirst).payload, "result") == "OK");
  world.hear(kFirst, "end ended");
  world.tell(kSecond, "say I am left");
  world.hear(kSecond, "I am left");
  CHECK(world.client.unexpected(kFirst.msg_pub()).empty());
}

TEST_CASE("transfer: instances keep states and contexts of their own") {
  World world;
  Room first = kFirst;
  Room second = kSecond;
  first.context = R"({"room":7,"session":104,"bot":"1","mark":"one"})";
  second.context = R"({"room":7,"session":104,"bot":"2","mark":"two"})";
  world.start(first);
  world.start(second);
  world.tell(first, "save mine");
  world.tell(first, "show");
  CHECK(at(world.hear(first, "state mine").payload, "_context.mark") == "one");
  CHECK(at(world.hear(second, "state mine").payload, "_context.mark") == "two");
  world.end(first);
  world.start(first);
  world.tell(first, "show");
  world.hear(first, "state ");
  world.hear(second, "state mine");
}
