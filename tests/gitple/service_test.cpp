// What the transcripts cannot show: counts, refusals of the broker, and what happens in between.
#include "gitple/service.hpp"

#include <doctest/doctest.h>

#include "gitple/stage.hpp"

namespace {

using Lines = std::vector<std::string>;
const std::string kRequests = "s/1/a/1/t/1/req/x";

std::string start(int room, int id = 1, int session = 1) {
  return fmt::format(
      R"({{"jsonrpc":"2.0","id":{1},"method":"start","params":{{"_context":{{"room":{0},"session":{2}}},)"
      R"("resPub":"s/1/a/1/res","msgSub":"s/1/a/1/in/{0}/+","msgPub":"s/1/a/1/out/{0}","cmdPub":"s/1/a/1/r/{0}/req/t/1"}}}})",
      room, id, session);
}
std::string end(int room, int id, int session = 1) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{1},"method":"end","params":{{"_context":{{"room":{0},"session":{2}}},)"
                     R"("resPub":"s/1/a/1/res"}}}})",
                     room, id, session);
}
std::string ok(int id) { return fmt::format(R"(< s/1/a/1/res {{"jsonrpc":"2.0","id":{},"result":"OK"}})", id); }
std::string said(int room, std::string_view text, int session = 1, int t = 0) {
  return fmt::format(R"(< s/1/a/1/out/{} {{"t":{},"m":"{}","_context":{{"room":{},"session":{}}},"_sid":{}}})", room,
                     1'700'000'000'000 + t, text, room, session, session);
}

}  // namespace

TEST_CASE("gitple: a broker that refuses msgSub makes the start an error, and nothing of the room stays") {
  GitpleStage stage;
  stage.client.refuse = "in/7";
  stage.receive(kRequests, start(7));
  CHECK(stage.take() == Lines{R"(< s/1/a/1/res {"jsonrpc":"2.0","id":1,"error":{"code":-32004,)"
                              R"("message":"The broker refused msgSub: Not authorized"}})"});
  CHECK(stage.service.rooms() == 0);
}

TEST_CASE("gitple: before the SUBACK nothing happens; what comes meanwhile is served in its order") {
  GitpleStage stage;
  stage.client.answering = false;
  stage.receive(kRequests, start(7, 1));
  stage.receive(kRequests, start(7, 2));
  stage.receive(kRequests, end(7, 3));
  stage.receive(kRequests, start(7, 4, 2));
  stage.receive("s/1/a/1/in/7/7", R"({"m":"early"})");
  CHECK(stage.take() == Lines{"+ s/1/a/1/in/7/+"});
  stage.client.answering = true;
  stage.client.answer();
  settle(stage.runtime);
  CHECK(stage.take() ==
        Lines{ok(1), said(7, "hello"), ok(2), said(7, "bye, ended", 1, 1), ok(3), ok(4), said(7, "hello", 2)});
  CHECK(stage.count("gitple_unknown_topics_total") == 1);
}

TEST_CASE("gitple: retained, oversized and malformed payloads are counted") {
  GitpleStage stage;
  botel::mqtt::Message retained{kRequests, start(7), 10, true, false};
  stage.service.receive(retained);
  botel::mqtt::Message large{kRequests, "", 100'000'000, false, true};
  stage.service.receive(large);
  stage.receive(kRequests, "not JSON");
  stage.receive(kRequests, std::string("{}\0{}", 5));
  stage.receive(kRequests, "{\"\xff\":1}");
  stage.receive(kRequests, std::string(2'000'000, '['));
  stage.receive("s/1/a/1/nowhere", "{}");
  stage.receive("s/1/a/1/u/1/r/1/res", R"({"id":"x","result":1})");
  CHECK(stage.take().empty());
  CHECK(stage.service.rooms() == 0);
  CHECK(stage.count("gitple_retained_total") == 1);
  CHECK(stage.count("gitple_over_limit_total") == 1);
  CHECK(stage.count("gitple_requests_malformed_total") == 4);
  CHECK(stage.count("gitple_unknown_topics_total") == 2);
}

TEST_CASE("gitple: messages of a session that is over are counted") {
  GitpleStage stage;
  stage.receive(kRequests, start(7));
  stage.receive("s/1/a/1/in/7/7", R"({"m":"x","_sid":"2"})");
  CHECK(stage.count("gitple_messages_stale_total") == 1);
  stage.receive("s/1/a/1/in/7/7", "x");
  CHECK(stage.count("gitple_messages_malformed_total") == 1);
}

TEST_CASE("gitple: rooms that are owed an answer when the host stops get an error") {
  Lines lines;
  {
    GitpleStage stage;
    stage.client.answering = false;
    struct Watch : botel::mqtt::Client {
      Lines& lines;
      explicit Watch(Lines& to) : lines(to) {}
      void publish(std::string_view topic, std::string_view payload) override {
        lines.push_back(fmt::format("{} {}", topic, payload));
      }
      void subscribe(const std::string&, Done) override {}
      void unsubscribe(const std::string&) override {}
    } watch(lines);
    botel::gitple::Service service(
        {}, watch, stage.runtime, [&](const std::string&) { return stage.logic; }, stage.counters);
    botel::mqtt::Message message{kRequests, start(7)};
    service.receive(message);
    CHECK(lines.empty());
  }
  CHECK(
      lines ==
      Lines{
          R"(s/1/a/1/res {"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error: the request was dropped"}})"});
}

TEST_CASE("gitple: many rooms come and go, and leave nothing behind") {
  GitpleStage stage;
  for (int round = 0; round < 3; ++round) {
    for (int room = 0; room < 500; ++room) stage.receive(kRequests, start(room));
    CHECK(stage.service.rooms() == 500);
    for (int room = 0; room < 500; ++room) stage.receive(kRequests, end(room, 2));
    CHECK(stage.service.rooms() == 0);
  }
  CHECK_FALSE(stage.runtime.timers().next());
}

TEST_CASE("gitple: open() says once whether all filters are granted") {
  for (const std::string refused : {"", "req", "res"}) {
    GitpleStage stage;
    stage.client.refuse = refused;
    Lines told;
    stage.service.open([&](const botel::Result<>& granted) { told.push_back(granted ? "granted" : granted.error()); });
    REQUIRE(told.size() == 1);
    CHECK((told[0] == "granted") == refused.empty());
    CHECK(told[0].find(refused) != std::string::npos);
  }
}
