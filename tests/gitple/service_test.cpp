// What the transcripts cannot show: counts, refusals of the broker, and what happens in between.
#include "gitple/service.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "gitple/stage.hpp"

namespace {

using Lines = std::vector<std::string>;
const std::string kRequests = "s/1/a/1/t/1/req/x";

std::string start(int room, int id = 1, int session = 1) {
  return fmt::format(
      R"({{"jsonrpc":"2.0","id":{1},"method":"start","params":{{"_context":{{"room":{0},"session":{2}}},)"
      R"("resPub":"s/1/a/1/res","msgSub":"s/1/a/1/in/{0}/+","msgPub":"s/1/a/1/out/{0}","cmdPub":"s/1/a/1/u/7/r/{0}/req/t/1"}}}})",
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
        Lines{ok(1), said(7, "hello"), ok(2), said(7, "bye, ended", 1, 1), ok(3), ok(4), said(7, "hello", 2, 2)});
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
      using Client::publish;
      void publish(std::string_view topic, std::string_view payload, Over) override {
        lines.push_back(fmt::format("{} {}", topic, payload));
      }
      [[nodiscard]] std::uint64_t losses() const override { return 0; }
      void subscribe(const std::string&, Done) override {}
      void unsubscribe(const std::string&) override {}
      void disown(const std::string&) override {}
    } watch(lines);
    botel::gitple::Service service(
        {}, watch, stage.runtime, [&](const std::string&) { return &stage.role; },
        [&](const std::string&, const std::string&) -> botel::runtime::Role& { return stage.role; }, stage.counters);
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
    for (int room = 0; room < 500; ++room) stage.arrive(kRequests, start(room));
    settle(stage.runtime);
    CHECK(stage.service.rooms() == 500);
    for (int room = 0; room < 500; ++room) stage.arrive(kRequests, end(room, 2));
    settle(stage.runtime);
    CHECK(stage.service.rooms() == 0);
  }
  CHECK_FALSE(stage.runtime.timers().next());
}

TEST_CASE("gitple: a topic of answers is subscribed once, and given back with the last room") {
  GitpleStage stage;
  const auto with_answers = [](int room, const char* topic) {
    std::string request = start(room);
    const std::string more = fmt::format(R"("cmdResPub":"{}",)", topic);
    return request.insert(request.find("\"msgSub\""), more);
  };
  stage.receive(kRequests, with_answers(7, "s/1/a/1/answers"));
  stage.receive(kRequests, with_answers(8, "s/1/a/1/answers"));
  stage.receive(kRequests, with_answers(9, "s/1/a/1/u/9/r/9/res"));
  stage.receive(kRequests, end(7, 2));
  Lines lines = stage.take();
  CHECK(std::ranges::count(lines, "+ s/1/a/1/answers") == 1);
  CHECK(std::ranges::count(lines, "- s/1/a/1/answers") == 0);
  CHECK(std::ranges::count(lines, "+ s/1/a/1/u/9/r/9/res") == 0);
  stage.client.refuse = "answers";  // which is no reason to refuse the start
  stage.receive(kRequests, end(8, 2));
  stage.receive(kRequests, with_answers(7, "s/1/a/1/answers"));
  lines = stage.take();
  CHECK(std::ranges::count(lines, "- s/1/a/1/answers") == 1);
  CHECK(std::ranges::count(lines, ok(1)) == 1);
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

TEST_CASE("gitple: an end does not wait for a retry; what was to be tried again has failed") {
  GitpleStage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_ROOM_MESSAGE) return BOTEL_RETRY_AFTER(1'000'000);
    return transcript_bot(call, event);
  };
  stage.receive(kRequests, start(7));
  stage.receive("s/1/a/1/in/7/7", R"({"m":"x"})");
  stage.take();
  stage.receive(kRequests, end(7, 2));
  CHECK(stage.take() == Lines{said(7, "bye, ended", 1, 1), ok(2), "- s/1/a/1/in/7/+"});
  CHECK(stage.count("events_failed_total") == 1);
}

TEST_CASE("gitple: a start that is tried again fails when another request waits for it") {
  GitpleStage stage;
  stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_RETRY_AFTER(1'000'000); };
  stage.receive(kRequests, start(7, 1));
  CHECK(stage.take() == Lines{"+ s/1/a/1/in/7/+"});
  stage.receive(kRequests, end(7, 2));
  const Lines lines = stage.take();
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].find(R"("id":1,"error":{"code":-32003)") != std::string::npos);
  CHECK(lines[1] == "- s/1/a/1/in/7/+");
  CHECK(lines[2].find(R"("id":2,"error":{"code":-32002)") != std::string::npos);
  CHECK(stage.service.rooms() == 0);
}

TEST_CASE("gitple: what waits for a bot that does not keep up is bounded, dropped and counted") {
  GitpleStage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_ROOM_MESSAGE) return BOTEL_RETRY_AFTER(1'000'000);
    return transcript_bot(call, event);
  };
  stage.receive(kRequests, start(7));
  for (int i = 0; i < 1500; ++i) stage.arrive("s/1/a/1/in/7/7", R"({"m":"x"})");
  CHECK(stage.count("gitple_messages_dropped_total") == 500);
}

TEST_CASE("gitple: requests that wait for a room are bounded") {
  GitpleStage stage;
  stage.client.answering = false;
  stage.receive(kRequests, start(7, 0));
  for (int i = 1; i <= 150; ++i) stage.receive(kRequests, end(7, i));
  Lines lines = stage.take();
  CHECK(lines.size() == 51);
  CHECK(lines.back().find("too many requests wait for this room") != std::string::npos);
}

TEST_CASE("gitple: a bot that asks for the end without being answered is not heard for ever") {
  GitpleStage stage;
  stage.receive(kRequests, start(7));
  stage.take();
  for (int i = 0; i < 150; ++i) stage.arrive("s/1/a/1/in/7/7", R"({"m":"end"})");
  settle(stage.runtime);
  CHECK(stage.take().size() == 100);
}

TEST_CASE("gitple: a msgSub is shared by few, and never one for requests") {
  GitpleStage stage;
  const auto shared = [](int room, const std::string& filter) {
    return fmt::format(
        R"({{"jsonrpc":"2.0","id":{0},"method":"start","params":{{"_context":{{"room":{0}}},"resPub":"s/1/a/1/res",)"
        R"("msgSub":"{1}","msgPub":"s/1/a/1/out","cmdPub":"s/1/a/1/u/7/r/7/req/t/1"}}}})",
        room, filter);
  };
  for (int room = 0; room < 101; ++room) stage.arrive(kRequests, shared(room, "s/1/a/1/in/+"));
  settle(stage.runtime);
  CHECK(stage.service.rooms() == 100);
  for (const char* filter : {"s/1/a/1/t/1/req/+", "s/1/a/1/t/1/+", "s/1/a/1/t/9/req/t/9"}) {
    CAPTURE(filter);
    stage.take();
    stage.receive(kRequests, shared(200, filter));
    const Lines lines = stage.take();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("Invalid params: params.msgSub takes in requests") != std::string::npos);
  }
  CHECK(stage.service.rooms() == 100);
}

TEST_CASE("gitple: a start that is refused leaves the conversation that it would have replaced") {
  GitpleStage stage;
  stage.receive(kRequests, start(7));
  stage.take();
  std::string bad = start(7, 2, 2);
  bad.replace(bad.find("s/1/a/1/in/7/+"), 14, "s/1/a/1/t/1/+ ");
  stage.receive(kRequests, bad);
  CHECK(stage.take().size() == 1);
  stage.receive("s/1/a/1/in/7/7", R"({"m":"still there?"})");
  CHECK(stage.take() == Lines{said(7, "heard still there?", 1, 1)});
}

TEST_CASE("gitple: the ids of what bots ask are 128 bits that nobody can guess") {
  GitpleStage stage;
  std::set<std::string> halves;
  for (int room = 1; room <= 10; ++room) {
    stage.receive(kRequests, start(room));
    stage.receive(fmt::format("s/1/a/1/in/{0}/{0}", room), R"({"m":"end"})");
    const std::string ask = stage.take().back();
    const std::string id = ask.substr(ask.find("botel-") + 6);
    REQUIRE(id.find('"') == 32);
    halves.insert({id.substr(0, 16), id.substr(16, 16)});
  }
  CHECK(halves.size() == 20);
}

TEST_CASE("gitple: a room whose bot was accepted to leave starts anew with the same session") {
  GitpleStage stage;
  stage.receive(kRequests, start(7));
  stage.receive("s/1/a/1/in/7/7", R"({"m":"transfer"})");
  std::string ask = stage.take().back();
  const auto at = ask.find("botel-");
  const std::string id = ask.substr(at, ask.find('"', at) - at);
  stage.receive("s/1/a/1/u/7/r/7/res", R"({"jsonrpc":"2.0","id":")" + id + R"(","result":"OK"})");
  stage.take();
  stage.receive(kRequests, start(7, 2));
  CHECK(stage.take() == Lines{said(7, "bye, replaced", 1, 2), ok(2), said(7, "hello", 1, 3)});
  stage.pass(std::chrono::seconds(60));
  stage.receive("s/1/a/1/in/7/7", R"({"m":"x"})");
  CHECK(stage.take().size() == 1);
}

// Bots that do not come to it
// ------------------------------------------------------------------------------------------

namespace {

std::string error(int id, std::string_view message) {
  return fmt::format(R"(< s/1/a/1/res {{"jsonrpc":"2.0","id":{},"error":{{"code":-32003,"message":"{}"}}}})", id,
                     message);
}

}  // namespace

TEST_CASE("gitple: a start that the bot does not come to is refused in time, and does not happen afterwards") {
  GitpleStage stage;
  stage.role.suspend(true);  // as if all its threads hung
  stage.receive(kRequests, start(7, 1));
  stage.receive(kRequests, end(7, 2));
  stage.pass(std::chrono::milliseconds(29'999));
  CHECK(stage.take() == Lines{"+ s/1/a/1/in/7/+"});
  stage.pass(std::chrono::milliseconds(1));
  // The end finds no room.
  CHECK(
      stage.take() ==
      Lines{
          error(1, "The bot has not started in time"),
          R"(< s/1/a/1/res {"jsonrpc":"2.0","id":2,"error":{"code":-32002,"message":"Room unknown: no bot is in this room"}})",
          "- s/1/a/1/in/7/+"});
  CHECK(stage.service.rooms() == 0);
  CHECK(stage.count("gitple_timeouts_total") == 1);
  stage.role.suspend(false);
  stage.pass(std::chrono::hours(1));
  CHECK(stage.take().empty());
}

TEST_CASE("gitple: an end that the bot does not come to is refused in time, and happens when it does") {
  GitpleStage stage;
  stage.receive(kRequests, start(7, 1));
  stage.take();
  stage.role.suspend(true);
  stage.receive("s/1/a/1/in/7/7", R"({"m":"before"})");
  stage.receive(kRequests, end(7, 2));
  stage.receive(kRequests, start(7, 3, 2));  // waits for the end
  stage.pass(std::chrono::seconds(30));
  CHECK(stage.take() ==
        Lines{error(2, "The bot has not ended in time"), error(3, "The bot is still busy in this room")});
  // Nobody waits for ever.
  stage.receive(kRequests, end(7, 4));
  CHECK(stage.take() == Lines{error(4, "The bot is still busy in this room")});
  stage.role.suspend(false);
  stage.pass(std::chrono::seconds(0));
  CHECK(stage.take() ==
        Lines{said(7, "heard before", 1, 30'000), said(7, "bye, ended", 1, 30'001), "- s/1/a/1/in/7/+"});
  stage.receive(kRequests, end(7, 5));
  CHECK(stage.take() == Lines{ok(5)});
}

TEST_CASE("gitple: a bot that is slow, but in time, is told nothing of it") {
  GitpleStage stage;
  stage.role.suspend(true);
  stage.receive(kRequests, start(7, 1));
  stage.pass(std::chrono::seconds(20));
  stage.role.suspend(false);
  stage.pass(std::chrono::seconds(0));
  stage.role.suspend(true);
  stage.receive(kRequests, end(7, 2));
  stage.pass(std::chrono::seconds(20));
  stage.role.suspend(false);
  stage.pass(std::chrono::seconds(0));
  stage.pass(std::chrono::hours(1));
  const auto lines = stage.take();
  CHECK(std::ranges::count(lines, ok(1)) == 1);
  CHECK(std::ranges::count(lines, ok(2)) == 1);
  CHECK(stage.count("gitple_timeouts_total") == 0);
}
