// What comes from outside and is no good: an answer where one is possible, a line in the log that gives nothing away,
// and the host goes on.
#include <doctest/doctest.h>

#include "harness/world.hpp"

using namespace harness;
using namespace std::string_literals;

namespace {

// Must never be seen in a log.
constexpr const char* kSecret = "s3cr3t-word";

struct Bad {
  std::string name, payload;
};

// No JSON at all, wherever it is sent.
std::vector<Bad> garbage() {
  const std::string message = R"({"m":"say s3cr3t-word"})";
  return {{"nothing", ""},
          {"a word", kSecret},
          {"half an object", R"({"m":"s3cr3t-word)"},
          {"a message, a NUL and more", message + "\0"s + kSecret},
          {"a NUL in a text", "{\"m\":\"say a\0b\"}"s},
          {"only a NUL", "\0"s},
          {"wrong UTF-8 in a text", "{\"m\":\"say \xff s3cr3t-word\"}"},
          {"UTF-8 that is cut off", "{\"m\":\"say \xec\x9d\"}"},
          {"UTF-8 longer than need be", "{\"m\":\"say \xc0\xaf\"}"},
          {"a surrogate in UTF-8", "{\"m\":\"say \xed\xa0\x80\"}"},
          {"UTF-16", "{\0\"\0m\0\"\0"s},
          {"a comment", "/* s3cr3t-word */" + message},
          {"single quotes", "{'m':'say s3cr3t-word'}"},
          {"a comma too many", R"({"m":"say s3cr3t-word",})"},
          {"NaN", R"({"m":NaN})"},
          {"two million [", std::string(2'000'000, '[')},
          {"nearly a limit of [", std::string(1'000'000, '[')},
          {"half a million {\"a\":",
           [] {
             std::string text;
             for (int i = 0; i < 200'000; ++i) text += R"({"a":)";
             return text;
           }()},
          {"nested, and closed", std::string(500'000, '[') + std::string(500'000, ']')}};
}

}  // namespace

TEST_CASE("bad input: what is no JSON is counted and named without its content, on every kind of topic") {
  World world;
  const Room room;
  world.start(room);
  const std::vector<Bad> all = garbage();
  for (const std::string& topic : {room.requests(), room.from_user(), room.cmd_answers()}) {
    for (const Bad& bad : all) {
      CAPTURE(topic);
      CAPTURE(bad.name);
      world.client.publish(topic, bad.payload);
      world.tell(room, "say fine");
      world.hear(room, "fine");
    }
  }
  world.fence();
  CHECK(world.client.unexpected("#").empty());
  CHECK(world.host.stop() == 0);
  const std::string log = world.host.log();
  CHECK(count(log, kSecret) == 0);
  CHECK(is_json(quoted(log)));
  // Of two million [ the limit is passed before anybody looks.
  const std::string looked_at = std::to_string(all.size() - 1);
  CHECK(count(log, "gitple_requests_malformed_total " + looked_at + "\n") == 1);
  CHECK(count(log, "gitple_messages_malformed_total " + looked_at + "\n") == 1);
  CHECK(count(log, "gitple_over_limit_total 3\n") == 1);
  for (const std::string& topic : {room.requests(), room.from_user()}) {
    CHECK(lines_with(log, topic).size() == all.size());
  }
}

TEST_CASE("bad input: a request that is no JSON, or over a limit, is answered where its resPub can be found") {
  World world;
  const Room room;
  const std::string end = request("1", "end", room.end_params());
  const auto with = [&](const std::string& value) {
    return request("1", "end", R"({"x":)" + value + "," + room.end_params().substr(1));
  };
  struct Case {
    std::string name, payload, code;
  };
  for (const Case& c : std::vector<Case>{
           {"more behind it", end + kSecret, "-32700"},
           {"two requests", end + end, "-32700"},
           {"a number that is too large", with("1e400"), "-32700"},
           {"a number of 400 digits", with(std::string(400, '7')), "-32700"},
           {"too deep", with(std::string(65, '[') + std::string(65, ']')), "-32700"},
           {"deep as a well", with(std::string(400'000, '[') + std::string(400'000, ']')), "-32700"},
           {"wrong UTF-8", with("\"\xff\""), "-32700"},
           {"cut off", R"({"id":1,"params":{"resPub":"s/1/a/1/t/1/res","user":{"name":"s3cr3t-word)", "-32700"},
           {"over the limit", with('"' + std::string(5'000'000, 'x') + '"'), "-32600"}}) {
    CAPTURE(c.name);
    world.client.publish(room.requests(), c.payload);
    const Received answer = world.answer(room, "1");
    CHECK(at(answer.payload, "error.code") == c.code);
    CHECK(count(answer.payload, kSecret) == 0);
  }
  world.fence();
  CHECK(world.client.unexpected("#").empty());
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), kSecret) == 0);
}

TEST_CASE("bad input: half an emoji, a NUL behind the end and a byte order mark are no reason for silence") {
  World world;
  const Room room{.more = R"("user":{"do":"info","name":"Kim \ud83d"})"};
  CHECK(at(world.start(room).payload, "result") == "OK");
  const Received info = world.client.expect(room.msg_pub());
  CHECK(at(at(info.payload, "m"), "user.name") == "Kim \uFFFD");

  const std::string mark = "\xef\xbb\xbf";
  for (const std::string& payload :
       {R"({"t":1,"m":"say hi \ud83d"})"s, R"({"t":1,"m":"say hi \ude00"})"s, mark + R"({"m":"say hi \uFFFD"})",
        R"({"m":"say hi \uFFFD"})" + mark, R"({"m":"say hi \uFFFD"})" + "\0"s}) {
    CAPTURE(payload);
    world.client.publish(room.from_user(), payload);
    world.hear(room, "hi \uFFFD");
  }
  world.client.publish(room.requests(), mark + request("\"\\ud83d\"", "end", room.end_params()) + "\0"s);
  CHECK(count(world.client.expect(room.res_pub()).payload, R"("id":"\ud83d","result":"OK")") == 1);
  world.hear(room, "end ended");

  // What comes back byte for byte is as it came.
  const std::string context = R"({"room":"8","session":104,"bot":"1","x":"\ud83d"})";
  world.start({.room = "8", .commands = "say hello", .context = context});
  CHECK(count(world.client.expect(Room{.room = "8"}.msg_pub()).payload, R"("_context":)" + context) == 1);
}

TEST_CASE("bad input: JSON that is neither a request nor a batch") {
  World world;
  const Room room;
  for (const std::string payload : {"7", "null", "true", "\"start\"", "[]", "-0.0"}) {
    world.client.publish(room.requests(), payload);
  }
  world.fence();
  CHECK(world.client.unexpected("#").empty());
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), "gitple_requests_malformed_total 6\n") == 1);
}

TEST_CASE("bad input: requests without a resPub that can be used are not answered, and harm nobody") {
  World world;
  const Room room;
  for (const std::string params :
       {"", R"(,"params":null)", R"(,"params":[])", R"(,"params":["s/1/a/1/t/1/res"])", R"(,"params":"x")",
        R"(,"params":7)", R"(,"params":{})", R"(,"params":{"resPub":7})", R"(,"params":{"resPub":{}})",
        R"(,"params":{"resPub":["s/1/a/1/t/1/res"]})", R"(,"params":{"resPub":""})"}) {
    for (const std::string method : {"start", "end", "other"}) {
      world.client.publish(room.requests(), R"({"jsonrpc":"2.0","id":1,"method":")" + method + "\"" + params + "}");
    }
  }
  world.fence();
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("bad input: messages that are JSON and no message are dropped, and the next one is heard") {
  World world;
  const Room room;
  world.start(room);
  const std::vector<std::string> bad{
      "7", "null", "[]", R"("say s3cr3t-word")", R"([{"m":"say s3cr3t-word"}])", R"({"e":{"read":1e400}})"};
  for (const std::string& payload : bad) {
    CAPTURE(payload);
    world.client.publish(room.from_user(), payload);
    world.tell(room, "say fine");
    world.hear(room, "fine");
    CHECK(world.client.unexpected(room.msg_pub()).empty());
  }
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), kSecret) == 0);
  CHECK(count(world.host.log(), "gitple_messages_malformed_total " + std::to_string(bad.size()) + "\n") == 1);
}

TEST_CASE("bad input: events that nobody knows, and texts that are none, reach the bot") {
  World world;
  const Room room;
  world.start(room);
  for (const std::string e : {R"("keyIn")", "[]", "7", R"({"read":"now"})", R"({"read":-1})", R"({"keyIn":"x"})",
                              R"({"read":99999999999999999999999})", R"({"read":{}})", R"({ "new" : [1.50] })"}) {
    CAPTURE(e);
    world.client.publish(room.from_user(), R"({"e":)" + e + "}");
    world.hear(room, "event " + e);
  }
  world.client.publish(room.from_user(), R"({"m":7,"c":{"n":1}})");
  world.hear(room, R"(chose {"n":1} as 7)");
  const Room other{.bot = "echo", .room = "8"};
  world.start(other);
  for (const std::string m : {"7", "true"}) {
    world.client.publish(other.from_user(), R"({"m":)" + m + "}");
    world.hear(other, "you said: " + m);
  }
}

TEST_CASE("bad input: 100 MB are over the limit, on every kind of topic") {
  World world;
  const Room room;
  world.start(room);
  const std::string huge = R"({"m":"s3cr3t-word)" + std::string(100'000'000, 'x') + "\"}";
  for (const std::string& topic : {room.requests(), room.from_user(), room.cmd_answers()}) {
    world.client.publish(topic, huge);
    world.tell(room, "say fine");
    world.hear(room, "fine");
  }
  CHECK(world.host.stop() == 0);
  const std::string log = world.host.log();
  CHECK(lines_with(log, "over the limit").size() == 3);
  CHECK(count(log, kSecret) == 0);
  CHECK(count(log, "gitple_over_limit_total 3\n") == 1);
}

TEST_CASE("bad input: a batch of half a million nothings is one mistake, not half a million lines") {
  World world;
  const Room room;
  std::string batch = "[1";
  for (int i = 0; i < 500'000; ++i) batch += ",1";
  world.client.publish(room.requests(), batch + "]");
  world.fence();
  CHECK(world.client.unexpected("#").empty());
  CHECK(lines_with(world.host.log(), "a batch of 500001 requests, where 1000 is the most").size() == 1);
  CHECK(lines_with(world.host.log(), "warning").size() < 10);
}

TEST_CASE("bad input: long topics and ids of nobody's are harmless") {
  World world;
  const Room room;
  std::string deep = room.tenant() + "t/1/req";
  for (int i = 0; i < 150; ++i) deep += "/x";
  for (const std::string& topic :
       {deep, room.tenant() + "t/1/req/" + std::string(60'000, 'y'), std::string("s/1/a/1/t/1/req"),
        std::string("s/1/a/1/u/7/r/7/res/x"), std::string("s/1/a/1/u/7/r/7/u/7"), room.tenant() + "t/ /req/t/1"}) {
    CAPTURE(topic.substr(0, 100));
    world.client.publish(topic, R"({"jsonrpc":"2.0","id":1,"method":"end"})");
    world.client.publish(topic, R"({"jsonrpc":"2.0","id":"1","result":"OK"})");
    world.fence();
  }
  CHECK(world.client.unexpected("#").empty());
}

TEST_CASE("bad input: what users write, and what the ids are, is not in the log at info") {
  World world;
  const Room room{.commands = "say s3cr3t-word"};
  world.start(room);
  world.hear(room, kSecret);
  world.tell(room, "say s3cr3t-word;end 1");
  world.hear(room, kSecret);
  world.reply(world.asked(room, "end"), R"("error":{"code":1,"message":"s3cr3t-word"})");
  world.client.expect(room.msg_pub(), contains("result 1 1"));
  world.client.publish(room.requests(), request(quoted(kSecret), "s3cr3t-word", room.end_params()));
  CHECK(at(world.answer(room, quoted(kSecret)).payload, "error.code") == "-32601");
  world.client.publish(room.requests(),
                       request("1", "start", R"({"_context":"s3cr3t-word","resPub":"s/1/a/1/t/1/res"})"));
  world.answer(room, "1");
  Room bad = room;
  bad.room = "other";
  bad.more = R"("msgPub":"s3cr3t-word/+")";
  CHECK(at(world.start(bad).payload, "error.code") == "-32602");
  world.end(room);
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), kSecret) == 0);
}
