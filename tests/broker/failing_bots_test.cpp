// Bots that throw, fail, ask for another try, or are not there.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("failing bots: of an event that throws nothing has happened, and the next one is handled") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "save before");
  world.tell(room, "say unsaid;save unsaved;end 1;timer 1 1;throw");
  world.tell(room, "show");
  world.hear(room, "state before");
  world.tell(room, "wait 100;say later");
  world.hear(room, "later");
  CHECK(world.client.unexpected("#").empty());
  CHECK(count(world.host.log(), "told to throw") == 1);
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), "events_failed_total 1") == 1);
}

TEST_CASE("failing bots: one that reads JSON for what it is not fails the event, and the host goes on") {
  World world;
  const Room room;
  world.start(room);
  for (const std::string name : {"nope", "context"}) world.tell(room, "save unsaved;member " + name);
  world.tell(room, "show");
  world.hear(room, "state ");
  CHECK(count(world.host.log(), "wrong use of JSON: there is no such member") == 1);
  CHECK(count(world.host.log(), "wrong use of JSON: GetString needs IsString()") == 1);
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("failing bots: what the host does not take is an error of the bot, not of the host") {
  World world;
  const Room room;
  world.start(room);
  for (const std::string command : {"rich not JSON", "rich 7", "rich \"text\"", "options {", "many 2000",
                                    "unknown command", "timer 1 999999999999999", "wait 999999999999999;say x"}) {
    CAPTURE(command);
    world.tell(room, command);
    world.tell(room, "say fine");
    world.hear(room, "fine");
  }
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("failing bots: a start that fails is error -32003, its filter is given back, and it may be tried again") {
  World world;
  Room room{.commands = "say unsaid;throw"};
  const Received answer = world.start(room);
  CHECK(at(answer.payload, "error.code") == "-32003");
  CHECK(at(answer.payload, "error.message") == "told to throw");
  world.broker.wait_for_unsubscription(room.msg_sub());
  CHECK(at(world.end(room).payload, "error.code") == "-32002");
  CHECK(world.client.unexpected("#").empty());

  room.commands = "say now";
  CHECK(at(world.start(room).payload, "result") == "OK");
  world.hear(room, "now");
  world.tell(room, "say here");
  world.hear(room, "here");
}

TEST_CASE("failing bots: starts that wait behind one that fails are tried in turn") {
  World world;
  Room room{.commands = "sleep 100;throw"};
  world.client.publish(room.requests(), request("1", "start", room.start_params()));
  world.client.publish(room.requests(), request("2", "start", room.start_params()));
  room.commands = "say third";
  world.client.publish(room.requests(), request("3", "start", room.start_params()));
  CHECK(at(world.answer(room, "1").payload, "error.code") == "-32003");
  CHECK(at(world.answer(room, "2").payload, "error.code") == "-32003");
  CHECK(at(world.answer(room, "3").payload, "result") == "OK");
  world.hear(room, "third");
  world.tell(room, "say here");
  world.hear(room, "here");
}

TEST_CASE("failing bots: an end that fails ends the room all the same") {
  World world;
  const Room room{.commands = "save end: throw"};
  world.start(room);
  CHECK(at(world.end(room).payload, "result") == "OK");
  world.tell(room, "say anybody");
  world.fence();
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("failing bots: an event that is to be tried again comes again, and the later ones wait") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "retry 50");
  world.tell(room, "say behind");
  const Received tried = world.hear(room, "attempt 3");
  CHECK(tried.index < world.hear(room, "behind").index);

  const Room starting{.room = "starting", .commands = "retry 10"};
  CHECK(at(world.start(starting).payload, "result") == "OK");
  world.hear(starting, "attempt 3");
}

TEST_CASE("failing bots: a room may end while an event waits to be tried again") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "retry 200");
  const Received ok = world.end(room);
  CHECK(world.hear(room, "end ended").index < ok.index);
}

TEST_CASE("failing bots: one that cannot be made is named, its id is not served, and the rest goes on") {
  World world({.host = {.bots = R"(
[[bot]]
id = "1"
name = "probe"
config = { create = "fail" }
[[bot]]
id = "2"
name = "nobody"
[[bot]]
id = "3"
name = "probe"
config = { greeting = "configured", deep = { a = [1, 2] } }
[[bot]]
id = "*"
name = "echo"
)"}});
  CHECK(count(world.host.log(), "the configuration says so") == 1);
  CHECK(count(world.host.log(), "bot id 1 is not served: no instance could be made of probe") == 1);
  CHECK(count(world.host.log(), "bot id 2 is not served: no plugin offers nobody") == 1);
  const Room third{.bot = "3"};
  world.start(third);
  world.hear(third, "configured");
  const Room rest{.bot = "anything"};
  world.start(rest);
  world.tell(rest, "hello");
  world.hear(rest, "you said: hello");
  // A table names them, so they are not of the rest.
  for (const std::string bot : {"1", "2"}) CHECK(at(world.start({.bot = bot}).payload, "error.code") == "-32001");
}
