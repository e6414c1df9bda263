// The life of a room: start, start again, another session, end.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("rooms: a start is answered with OK, and the bot's first word comes behind it") {
  World world;
  const Room room{.commands = "say hello"};
  const Received ok = world.start(room);
  CHECK(ok.payload == R"({"jsonrpc":"2.0","id":"test-1","result":"OK"})");
  CHECK_FALSE(ok.retained);
  const Received hello = world.hear(room, "hello");
  CHECK(hello.index > ok.index);
  CHECK_FALSE(hello.retained);
}

TEST_CASE("rooms: the broker has granted msgSub before the start is answered") {
  World world;
  const Room room{.commands = "say hello"};
  world.start(room);
  world.hear(room, "hello");
  const std::string log = world.broker.log();
  const auto subscribed = log.find("\t" + room.msg_sub() + " (QoS");
  const auto granted = log.find("Sending SUBACK", subscribed);
  const auto answered = log.find("'" + room.res_pub() + "'");
  REQUIRE(subscribed != std::string::npos);
  CHECK(subscribed < granted);
  CHECK(granted < answered);
}

TEST_CASE("rooms: a message published right behind the OK is heard") {
  World world;
  for (int i = 0; i < 50; ++i) {
    const Room room{.room = "room-" + std::to_string(i)};
    world.start(room);
    world.tell(room, "say here");
    world.hear(room, "here");
  }
}

TEST_CASE("rooms: messages are answered in order, and t rises") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "many 200");
  world.tell(room, "say last");
  long long before = 0;
  for (int i = 1; i <= 200; ++i) {
    const Received message = world.client.expect(room.msg_pub());
    REQUIRE(at(message.payload, "m") == std::to_string(i));
    const long long t = std::stoll(at(message.payload, "t"));
    REQUIRE(t > before);
    before = t;
  }
  CHECK(at(world.client.expect(room.msg_pub()).payload, "m") == "last");
}

TEST_CASE("rooms: a repeated start of the same session is answered and changes nothing") {
  World world;
  const Room room{.commands = "say hello"};
  world.start(room);
  world.hear(room, "hello");
  world.tell(room, "save something");
  world.start(room);
  world.tell(room, "show");
  world.hear(room, "state something");
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("rooms: starts of one session that come all at once are all answered, and the bot starts once") {
  World world;
  const Room room{.commands = "say hello"};
  for (int i = 0; i < 5; ++i) {
    world.client.publish(room.requests(), request(std::to_string(i), "start", room.start_params()));
  }
  for (int i = 0; i < 5; ++i) {
    CHECK(at(world.answer(room, std::to_string(i)).payload, "result") == "OK");
  }
  world.hear(room, "hello");
  world.tell(room, "say once");
  world.hear(room, "once");
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("rooms: a start with another session ends the old one first") {
  World world;
  const Room old{.session = "104"};
  Room renewed{.session = "105", .commands = "say hello again"};
  world.start(old);
  world.tell(old, "save something");
  const Received ok = world.start(renewed);
  const Received end = world.hear(old, "end replaced");
  CHECK(at(end.payload, "_context.session") == "104");
  CHECK(end.index < ok.index);
  const Received hello = world.hear(renewed, "hello again");
  CHECK(at(hello.payload, "_context.session") == "105");
  CHECK(ok.index < hello.index);

  world.tell(renewed, "show");
  world.hear(renewed, "state ");

  SUBCASE("an end for the old session is answered and ends nothing") {
    CHECK(at(world.end(old).payload, "result") == "OK");
    world.tell(renewed, "say still here");
    world.hear(renewed, "still here");
  }
  SUBCASE("what is said to the old session is not heard") {
    world.client.publish(old.from_user(), R"({"m":"say old","_sid":104})");
    world.client.publish(old.from_user(), R"({"m":"say new","_sid":105})");
    world.hear(renewed, "new");
  }
  CHECK(world.client.unexpected(renewed.msg_pub()).empty());
}

TEST_CASE("rooms: an end for a replaced session is answered with OK also when the new one has ended") {
  World world;
  const Room old{.session = "104"}, renewed{.session = "105"};
  world.start(old);
  world.start(renewed);
  CHECK(at(world.end(renewed).payload, "result") == "OK");
  CHECK(at(world.end(old).payload, "result") == "OK");
  CHECK(at(world.end({.session = "106"}).payload, "error.code") == "-32002");
}

TEST_CASE("rooms: another session may come with other topics, and the old ones are given back") {
  World world;
  const Room old{.session = "104"};
  Room renewed{.session = "105", .user = "8"};
  world.start(old);
  world.start(renewed);
  world.broker.wait_for_unsubscription(old.msg_sub());
  world.tell(old, "say old");
  world.tell(renewed, "say new");
  world.hear(renewed, "new");
  world.hear(old, "end replaced");
  world.fence();
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("rooms: a message that comes while the bot starts is answered behind its first word") {
  World world;
  const Room room{.commands = "log starting;sleep 300;say hello"};
  world.client.publish(room.requests(), request("1", "start", room.start_params()));
  world.host.process().wait_for_log("probe: starting");
  world.tell(room, "say early");
  const Received ok = world.answer(room, "1");
  const Received hello = world.hear(room, "hello");
  const Received early = world.hear(room, "early");
  CHECK(ok.index < hello.index);
  CHECK(hello.index < early.index);
}

TEST_CASE("rooms: sessions that come in a row while the bot still starts are each started and ended in turn") {
  World world;
  for (int i = 1; i <= 4; ++i) {
    const Room room{.session = std::to_string(i), .commands = "sleep 50;say hello " + std::to_string(i)};
    world.client.publish(room.requests(), request(std::to_string(i), "start", room.start_params()));
  }
  const Room room;
  std::size_t before = 0;
  for (int i = 1; i <= 4; ++i) {
    const Received ok = world.answer(room, std::to_string(i));
    CHECK(at(ok.payload, "result") == "OK");
    const Received hello = world.hear(room, "hello " + std::to_string(i));
    CHECK((i == 1 || before < ok.index));
    CHECK(ok.index < hello.index);
    before = hello.index;
    if (i == 4) break;
    before = world.hear(room, "end replaced").index;
    CHECK(hello.index < before);
  }
  world.tell(room, "say last");
  CHECK(at(world.hear(room, "last").payload, "_context.session") == "4");
}

TEST_CASE("rooms: an end lets the bot say goodbye, and is answered behind that") {
  World world;
  const Room room;
  world.start(room);
  const Received ok = world.end(room);
  CHECK(at(ok.payload, "result") == "OK");
  const Received goodbye = world.hear(room, "end ended");
  CHECK(goodbye.index < ok.index);

  world.broker.wait_for_unsubscription(room.msg_sub());
  world.tell(room, "say anybody");
  world.fence();
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("rooms: an end that is repeated is answered with OK again") {
  World world;
  const Room room;
  world.start(room);
  for (int i = 0; i < 3; ++i) CHECK(at(world.end(room).payload, "result") == "OK");
  CHECK(count(world.host.log(), "probe: end ended") == 1);
}

TEST_CASE("rooms: an end of a room that nobody knows is an error") {
  World world;
  CHECK(at(world.end({}).payload, "error.code") == "-32002");
}

TEST_CASE("rooms: ids are compared as text, so 7 and \"7\" are one room") {
  World world;
  const Room room{.session = "104", .context = R"({"room":7,"session":104,"bot":1})"};
  Room same = room;
  same.context = R"({"room":"7","session":"104","bot":"1"})";
  world.start(room);
  world.tell(room, "save something");
  CHECK(at(world.start(same).payload, "result") == "OK");
  world.tell(room, "show");
  world.hear(room, "state something");
  CHECK(at(world.end(same).payload, "result") == "OK");
  CHECK(at(world.hear(room, "end ended").payload, "_context.bot") == "1");
}

TEST_CASE("rooms: the same conversation may start again after its end, and remembers nothing") {
  World world;
  const Room room;
  for (int i = 0; i < 5; ++i) {
    CHECK(at(world.start(room).payload, "result") == "OK");
    world.tell(room, "show;save " + std::to_string(i));
    world.hear(room, "state ");
    CHECK(at(world.end(room).payload, "result") == "OK");
    world.hear(room, "end ended");
  }
}

TEST_CASE("rooms: start, end, start and end sent in one go are served in this order") {
  World world;
  const Room room{.commands = "say hello"};
  int id = 0;
  for (int i = 0; i < 3; ++i) {
    world.client.publish(room.requests(), request(std::to_string(++id), "start", room.start_params()));
    world.client.publish(room.requests(), request(std::to_string(++id), "end", room.end_params()));
  }
  std::size_t before = 0;
  for (int i = 1; i <= id; ++i) {
    const Received ok = world.answer(room, std::to_string(i));
    CHECK(at(ok.payload, "result") == "OK");
    CHECK(ok.index >= before);
    before = ok.index;
  }
  for (int i = 0; i < 3; ++i) {
    const Received hello = world.client.expect(room.msg_pub());
    CHECK(at(hello.payload, "m") == "hello");
    const Received goodbye = world.client.expect(room.msg_pub());
    CHECK(at(goodbye.payload, "m") == "end ended");
  }
}

TEST_CASE("rooms: many rooms at once each hear what is theirs") {
  World world;
  std::vector<Room> rooms;
  for (int i = 0; i < 300; ++i) rooms.push_back({.room = "r" + std::to_string(i)});
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    world.client.publish(rooms[i].requests(), request(std::to_string(i), "start", rooms[i].start_params()));
  }
  for (std::size_t i = 0; i < rooms.size(); ++i) world.answer(rooms[i], "" + std::to_string(i) + ",");
  for (const Room& room : rooms) world.tell(room, "say " + room.room);
  for (const Room& room : rooms) world.hear(room, room.room);
  for (const Room& room : rooms) world.end(room);
}
