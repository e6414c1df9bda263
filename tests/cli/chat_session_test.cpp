#include "cli/chat_session.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "cli/fakes.hpp"

using namespace botel;
using namespace std::chrono_literals;

namespace {

struct Talk {
  FakeClient client;
  cli::FakeView view;
  cli::ChatSession session{client, view, {"9", 7, 8, 104}};
  Time now{SteadyTime(1h), 1000};

  void wait(std::chrono::milliseconds time) {
    now.steady += time;
    now.unix_ms += time.count();
    session.advance(now.steady);
  }
  void receive(const std::string& topic, const std::string& payload) {
    mqtt::Message message{topic, payload, payload.size(), false, false};
    session.receive(message, now);
  }
  void respond(const std::string& id, const std::string& rest = R"("result":"OK")") {
    receive("s/1/a/1/t/9/res", R"({"jsonrpc":"2.0","id":")" + id + R"(",)" + rest + "}");
  }
  void bot(const std::string& payload) { receive("s/1/a/1/u/7/r/8/t/9", payload); }
  void ask(const std::string& payload) { receive("s/1/a/1/u/7/r/8/req/t/9", payload); }
  void enter(const std::string& line) { session.enter(line, now); }

  // As far as the bot's greeting, or its silence.
  void open() {
    session.open(now.steady);
    session.advance(now.steady);
    respond("chat-8-start");
    take_sent();
  }
  std::string take_sent() { return cli::take_sent(client); }
  std::string take_text() { return std::exchange(view.text, {}); }
  bool turn() const { return session.users_turn(now.steady); }
};

constexpr const char* kContext = R"({"sp":1,"app":1,"user":7,"room":8,"session":104,"bot":"9"})";

}  // namespace

TEST_CASE_FIXTURE(Talk, "chat session: a room is started and ended as the protocol says") {
  session.open(now.steady);
  CHECK(take_sent().empty());
  session.advance(now.steady);
  CHECK(take_sent() ==
        R"(s/1/a/1/t/9/req/t/9/i/app {"jsonrpc":"2.0","id":"chat-8-start","method":"start","params":{"_context":)" +
            std::string(kContext) +
            R"(,"user":{"id":7,"identifier":"botel-chat","role":"endUser","info":{},"anonymous":true},)"
            R"("resPub":"s/1/a/1/t/9/res","msgSub":"s/1/a/1/u/7/r/8/u/+","msgPub":"s/1/a/1/u/7/r/8/t/9",)"
            R"("cmdPub":"s/1/a/1/u/7/r/8/req/t/9","cmdResPub":"s/1/a/1/u/7/r/8/res/t/9/i/app"}})"
            "\n");
  respond("chat-8-start");
  CHECK(session.listens());
  take_sent();
  enter("/end");
  CHECK(take_sent() ==
        R"(s/1/a/1/t/9/req/t/9/i/app {"jsonrpc":"2.0","id":"chat-8-end","method":"end","params":{"_context":)" +
            std::string(kContext) + R"(,"user":null,"resPub":"s/1/a/1/t/9/res"}})" + "\n");
  bot(R"({"m":"bye"})");
  respond("chat-8-end");
  CHECK(session.over());
  CHECK(session.trouble().empty());
  CHECK(take_text() == "> /end\nbye\n(the conversation has ended)\n");
}

TEST_CASE_FIXTURE(Talk, "chat session: what is said carries t, m and _sid, and what is read is reported") {
  open();
  enter("헬로 \"123\"");
  enter("  ");
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":1000,"m":"헬로 \"123\"","_sid":104})"
                       "\n");
  bot(R"({"t":77,"m":"hi","_sid":104})");
  CHECK(take_sent().empty());
  wait(100ms);
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":1100,"e":{"read":77},"_sid":104})"
                       "\n");
  bot(R"({"t":78,"e":{"keyIn":"s"}})");
  bot(R"({"t":79,"m":"of another session","_sid":103})");
  CHECK(take_sent().empty());
  CHECK(take_text() == "> 헬로 \"123\"\nhi\n");
}

TEST_CASE_FIXTURE(Talk, "chat session: the bot is told once what was read, when it has had its say") {
  open();
  enter("hello");
  take_sent();
  bot(R"({"t":77,"m":"one"})");
  bot(R"({"t":78,"m":"two"})");
  bot(R"({"t":79,"e":{"keyIn":"s"}})");
  wait(1999ms);
  CHECK(take_sent().empty());
  bot(R"({"t":80,"m":"three"})");
  wait(99ms);
  CHECK(take_sent().empty());
  CHECK_FALSE(turn());
  wait(1ms);
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":3099,"e":{"read":80},"_sid":104})"
                       "\n");
  CHECK_FALSE(turn());
  wait(100ms);
  CHECK(turn());
}

TEST_CASE_FIXTURE(Talk, "chat session: what a bot says to a read receipt gets none, so that it ends") {
  open();
  enter("hello");
  bot(R"({"t":77,"m":"hi"})");
  wait(100ms);
  take_sent();
  for (int t = 78; t < 100; ++t) {
    bot(R"({"t":)" + std::to_string(t) + R"(,"m":"so you have read that"})");
    wait(1h);
    CHECK(take_sent().empty());
    CHECK(turn());
  }
  enter("and now?");
  take_sent();
  wait(1h);
  CHECK(take_sent().empty());
  bot(R"({"t":100,"m":"now"})");
  wait(100ms);
  CHECK(take_sent().find(R"("e":{"read":100})") != std::string::npos);
}

TEST_CASE_FIXTURE(Talk, "chat session: a number picks a choice until there are new ones") {
  open();
  bot(R"({"m":{"t":"?","a":[{"p":"button","t":"A","c":{"e":"a"}},{"p":"button","t":"B","e":"b","c":{"n":1}}]}})");
  bot(R"({"m":"no choices here"})");
  enter("1");
  enter("2");
  enter("3");
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":1000,"m":"a","c":null,"_sid":104})"
                       "\n"
                       R"(s/1/a/1/u/7/r/8/u/7 {"t":1001,"m":"b","c":{"n":1},"_sid":104})"
                       "\n"
                       R"(s/1/a/1/u/7/r/8/u/7 {"t":1002,"m":"3","_sid":104})"
                       "\n");
  bot(R"({"m":{"a":[{"p":"list","t":"C"}]}})");
  enter("2");
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":1003,"m":"2","_sid":104})"
                       "\n");
}

TEST_CASE_FIXTURE(Talk, "chat session: a choice that echoes nothing is sent, and not shown as said") {
  open();
  bot(R"({"m":{"t":"?","a":[{"p":"button","t":"Help","e":null,"c":{"n":1}}]}})");
  enter("1");
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":1000,"m":"","c":{"n":1},"_sid":104})"
                       "\n");
  CHECK(take_text() == "?\n  1. Help\n");
}

TEST_CASE_FIXTURE(Talk, "chat session: a form is filled line by line, or left") {
  const std::string form = R"({"m":{"a":[{"p":"form","f":"input","r":true,"t":"이름","k":"name"},)"
                           R"({"p":"form","f":"input","t":"전화번호","k":"phone"}]}})";
  open();
  bot(form);
  CHECK(session.prompt() == "이름: ");
  enter("");
  enter("홍길동");
  CHECK(session.prompt() == "전화번호: ");
  CHECK(take_sent().empty());
  enter("010");
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":1000,"m":"이름: 홍길동, 전화번호: 010",)"
                       R"("c":{"name":"홍길동","phone":"010"},"_sid":104})"
                       "\n");
  bot(form);
  enter("/cancel");
  CHECK(session.prompt() == "> ");
  enter("hi");
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/u/7 {"t":1001,"m":"hi","_sid":104})"
                       "\n");
}

TEST_CASE_FIXTURE(Talk, "chat session: the bot's end is granted and leads to the room's end") {
  open();
  ask(R"({"jsonrpc":"2.0","id":5,"method":"end","params":{"resPub":"s/1/a/1/u/7/r/8/res"}})");
  const std::string sent = take_sent();
  CHECK(sent.starts_with(R"(s/1/a/1/u/7/r/8/res {"jsonrpc":"2.0","id":5,"result":"OK"})"
                         "\n"
                         "s/1/a/1/t/9/req/t/9/i/app "));
  CHECK(sent.find(R"("id":"chat-8-end","method":"end")") != std::string::npos);
  // Asked twice, ended once.
  ask(R"({"jsonrpc":"2.0","id":6,"method":"end","params":{"resPub":"s/1/a/1/u/7/r/8/res"}})");
  CHECK(take_sent() == R"(s/1/a/1/u/7/r/8/res {"jsonrpc":"2.0","id":6,"result":"OK"})"
                       "\n");
  respond("chat-8-end");
  CHECK(session.over());
  CHECK(take_text() == "(the bot ends the conversation)\n(the conversation has ended)\n");
}

TEST_CASE("chat session: a transfer says to whom, and ends the room, too") {
  struct Case {
    const char* params;
    const char* heir;
  };
  for (const auto& [params, heir] : {Case{R"("type":"agent")", "an agent"},
                                     {R"("type":"bot","targetId":7)", "bot 7"},
                                     {R"("type":"bot")", "another bot"}}) {
    Talk talk;
    talk.open();
    talk.ask(std::string(R"({"id":"x","method":"transfer","params":{)") + params + "}}");
    CHECK(talk.take_text() == std::string("(the bot hands the conversation over to ") + heir + ")\n");
    CHECK(talk.take_sent().find(R"("method":"end")") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Talk, "chat session: the id of the bot's request comes back byte for byte") {
  open();
  ask(R"({"id":"\u0061\ud83d","method":"end","params":{"resPub":"s/1/a/1/u/7/r/8/res"}})");
  CHECK(take_sent().starts_with(R"(s/1/a/1/u/7/r/8/res {"jsonrpc":"2.0","id":"\u0061\ud83d","result":"OK"})"));
}

TEST_CASE_FIXTURE(Talk, "chat session: an answer goes nowhere else than into gitple's own topics") {
  open();
  for (const char* topic : {"$SYS/x", "s/2/a/1/x", "s/1/a/1/#", "", "s/1/a/1/x\\u0000"}) {
    ask(std::string(R"({"id":1,"method":"dance","params":{"resPub":")") + topic + "\"}}");
  }
  CHECK(take_sent().empty());
  ask(R"({"id":1,"method":"dance","params":{"resPub":"s/1/a/1/x"}})");
  CHECK(take_sent().find("-32601") != std::string::npos);
  CHECK(session.listens());
}

TEST_CASE_FIXTURE(Talk, "chat session: the user's turn comes after an answer, the end of typing and a moment") {
  open();
  CHECK_FALSE(turn());
  respond("chat-8-again");  // there is no greeting
  wait(100ms);
  CHECK(turn());

  enter("hello");
  wait(1999ms);
  CHECK_FALSE(turn());
  wait(1ms);
  CHECK(turn());

  enter("hello");
  bot(R"({"m":"one"})");
  wait(99ms);
  bot(R"({"m":"two"})");
  bot(R"({"e":{"keyIn":"s"}})");
  CHECK(view.types);
  wait(1500ms);
  CHECK_FALSE(turn());
  bot(R"({"m":"three"})");
  CHECK_FALSE(view.types);
  CHECK(session.due() == now.steady + 100ms);
  wait(100ms);
  CHECK(turn());
}

TEST_CASE_FIXTURE(Talk, "chat session: a greeting that is being typed is waited for") {
  open();
  bot(R"({"e":{"keyIn":"s"}})");
  respond("chat-8-again");
  wait(1s);
  CHECK_FALSE(turn());
  bot(R"({"m":"Welcome!"})");
  wait(100ms);
  CHECK(turn());
}

TEST_CASE_FIXTURE(Talk, "chat session: a broker that does not answer, or refuses, is named") {
  SUBCASE("silent") {
    client.answering = false;
    session.open(now.steady);
    wait(4999ms);
    CHECK_FALSE(session.over());
    wait(1ms);
    CHECK(session.trouble() == "no connection to the broker");
  }
  SUBCASE("refuses") {
    client.refuse = "/";
    session.open(now.steady);
    CHECK(session.trouble() == "the broker refuses a subscription: Not authorized");
  }
  CHECK(session.over());
}

TEST_CASE_FIXTURE(Talk, "chat session: a start that nobody hears is repeated, and given up after 5 s") {
  session.open(now.steady);
  wait(0ms);
  const std::string start = take_sent();
  wait(1s);
  CHECK(take_sent() == start);
  wait(3999ms);
  CHECK_FALSE(session.over());
  wait(1ms);
  CHECK(session.trouble() == "no host answers on this broker: is `botel run` running?");
}

TEST_CASE_FIXTURE(Talk, "chat session: an error answer is shown") {
  session.open(now.steady);
  respond("chat-5-start", R"("error":{"code":1,"message":"of somebody else"})");
  CHECK_FALSE(session.over());
  wait(0ms);
  respond("chat-8-start", R"("error":{"code":-32001,"message":"No such bot"})");
  CHECK(session.trouble() == "bot 9 does not start: No such bot (-32001)");
}

TEST_CASE_FIXTURE(Talk, "chat session: an end that is refused or not answered is trouble") {
  open();
  session.end(now.steady);
  SUBCASE("refused") {
    respond("chat-8-end", R"("error":{"code":-32002,"message":"Room unknown"})");
    CHECK(session.trouble() == "the room does not end: Room unknown (-32002)");
  }
  SUBCASE("not answered") {
    wait(5s);
    CHECK(session.trouble() == "the host does not answer that the room has ended");
  }
  SUBCASE("given up") {
    session.end(now.steady);
    CHECK(session.trouble() == "left without waiting for the room's end");
  }
}

TEST_CASE_FIXTURE(Talk, "chat session: no payload on any topic stops it") {
  open();
  for (const std::string& payload : {std::string(), std::string("x"), std::string("[]"), std::string("null"),
                                     std::string("{\"m\":\"\xff\"}"), std::string(1'000'000, '['), std::string(3, '\0'),
                                     std::string(R"({"id":{},"error":7})"), std::string(R"({"id":"chat-8-end"})")}) {
    bot(payload);
    ask(payload);
    receive("s/1/a/1/t/9/res", payload);
  }
  CHECK(session.listens());
  session.receive({"s/1/a/1/u/7/r/8/t/9", R"({"m":"retained"})", 1, true, false}, now);
  take_text();
  session.receive({"s/1/a/1/u/7/r/8/t/9", "", 2'000'000, false, true}, now);
  CHECK(take_text() == "(a message of 2000000 bytes, which is too large)\n");
}
