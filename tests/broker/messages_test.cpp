// What is said in a room, both ways.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("messages: _context is returned byte for byte in all that the bot sends") {
  World world;
  for (const std::string context :
       {R"({"sp":1,"app":1,"user":7,"room":7,"session":9007199254740993,"bot":"1"})",
        R"({ "room" : "7" , "session" : "s" , "bot":"1", "x":{"y":[1, 2 ,{"z":null}]} })",
        R"({"room":7,"session":104,"bot":"1","big":123456789012345678901234567890,"e":1.50E+10,"neg":-0})",
        R"({"room":7,"session":104,"bot":"1","esc":"\u00e9\/\"\\\n","h":"헬로","":"empty key"})",
        R"({"room":7,"session":"a \u0041 b","bot":"1","owner":7,"twice":1,"twice":2})"}) {
    CAPTURE(context);
    const Room room{.context = context};
    const std::string wanted = R"("_context":)" + context;
    CHECK(at(world.start(room).payload, "result") == "OK");
    world.tell(room, R"(say text;rich {"t":"rich"};typing;end 1)");
    for (int i = 0; i < 3; ++i) CHECK(count(world.client.expect(room.msg_pub()).payload, wanted) == 1);
    CHECK(count(world.asked(room, "end").payload, wanted) == 1);
    world.end(room);
    CHECK(count(world.hear(room, "end ended").payload, wanted) == 1);
  }
}

TEST_CASE("messages: all that a bot sends carries _sid, as the session was written") {
  World world;
  for (const std::string session : {"104", R"("104")", "9007199254740993", R"("a-b")"}) {
    CAPTURE(session);
    const Room room{.session = session, .commands = "say hello;typing"};
    world.start(room);
    for (int i = 0; i < 2; ++i) {
      CHECK(count(world.client.expect(room.msg_pub()).payload, R"("_sid":)" + session) == 1);
    }
    world.end(room);
    world.hear(room, "end ended");
  }
}

TEST_CASE("messages: a message with the _sid of another session is dropped") {
  World world;
  const Room room;
  world.start(room);
  for (const std::string sid : {"103", R"("103")", R"("104 ")", "1040", "10"}) {
    world.client.publish(room.from_user(), R"({"m":"say stale","_sid":)" + sid + "}");
  }
  for (const std::string sid : {"104", R"("104")", "null"}) {
    world.client.publish(room.from_user(), R"({"m":"say fresh","_sid":)" + sid + "}");
    world.hear(room, "fresh");
  }
  CHECK(world.client.unexpected(room.msg_pub()).empty());
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), "gitple_messages_stale_total 5") == 1);
}

TEST_CASE("messages: each form of a message reaches the bot") {
  World world;
  const Room room;
  world.start(room);
  struct Case {
    std::string payload, heard;
  };
  for (const Case& c :
       std::initializer_list<Case>{{R"({"t":1,"m":"say text"})", "text"},
                                   {R"({"m":"say without t"})", "without t"},
                                   {R"( { "m" : "say with spaces" } )", "with spaces"},
                                   {R"({"m":"say \ud5ec\ub85c \ud83d\ude00"})", "헬로 😀"},
                                   {R"({"m":"say \"quoted\" \\ \u0001"})", "\"quoted\" \\ \x01"},
                                   {R"({"m":{"t":"object", "a":[]}})", R"(rich {"t":"object", "a":[]})"},
                                   {R"({"m":[{"t":"list"},1]})", R"(rich [{"t":"list"},1])"},
                                   {R"({"m":"shown","c":{"key": "value"}})", R"(chose {"key": "value"} as shown)"},
                                   {R"({"m":"shown","c":"text"})", R"(chose "text" as shown)"},
                                   {R"({"m":"shown","c":0})", "chose 0 as shown"},
                                   {R"({"m":"shown","c":false})", "chose false as shown"},
                                   {R"({"c":[1]})", "chose [1] as "},
                                   {R"({"m":"say typed","c":null})", "typed"},
                                   {R"({"e":{"keyIn":"s"}})", "you type"},
                                   {R"({"e":{"keyIn":"t"}})", "you stopped"},
                                   {R"({"e":{"read":1534395332549}})", "you read 1534395332549"},
                                   {R"({"m":"say both","e":null})", "both"},
                                   {R"({"m":"say unknown keys","x":{"y":1},"o":[]})", "unknown keys"}}) {
    CAPTURE(c.payload);
    world.client.publish(room.from_user(), c.payload);
    const Received said = world.client.expect(room.msg_pub());
    CHECK(at(said.payload, "m") == c.heard);
  }
  // Of an agent or another user in the same room.
  world.client.publish(room.base() + "u/8", R"({"m":"say other"})");
  world.hear(room, "other");
}

TEST_CASE("messages: what a publisher sends again is taken once, also over a restart, where the operator wants it") {
  World world({.host = {.gitple = "drop_repeats = \"1h\"", .store = "durability = \"strict\""}});
  const Room room;
  world.start(room);
  const std::string message = R"({"t":1534424599756,"m":"say once"})";
  for (int i = 0; i < 3; ++i) world.client.publish(room.from_user(), message);
  world.hear(room, "once");
  world.restart_host();
  world.client.publish(room.from_user(), message);
  world.client.publish(room.from_user(), R"({"t":1534424599757,"m":"say once more"})");
  world.hear(room, "once more");
  CHECK(world.client.unexpected(room.msg_pub()).empty());
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), "gitple_messages_repeated_total 1\n") == 1);
}

TEST_CASE("messages: an empty text, and what says nothing, change nothing") {
  World world;
  const Room room;
  world.start(room);
  for (const std::string payload :
       {R"({"m":""})", R"({"t":1})", "{}", R"({"e":{}})", R"({"e":null,"m":null,"c":null})"}) {
    world.client.publish(room.from_user(), payload);
  }
  world.tell(room, "say fine");
  world.hear(room, "fine");
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("messages: what the bot says goes out in the form of the text") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room,
             R"(rich {"t":"헬로","a":[{"p":"list","t":"one"}]};rich [{"t":"x"}];options {"k":[1]};typing;stopped)");
  CHECK(count(world.client.expect(room.msg_pub()).payload, R"("m":{"t":"헬로","a":[{"p":"list","t":"one"}]},)") == 1);
  CHECK(count(world.client.expect(room.msg_pub()).payload, R"("m":[{"t":"x"}],)") == 1);
  const Received options = world.client.expect(room.msg_pub());
  CHECK(at(options.payload, "m") == "with options");
  CHECK(at(options.payload, "o") == R"({"k":["1"]})");
  const Received typing = world.client.expect(room.msg_pub());
  CHECK(at(typing.payload, "e.keyIn") == "s");
  CHECK(at(typing.payload, "m").empty());
  CHECK(at(typing.payload, "t").size() == 13);
  CHECK(at(world.client.expect(room.msg_pub()).payload, "e.keyIn") == "t");
}

TEST_CASE("messages: a bot's state is kept from event to event, and is the room's own") {
  World world;
  const Room one{.room = "one"}, two{.room = "two"};
  world.start(one);
  world.start(two);
  world.tell(one, "save first;save second;show");
  world.hear(one, "state ");  // as it was when the event came
  world.tell(one, "show");
  world.hear(one, "state second");
  world.tell(two, "show");
  world.hear(two, "state ");
}

TEST_CASE("messages: large ones pass, up to the limit") {
  World world({.host = {.mqtt = "max_payload = 300000"}});
  const Room room{.bot = "echo"};
  world.start(room);
  const std::string text(299'000, 'x');
  world.client.publish(room.from_user(), R"({"m":")" + text + "\"}");
  world.hear(room, "you said: " + text);
  world.client.publish(room.from_user(), R"({"m":")" + text + text + "\"}");
  world.tell(room, "next");
  world.hear(room, "you said: next");
  CHECK(world.client.unexpected("#").empty());
}
