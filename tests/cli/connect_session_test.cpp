#include "cli/connect_session.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "cli/fakes.hpp"

using namespace botel;
using namespace std::chrono_literals;

namespace {

using Wish = cli::ConnectSession::Wish;

const std::string kPhone = R"({"title":"Phone","properties":{"phone":{"title":"Phone number"}},"required":["phone"]})";

std::string step(const std::string& name, const std::string& schema, const std::string& more = "") {
  return R"({"step":")" + name + R"(","schema":)" + schema + more + "}";
}

struct Talk {
  explicit Talk(Wish wish = Wish::configure) : session(client, view, {"demo", "42"}, wish), topic(topic_of(wish)) {}

  static std::string topic_of(Wish wish) {
    return wish == Wish::configure ? "demo/configure/42" : "demo/users/42/delete";
  }

  void wait(std::chrono::milliseconds time) {
    now.steady += time;
    session.advance(now.steady);
  }
  void receive(const std::string& on, const std::string& payload) {
    session.receive({on, payload, payload.size(), false, false}, now);
  }
  void reply(const std::string& payload) { receive(topic + "/response", payload); }
  void enter(const std::string& line) { session.enter(line, now); }
  void open() {
    session.open(now.steady);
    session.advance(now.steady);
    take_sent();
  }
  std::string take_sent() { return cli::take_sent(client); }
  std::string take_text() { return std::exchange(view.text, {}); }

  FakeClient client;
  cli::FakeView view;
  cli::ConnectSession session;
  const std::string topic;
  Time now{SteadyTime(1h), 1000};
};

}  // namespace

TEST_CASE_FIXTURE(Talk, "connect session: the protocol's example goes through") {
  session.open(now.steady);
  CHECK(client.lines == std::vector<std::string>{"+ demo/configure/42/response", "+ demo/configure/42/keepalive"});
  CHECK(take_sent().empty());
  session.advance(now.steady);
  CHECK(take_sent() == "demo/configure/42 {}\n");
  CHECK(view.types);
  CHECK_FALSE(session.listens());
  reply(step("phone", kPhone));
  CHECK_FALSE(view.types);
  CHECK(session.users_turn(now.steady));
  CHECK(session.prompt() == "Phone number: ");
  enter("+491711234567");
  CHECK(take_sent() == R"(demo/configure/42 {"phone":"+491711234567"})"
                       "\n");
  reply(R"({"step":"finished","contact":{"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+491711234567"}})");
  CHECK(session.over());
  CHECK(session.trouble().empty());
  CHECK(take_text() == "Phone\n> Phone number: +491711234567\nconnected as Jon Doe (jon.doe, +491711234567)\n");
}

TEST_CASE_FIXTURE(Talk,
                  "connect session: the published server's form of the end is understood, and one without a contact") {
  open();
  SUBCASE("data") {
    reply(R"({"step":"finished","data":{"contact":{"contact_id":1,"name":"Jon","username":null}}})");
    CHECK(take_text() == "connected as Jon\n");
  }
  SUBCASE("none") {
    reply(R"({"step":"finished"})");
    CHECK(take_text() == "connected\n");
  }
  CHECK(session.over());
  CHECK(session.trouble().empty());
}

TEST_CASE_FIXTURE(Talk, "connect session: each step is asked for, field by field") {
  open();
  reply(step("one", R"({"properties":{"a":{"description":"The first"},"b":{"type":"boolean"}}})"));
  CHECK(take_text() == "one\n  The first\n");
  enter("x");
  CHECK(session.prompt() == "b (y/n, or nothing): ");
  enter("perhaps");
  CHECK(take_text() == "> a: x\n> b: perhaps\n(y for yes, or n for no)\n");
  CHECK(take_sent().empty());
  enter("y");
  CHECK(take_sent() == R"(demo/configure/42 {"a":"x","b":true})"
                       "\n");
  reply(step("two", R"({"title":"Second","properties":{"c":{}}})"));
  CHECK(take_text() == "> b: y\nSecond\n");
  enter("");
  CHECK(take_sent() == "demo/configure/42 {}\n");
}

TEST_CASE_FIXTURE(Talk, "connect session: what is wrong is named, and only that is asked for again") {
  open();
  const std::string schema = R"({"properties":{"a":{"title":"A"},"b":{"title":"B"}},"required":["a","b"]})";
  reply(step("s", schema));
  enter("1");
  enter("2");
  take_sent();
  take_text();
  reply(step("s", schema, R"(,"errors":[{"pointer":"/b","message":"is too short"}])"));
  CHECK(take_text() == "(that is not accepted)\n  B: is too short\n");
  CHECK(session.prompt() == "B: ");
  enter("22");
  CHECK(take_sent() == R"(demo/configure/42 {"a":"1","b":"22"})"
                       "\n");
  // Without errors it is another try.
  reply(step("s", schema));
  CHECK(session.prompt() == "A: ");
}

TEST_CASE_FIXTURE(Talk, "connect session: errors of a step that is not known yet are shown, too") {
  open();
  reply(step("phone", kPhone, R"(,"errors":[{"pointer":"","message":"is missing: phone"},7,"x"])"));
  CHECK(take_text() == "Phone\n(that is not accepted)\n  is missing: phone\n");
  CHECK(session.prompt() == "Phone number: ");
}

TEST_CASE_FIXTURE(Talk, "connect session: a secret is asked for as one, and shown to nobody") {
  open();
  reply(step("s", R"({"properties":{"user":{},"password":{"format":"password"}},"required":["user","password"]})"));
  CHECK_FALSE(session.hides());
  enter("me");
  CHECK(session.hides());
  enter("hunter2");
  CHECK_FALSE(session.hides());
  CHECK(take_sent() == R"(demo/configure/42 {"user":"me","password":"hunter2"})"
                       "\n");
  CHECK(take_text() == "s\n> user: me\n> password: (hidden)\n");
}

TEST_CASE_FIXTURE(Talk, "connect session: it goes on waiting as long as the service works") {
  open();
  wait(9s);
  receive("demo/configure/42/keepalive", "{}");
  wait(9s);
  CHECK_FALSE(session.over());
  CHECK(session.due() == now.steady + 1s);
  wait(1s);
  CHECK(session.trouble() == "no answer; the same command with the id 42 goes on");
}

TEST_CASE_FIXTURE(Talk, "connect session: where nobody answers, nobody serves the type") {
  open();
  wait(9999ms);
  CHECK_FALSE(session.over());
  wait(1ms);
  CHECK(session.trouble() ==
        "no answer: nobody serves demo on this broker; is `botel run` running, with a plugin for it?");
}

TEST_CASE_FIXTURE(Talk, "connect session: somebody who thinks takes as long as he likes") {
  open();
  reply(step("phone", kPhone));
  wait(1h);
  CHECK_FALSE(session.over());
  CHECK(session.listens());
}

TEST_CASE_FIXTURE(Talk, "connect session: a broker that does not answer, or refuses, is named") {
  SUBCASE("silent") {
    client.answering = false;
    session.open(now.steady);
    wait(5s);
    CHECK(session.trouble() == "no connection to the broker");
  }
  SUBCASE("refuses") {
    client.refuse = "/";
    session.open(now.steady);
    CHECK(session.trouble() == "the broker refuses a subscription: Not authorized");
  }
  CHECK(session.over());
}

TEST_CASE_FIXTURE(Talk, "connect session: an error ends it") {
  struct Case {
    const char* reply;
    const char* trouble;
  };
  for (const auto& [answer, trouble] :
       {Case{R"({"error":{"code":503,"message":"the service is not there"}})", "the service is not there (503)"},
        {R"({"error":"no"})", "no"},
        {R"({"error":{}})", "{}"},
        {R"({"error":""})", "an error without a message"},
        {R"({"error":{"message":"\u001b[31mred"}})", "\uFFFD[31mred"},
        {R"({"step":7})", "the answer is neither a step nor an error"},
        {R"({"step":"x"})", "the answer is neither a step nor an error"},
        {R"({})", "the answer is neither a step nor an error"},
        {R"({"step":"x\u0007","schema":7})", "the step x\uFFFD cannot be shown here: it is no JSON object"},
        {"[]", "the answer is no JSON object"},
        {"", "the answer is no JSON object"}}) {
    Talk talk;
    talk.open();
    talk.reply(answer);
    CHECK(talk.session.over());
    CHECK(talk.session.trouble() == trouble);
  }
}

TEST_CASE_FIXTURE(Talk, "connect session: one that is left says how to come back to it") {
  open();
  SUBCASE("early") {
    session.end(now.steady);
    CHECK(session.trouble() == "left before anybody answered");
  }
  SUBCASE("late") {
    reply(step("phone", kPhone));
    session.end(now.steady);
    CHECK(session.trouble() == "left before it was configured; the same command with the id 42 goes on");
    CHECK(take_sent().empty());
  }
  CHECK(session.over());
}

TEST_CASE_FIXTURE(Talk, "connect session: what nobody asked for changes nothing") {
  open();
  session.receive({topic + "/response", R"({"step":"finished"})", 1, true, false}, now);
  receive(topic, R"({"step":"finished"})");
  receive("demo/configure/43/response", R"({"step":"finished"})");
  CHECK_FALSE(session.over());
  reply(step("phone", kPhone));
  reply(R"({"step":"finished"})");
  CHECK_FALSE(session.over());
  CHECK(session.prompt() == "Phone number: ");
  enter("1");
  session.receive({topic + "/response", "", 2'000'000, false, true}, now);
  CHECK(session.trouble() == "the answer has 2000000 bytes, which is too much");
}

TEST_CASE("connect session: delete is asked for once, and its answer told") {
  Talk talk(Wish::remove);
  talk.session.open(talk.now.steady);
  talk.session.advance(talk.now.steady);
  CHECK(talk.take_sent() == "demo/users/42/delete {}\n");
  SUBCASE("done") {
    talk.reply(R"({"success":true})");
    CHECK(talk.take_text() == "deleted\n");
    CHECK(talk.session.trouble().empty());
  }
  SUBCASE("refused") {
    talk.reply(R"({"error":{"code":500,"message":"no"}})");
    CHECK(talk.session.trouble() == "no (500)");
  }
  SUBCASE("refused, as the host says it") {
    talk.reply(R"([{"error":{"code":504,"message":"no"},"success":false}])");
    CHECK(talk.session.trouble() == "no (504)");
  }
  SUBCASE("not done") {
    talk.reply(R"({"success":false})");
    CHECK(talk.session.trouble() == "the service does not delete it");
  }
  SUBCASE("no sense") {
    talk.reply("x");
    CHECK(talk.session.trouble() == "the answer is no JSON object");
  }
  CHECK(talk.session.over());
}

TEST_CASE("connect session: types and ids are those that can stand in a topic") {
  for (const char* type : {"", "s", "moca", "$SYS", "a/b", "a+", "#", "a\x01"}) {
    CAPTURE(type);
    CHECK_FALSE(cli::ConnectorName::make(type, "1"));
  }
  for (const char* id : {"users", "configure", "a/b", "+", "a\n"}) {
    CAPTURE(id);
    CHECK_FALSE(cli::ConnectorName::make("demo", id));
  }
  CHECK(cli::ConnectorName::make("demo", "a b")->id == "a b");
  const auto one = cli::ConnectorName::make("demo", ""), other = cli::ConnectorName::make("demo", "");
  CHECK(one->id != other->id);
  CHECK(one->id.find_first_not_of("0123456789") == std::string::npos);
}
