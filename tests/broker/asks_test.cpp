// The bot's own requests, end and transfer: how they are asked, answered, lost, and what follows.
#include <doctest/doctest.h>

#include <set>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("asks: an end and transfers are requests of the text's form, each with an id of its own") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "end 1;transfer 2;bot 3 other-bot;bot 4 12");
  std::set<std::string> ids;
  const auto check = [&](const Received& asked) {
    CHECK(at(asked.payload, "jsonrpc") == "2.0");
    CHECK(at(asked.payload, "params.resPub") == room.cmd_answers());
    CHECK(count(asked.payload, R"("_context":)" + room.own_context()) == 1);
    CHECK_FALSE(asked.retained);
    ids.insert(at(asked.payload, "id"));
  };
  check(world.asked(room, "end"));
  const Received agent = world.asked(room, "transfer");
  check(agent);
  CHECK(at(agent.payload, "params.type") == "agent");
  CHECK(at(agent.payload, "params.targetId").empty());
  const Received bot = world.asked(room, "transfer");
  check(bot);
  CHECK(at(bot.payload, "params.type") == "bot");
  CHECK(at(bot.payload, "params.targetId") == "other-bot");
  const Received number = world.asked(room, "transfer");
  check(number);
  CHECK(at(number.payload, "params.targetId") == "12");
  CHECK(ids.size() == 4);
}

TEST_CASE("asks: resPub is cmdResPub where the start names one, else it is derived from cmdPub") {
  World world;
  struct Case {
    std::string more, res_pub;
  };
  for (const Case& c :
       std::initializer_list<Case>{{"", "s/1/a/1/u/7/r/7/res"},
                                   {R"("cmdResPub":"s/1/a/1/u/7/r/7/res/t/1/i/app")", "s/1/a/1/u/7/r/7/res/t/1/i/app"},
                                   {R"("cmdPub":"s/1/a/1/u/7/r/7/req/t/1/i/app")", "s/1/a/1/u/7/r/7/res"}}) {
    CAPTURE(c.more);
    const Room room{.more = c.more};
    world.start(room);
    world.tell(room, "transfer 9");
    const Received asked = world.client.expect("s/1/a/1/u/7/r/7/req/#");
    CHECK(at(asked.payload, "params.resPub") == c.res_pub);
    world.reply(asked);
    world.hear(room, R"(result 9 0 "OK")");
    CHECK(at(world.end(room).payload, "result") == "OK");
    world.hear(room, "end ended");
  }
}

TEST_CASE("asks: the answer is heard where the host itself has asked for it, whatever the filters take in") {
  World world;
  for (const std::string more : {R"("cmdPub":"s/1/a/1/room4/req/t/1")",
                                 R"("cmdPub":"s/1/a/1/room4/req/t/1","cmdResPub":"s/1/a/1/room4/answers")"}) {
    CAPTURE(more);
    const Room room{.more = more};
    world.start(room);
    world.tell(room, "end 9");
    world.reply(world.client.expect("s/1/a/1/room4/req/t/1"));
    world.hear(room, R"(result 9 0 "OK")");
    world.end(room);
    world.hear(room, "end ended");
  }
}

TEST_CASE("asks: what gitple answers comes back to the bot, with its tag") {
  World world;
  const Room room;
  world.start(room);
  struct Case {
    std::string outcome, heard;
  };
  for (const Case& c : std::initializer_list<Case>{{R"("error":{"code":-32600,"message":"Invalid Request"})",
                                                    R"(result 7 -32600 {"code":-32600,"message":"Invalid Request"})"},
                                                   {R"("error":{"code":5})", R"(result 7 5 {"code":5})"},
                                                   {R"("error":"no"  )", R"(result 7 -32603 "no")"},
                                                   {R"("error":{"code":0})", R"(result 7 -32603 {"code":0})"},
                                                   {R"("error":null,"result":{"a" : 1})", R"(result 7 0 {"a" : 1})"}}) {
    CAPTURE(c.outcome);
    world.tell(room, "transfer 7");
    world.reply(world.asked(room, "transfer"), c.outcome);
    world.hear(room, c.heard);
  }
}

TEST_CASE("asks: a refused end leaves the room as it was") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "end 1");
  world.reply(world.asked(room, "end"), R"("error":{"code":-1,"message":"not now"})");
  world.hear(room, R"(result 1 -1 {"code":-1,"message":"not now"})");
  world.tell(room, "say still here");
  world.hear(room, "still here");
}

TEST_CASE("asks: answers that fit nothing are ignored") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "end 1");
  const Received asked = world.asked(room, "end");
  const std::string id = quoted(at(asked.payload, "id"));
  const std::string topic = room.cmd_answers();
  const std::vector<std::string> bad{"not JSON",
                                     "[]",
                                     "{}",
                                     R"({"id":null,"result":"OK"})",
                                     R"({"jsonrpc":"2.0","id":"another","result":"OK"})",
                                     R"({"jsonrpc":"2.0","id":)" + id + "}"};
  for (const std::string& payload : bad) {
    world.client.publish(topic, payload);
  }
  // The right answer in the wrong place: another room's, another tenant's.
  const std::string right = R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":"OK"})";
  world.client.publish("s/1/a/1/u/7/r/8/res", right);
  world.client.publish("s/2/a/1/u/7/r/7/res", right);
  world.client.publish(topic + "/t/1", right);
  world.tell(room, "say still here");
  world.hear(room, "still here");
  CHECK(world.client.unexpected(room.msg_pub()).empty());

  world.reply(asked);
  world.reply(asked);  // once more
  world.hear(room, R"(result 1 0 "OK")");
  world.fence();
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("asks: an answer that is lost times out, and the room goes on") {
  World world({.host = {.gitple = "answer_timeout = 0.2\nleave_timeout = 0.2"}});
  const Room room;
  world.start(room);
  world.tell(room, "end 6");
  const Received asked = world.asked(room, "end");
  const Received result = world.client.expect(room.msg_pub());
  CHECK(at(result.payload, "m").starts_with("result 6 -32099 "));
  // Late, it is an answer to nothing.
  world.reply(asked);
  world.tell(room, "say still here");
  world.hear(room, "still here");
  world.fence();
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("asks: after an accepted end the room waits for gitple's") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "end 1");
  world.reply(world.asked(room, "end"));
  world.hear(room, R"(result 1 0 "OK")");
  const Received ok = world.end(room);
  CHECK(at(ok.payload, "result") == "OK");
  CHECK(world.hear(room, "end ended").index < ok.index);
}

TEST_CASE("asks: after an accepted end a room that gitple forgets closes by itself") {
  World world({.host = {.gitple = "leave_timeout = 0.2"}});
  const Room room;
  world.start(room);
  world.tell(room, "end 1");
  world.reply(world.asked(room, "end"));
  world.hear(room, R"(result 1 0 "OK")");
  world.hear(room, "end left");
  world.broker.wait_for_unsubscription(room.msg_sub());
  // Gitple's end, which is late, and a new start find what they expect.
  CHECK(at(world.end(room).payload, "result") == "OK");
  world.start(room);
  world.tell(room, "say here again");
  world.hear(room, "here again");
}

TEST_CASE("asks: one answer is enough where the bot asked twice") {
  World world({.host = {.gitple = "leave_timeout = 0.3"}});
  const Room room;
  world.start(room);
  world.tell(room, "end 1;end 2");
  const Received first = world.asked(room, "end");
  const Received second = world.asked(room, "end");
  world.reply(first);
  world.reply(second);
  world.hear(room, R"(result 1 0 "OK")");
  world.hear(room, R"(result 2 0 "OK")");
  world.hear(room, "end left");
  world.fence();
  CHECK(world.client.unexpected(room.msg_pub()).empty());
}

TEST_CASE("asks: gitple's end and its answer may come in either order") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "end 1");
  const Received asked = world.asked(room, "end");
  CHECK(at(world.end(room).payload, "result") == "OK");
  world.hear(room, "end ended");
  world.reply(asked);
  world.fence();
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("asks: what a bot asks for in its last event is not asked") {
  World world;
  const Room room{.commands = "save end: end 1;say and now"};
  world.start(room);
  world.hear(room, "and now");
  CHECK(at(world.end(room).payload, "result") == "OK");
  world.hear(room, "end ended");
  world.fence();
  CHECK(world.client.unexpected(room.cmd_pub()).empty());
}
