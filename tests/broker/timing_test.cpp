// Typing, delays, timers, slow handlers and silence. What is checked is the order of things, never how long they took.
#include <doctest/doctest.h>
#include <signal.h>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("timing: effects leave in the order made, and a delay delays all that follow, the end included") {
  World world;
  const Room room, other{.room = "other"};
  world.start(room);
  world.start(other);
  world.tell(room, "say first;typing;wait 300;say second;wait 100;stopped;end 3");
  world.hear(room, "first");
  world.client.expect(room.msg_pub(), has("e.keyIn", "s"));
  // Another room does not wait for this one.
  world.tell(other, "say not delayed");
  const Received quick = world.hear(other, "not delayed");
  const Received second = world.hear(room, "second");
  const Received stopped = world.client.expect(room.msg_pub(), has("e.keyIn", "t"));
  const Received end = world.asked(room, "end");
  CHECK(quick.index < second.index);
  CHECK(second.index < stopped.index);
  CHECK(stopped.index < end.index);
}

TEST_CASE("timing: what a later event makes waits behind what is delayed") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "log taken;wait 300;say delayed");
  world.tell(room, "log taken;say later");
  world.host.process().wait_for_log("probe: taken", 2);
  const Received delayed = world.hear(room, "delayed");
  CHECK(delayed.index < world.hear(room, "later").index);
}

TEST_CASE("timing: when gitple ends the room, what was delayed leaves at once, before the goodbye and the OK") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "wait 3600000;say delayed");
  const Received ok = world.end(room);
  const Received delayed = world.hear(room, "delayed");
  const Received goodbye = world.hear(room, "end ended");
  CHECK(delayed.index < goodbye.index);
  CHECK(goodbye.index < ok.index);
}

TEST_CASE("timing: timers come back by their tag, may be replaced and cancelled, and wait for no delay") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "timer 3 400;timer 2 200;timer 1 50;timer 4 10;cancel 4;timer 5 10;timer 5 300;cancel 77");
  CHECK(at(world.client.expect(room.msg_pub()).payload, "m") == "timer 1");
  CHECK(at(world.client.expect(room.msg_pub()).payload, "m") == "timer 2");
  CHECK(at(world.client.expect(room.msg_pub()).payload, "m") == "timer 5");
  CHECK(at(world.client.expect(room.msg_pub()).payload, "m") == "timer 3");
  world.tell(room, "say done");
  world.hear(room, "done");
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("timing: the timers of a room end with it") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "timer 1 100");
  world.end(room);
  world.hear(room, "end ended");
  world.start(room);
  // This one is due later than the old one would have been.
  world.tell(room, "timer 2 200");
  world.hear(room, "timer 2");
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("timing: a slow handler holds up no other room, and its own room's messages stay in order") {
  World world;
  const Room slow{.room = "slow"}, quick{.room = "quick"};
  world.start(slow);
  world.start(quick);
  world.tell(slow, "sleep 2000;say slow");
  world.tell(slow, "say behind the slow");
  for (int i = 0; i < 20; ++i) {
    world.tell(quick, "say quick");
    world.hear(quick, "quick");
  }
  const Room fresh{.room = "fresh", .commands = "say fresh"};
  world.start(fresh);
  world.hear(fresh, "fresh");
  CHECK(world.client.unexpected(slow.msg_pub()).empty());
  const Received done = world.hear(slow, "slow");
  CHECK(done.index < world.hear(slow, "behind the slow").index);
}

TEST_CASE("timing: with more slow handlers than threads everybody is served in the end") {
  World world({.host = {.host = "threads = 2"}});
  std::vector<Room> rooms;
  for (int i = 0; i < 5; ++i) {
    rooms.push_back({.room = "slow-" + std::to_string(i)});
    world.start(rooms.back());
  }
  for (const Room& room : rooms) world.tell(room, "sleep 100;say slow");
  for (const Room& room : rooms) world.tell(room, "say next");
  for (const Room& room : rooms) CHECK(world.hear(room, "slow").index < world.hear(room, "next").index);
}

TEST_CASE("timing: an end that comes while the handler is slow is served behind it") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "sleep 300;say slow");
  const Received ok = world.end(room);
  const Received slow = world.hear(room, "slow");
  CHECK(slow.index < world.hear(room, "end ended").index);
  CHECK(slow.index < ok.index);
}

TEST_CASE("timing: a silent room gets a timeout, and by default the bot asks for its end") {
  World world({.host = {.gitple = "idle_timeout = 0.2\nleave_timeout = 3600"}});
  const Room room{.bot = "echo"};
  world.start(room);
  const Received asked = world.asked(room, "end");
  CHECK(at(asked.payload, "params.resPub") == room.cmd_answers());
  world.reply(asked);
  CHECK(at(world.end(room).payload, "result") == "OK");
}

TEST_CASE("timing: whoever talks is not timed out") {
  World world({.host = {.gitple = "idle_timeout = 1.5"}});
  const Room silent{.room = "silent"}, busy{.room = "busy"};
  world.start(silent);
  world.start(busy);
  // Until the silent room is timed out, the busy one has always said something lately.
  for (int i = 0; world.client.unexpected(silent.msg_pub(), has("m", "timeout")).empty(); ++i) {
    REQUIRE(i < 1000);
    world.tell(busy, "wait 20;say busy");
    world.hear(busy, "busy");
  }
  CHECK(world.client.unexpected(busy.msg_pub(), has("m", "timeout")).empty());
  world.hear(busy, "timeout");
}
