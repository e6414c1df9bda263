#include "gitple/unread.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "gitple/stage.hpp"

using namespace botel::gitple;
using namespace std::string_literals;

namespace {

const Source kSource{"1", "1", "1"};
const std::string kTopic = "s/1/a/1/t/1/req/x";

// Who would be told: "id topic", a line each.
std::string told(std::string_view payload) {
  std::string lines;
  for (const auto& request : refuse_all(kSource, payload, {}).list) lines += request.id + " " + request.res_pub + "\n";
  return lines;
}

std::string request(const std::string& id, const std::string& topic = "s/1/a/1/res") {
  return fmt::format(R"({{"id":{},"params":{{"resPub":"{}"}}}})", id, topic);
}

std::string batch(std::size_t size, const std::string& request) {
  std::string text = "[" + request;
  for (std::size_t i = 1; i < size; ++i) text += "," + request;
  return text + "]";
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("unread: id and resPub are found wherever they stand") {
  for (const std::string& payload :
       {R"({"id":1,"params":{"resPub":"s/1/a/1/res"}})"s, R"({ "params" : { "resPub" : "s/1/a/1/res" } , "id" : 1 })"s,
        R"({"id":1,"params":{"_context":{"resPub":"s/1/a/1/no","id":2},"resPub":"s/1/a/1/res"},"x":[{"id":3}]})"s,
        R"({"id":1,"params":{"resPub":"s/1/a/1/res","deep":)" + nested(100'000) + "}}",
        R"({"deep":)" + nested(100'000) + R"(,"id":1,"params":{"resPub":"s/1/a/1/res"}})",
        R"({"a":"\"id\":2,{[","id":1,"params":{"b":"}\\","resPub":"s/1/a/1/res"})"s,
        R"({"params":{"resPub":"s/1/a/1/res"},"id":1,"half)"s,
        R"(!{"params":{"resPub":"s/1/a/1/res"},,,'id':2,"id":1)"s,
        R"({"params":7,"id":2,"params":{"resPub":"s/1/a/1/\u0072es"},"id":1})"s}) {
    CAPTURE(payload.substr(0, 100));
    CHECK(told(payload) == "1 s/1/a/1/res\n");
  }
}

TEST_CASE("unread: an id that is none is null, a resPub that is none is nobody's") {
  for (const std::string id : {"", "null", "true", "1e400", "12x", "[1]", "{}", "\"\xff\"", "\"\x01\""}) {
    CAPTURE(id);
    CHECK(told(request(id)) == "null s/1/a/1/res\n");
  }
  CHECK(told(request(R"("\ud83d\u0041")")) == "\"\\ud83d\\u0041\" s/1/a/1/res\n");
  CHECK(told(R"({"params":{"resPub":"s/1/a/1/res"},"id":"half)") == "null s/1/a/1/res\n");
  for (const std::string topic : {"", "s/1/a/2/res", "s/1/a/1/+", "s/1/a/1/\xff", "s/1/a/1/\\u0000", "$SYS/x"}) {
    CAPTURE(topic);
    CHECK(told(request("1", topic)).empty());
  }
}

TEST_CASE("unread: all of a batch are told, and where it is too large, each resPub once") {
  const auto of = [](std::size_t size) { return refuse_all(kSource, batch(size, request("1")), {}); };
  CHECK(of(2).batch);
  CHECK(of(2).list.size() == 2);
  CHECK(of(kLargestBatch).list.size() == kLargestBatch);
  CHECK_FALSE(of(kLargestBatch + 1).batch);
  REQUIRE(of(kLargestBatch + 1).list.size() == 1);
  CHECK(of(kLargestBatch + 1).list[0].id == "null");
  CHECK(told(batch(2, request("1", "s/1/a/1/a") + "," + request("2", "s/1/a/1/b") + ",5,[],{}")) ==
        "1 s/1/a/1/a\n2 s/1/a/1/b\n1 s/1/a/1/a\n2 s/1/a/1/b\n");
}

TEST_CASE("unread: the outline of a payload tells the same as the payload, and is small") {
  const std::string large = R"({"x":")" + std::string(1'000'000, 'x') + R"(",)";
  for (const std::string& payload :
       {large + request("1").substr(1), large + R"("id":1e5,"params":{"resPub":"s/1/a/1/a"},"x":)",
        R"({"params":{"resPub":"s/1/a/1/res"},"id":"half)"s, "[" + request("1") + "," + request("2"), "[]"s, ""s,
        batch(kLargestBatch + 1, request("1"))}) {
    CAPTURE(payload.substr(0, 100));
    CHECK(told(outline(kTopic, payload)) == told(payload));
  }
  CHECK(outline("s/1/a/1/u/7/r/7/u/7", request("1")).empty());
  CHECK(told(outline(kTopic, request('"' + std::string(1'000'000, 'x') + '"'))).empty());
  CHECK(outline(kTopic, batch(900, request('"' + std::string(1000, 'x') + '"'))).size() < 100'000);
}

TEST_CASE("unread: no bytes do harm, and each answer is JSON") {
  std::mt19937 random(1);
  const std::string alphabet = R"({}[]:,""\u0d8 1e)"s + "\0\xff\n"s;
  const std::vector<std::string> words{R"("id")", R"("params":{)", R"("resPub":"s/1/a/1/res")", ":", "1", "\\ud83d"};
  for (int round = 0; round < 20'000; ++round) {
    std::string payload;
    for (int i = 0; i < 12; ++i) {
      payload +=
          random() % 2 == 0 ? words[random() % words.size()] : std::string(1, alphabet[random() % alphabet.size()]);
    }
    for (const auto& found : refuse_all(kSource, payload, {}).list) {
      REQUIRE_MESSAGE(botel::json::read(botel::json::Repaired(encode_error(found.id, 1, "")).text()), payload);
      REQUIRE(found.res_pub == "s/1/a/1/res");
    }
    static_cast<void>(outline(kTopic, payload));
  }
}

TEST_CASE("gitple: what is refused as a whole is answered, and counted") {
  GitpleStage stage;
  const auto answers = [&](const std::string& payload) {
    stage.receive(kTopic, payload);
    return fmt::format("{}", fmt::join(stage.take(), "\n"));
  };
  const std::string error = R"(< s/1/a/1/res {"jsonrpc":"2.0","id":1,"error":{"code":-32700,"message":"Parse error: )";
  const std::string begin =
      R"({"jsonrpc":"2.0","id":1,"method":"end","params":{"resPub":"s/1/a/1/res","_context":{"room":7,"x":)";
  CHECK(answers(begin + nested(62) + "}}}") == error + R"(nested deeper than 64 levels"}})");
  CHECK(answers(begin + std::string(400, '1') + "}}}").starts_with(error + "Number too big"));
  CHECK(answers(begin + "\"\xff\"}}}").starts_with(error + "Invalid encoding in string."));
  CHECK(answers(begin + "1}}}{}").starts_with(error));
  CHECK(stage.count("gitple_requests_malformed_total") == 4);
  CHECK(stage.count("gitple_requests_refused_total") == 4);

  CHECK(answers(batch(1001, "1," + request("5"))) ==
        R"(< s/1/a/1/res {"jsonrpc":"2.0","id":null,"error":{"code":-32600,)"
        R"("message":"Invalid Request: a batch of 2002 requests, where 1000 is the most"}})");
  CHECK(stage.count("gitple_requests_refused_total") == 5);

  botel::mqtt::Message large{kTopic, outline(kTopic, begin + "1}}}"), 5'000'000, false, true};
  stage.service.receive(large);
  CHECK(stage.take() == std::vector<std::string>{R"(< s/1/a/1/res {"jsonrpc":"2.0","id":1,"error":{"code":-32600,)"
                                                 R"("message":"Invalid Request: 5000000 bytes are over the limit"}})"});
}

TEST_CASE("gitple: a NUL behind a payload, and byte order marks at its ends, are taken off") {
  GitpleStage stage;
  const std::string mark = "\xEF\xBB\xBF";
  const std::string start =
      R"({"jsonrpc":"2.0","method":"start","params":{"_context":{"room":7},"msgSub":"s/1/a/1/in",)"
      R"("msgPub":"s/1/a/1/out","cmdPub":"s/1/a/1/u/7/r/7/req/t/1"}})";
  stage.receive(kTopic, mark + start + "\0"s);
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return FakeBot::say(call, FakeBot::view(event.detail));
  };
  stage.take();
  for (const std::string& payload : {mark + R"({"m":"x"})", R"({"m":"x"})" + mark, R"({"m":"x"})" + "\0"s}) {
    stage.receive("s/1/a/1/in", payload);
    const auto lines = stage.take();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find(R"("m":"{\"m\":\"x\"}")") != std::string::npos);
  }
}
