// Rooms whose bot is replaced, away, failing, or cannot read what it left.
#include <doctest/doctest.h>

#include "gitple/service.hpp"
#include "gitple/stage.hpp"

namespace {

using Lines = std::vector<std::string>;
using std::chrono::minutes;
using std::chrono::seconds;

const std::string kRequests = "s/1/a/1/t/1/req/x";
const std::string kMessages = "s/1/a/1/in/7/7";

std::string start(int id = 1, int session = 1) {
  return fmt::format(
      R"({{"jsonrpc":"2.0","id":{0},"method":"start","params":{{"_context":{{"room":7,"session":{1}}},)"
      R"("resPub":"s/1/a/1/res","msgSub":"s/1/a/1/in/7/+","msgPub":"s/1/a/1/out/7","cmdPub":"s/1/a/1/u/7/r/7/req/t/1"}}}})",
      id, session);
}
std::string end(int id) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"end","params":{{"_context":{{"room":7,"session":1}},)"
                     R"("resPub":"s/1/a/1/res"}}}})",
                     id);
}

bool has(const Lines& lines, std::string_view part) {
  return std::ranges::any_of(lines, [&](const auto& line) { return line.find(part) != std::string::npos; });
}

// What the bot says, and then it keeps a state.
void keep_state(GitpleStage& stage) {
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "x"));
    if (FakeBot::view(event.payload) == "later") return FakeBot::say(call, "late", 60'000);
    return transcript_bot(call, event);
  };
}

// A version that cannot read the state takes over, and its rooms begin anew.
void begin_anew(GitpleStage& stage) {
  const auto next = stage.bot.logic("fake", 9, 9);
  stage.service.restart_unreadable(stage.role, *next);
  stage.runtime.take_over(stage.role, next);
  stage.pass(seconds(1));
}

}  // namespace

TEST_CASE("versions: a room that was silent while its bot was away is watched again when it is back") {
  GitpleStage stage;
  stage.receive(kRequests, start());
  stage.runtime.take_over(stage.role, nullptr);
  stage.pass(minutes(11));
  const auto before = stage.count("events_total");
  stage.runtime.take_over(stage.role, stage.bot.logic("fake"));
  stage.pass(seconds(1));
  CHECK(stage.count("events_total") == before);  // nobody was there to be silent
  for (int i = 0; i < 30; ++i) stage.pass(minutes(1));
  CHECK(stage.count("events_total") > before);
}

TEST_CASE("versions: a room whose state nobody can read is ended all the same") {
  GitpleStage stage;
  keep_state(stage);
  stage.receive(kRequests, start());
  stage.runtime.take_over(stage.role, stage.bot.logic("fake", 9, 9));
  stage.receive(kMessages, R"({"m":"a"})");
  stage.take();
  stage.receive(kRequests, end(2));
  stage.pass(seconds(1));
  CHECK(has(stage.take(), R"("id":2,"result":"OK")"));
}

TEST_CASE("versions: a start whose bot goes while the broker has not granted its topic is refused") {
  GitpleStage stage;
  stage.client.answering = false;
  stage.receive(kRequests, start());
  stage.runtime.take_over(stage.role, nullptr);
  stage.service.give_up(stage.role);
  stage.client.answer();
  const auto lines = stage.take();
  CHECK(has(lines, R"("code":-32001)"));
  CHECK(lines.back() == "- s/1/a/1/in/7/+");
}

TEST_CASE("versions: a room that ends while its bot is rolled back is ended by the version that is back") {
  GitpleStage stage;
  stage.receive(kRequests, start());
  stage.take();
  stage.role.suspend(true);
  stage.receive(kMessages, R"({"m":"a"})");
  stage.receive(kRequests, end(2));
  CHECK(stage.take().empty());
  stage.role.suspend(false);
  stage.pass(seconds(1));
  const auto lines = stage.take();
  CHECK(has(lines, "heard a"));
  CHECK(has(lines, "bye, "));
  CHECK(has(lines, R"("id":2,"result":"OK")"));
}

TEST_CASE("versions: a room that is failing takes no start, and ends without its bot") {
  GitpleStage stage;
  stage.receive(kRequests, start());
  stage.take();
  stage.role.set_failing(true);
  stage.service.give_up(stage.role);
  stage.receive(kRequests, end(2));
  CHECK(has(stage.take(), R"("id":2,"result":"OK")"));
  stage.receive(kRequests, start(3, 2));
  CHECK(has(stage.take(), "The bot fails, and waits to be replaced"));
}

TEST_CASE("versions: a room that ends does not begin anew") {
  GitpleStage stage;
  keep_state(stage);
  stage.receive(kRequests, start());
  stage.take();
  stage.arrive(kRequests, end(2));
  begin_anew(stage);
  const auto lines = stage.take();
  CHECK_FALSE(has(lines, "hello"));
  CHECK(has(lines, R"("id":2,"result":"OK")"));
}

TEST_CASE("versions: what a room was still going to say is said before it begins anew") {
  GitpleStage stage;
  keep_state(stage);
  stage.receive(kRequests, start());
  stage.receive(kMessages, R"({"m":"later"})");
  stage.take();
  begin_anew(stage);
  const auto lines = stage.take();
  REQUIRE(lines.size() == 2);
  CHECK(has({lines[0]}, "late"));
  CHECK(has({lines[1]}, "hello"));
}
