// Each request is answered within its time, whatever connectors do.
#include <doctest/doctest.h>

#include <deque>

#include "moca/stage.hpp"

namespace {

const std::string kTopic = "demo/42/u/get_contacts";
const std::string kAlive = "< demo/42/u/get_contacts/keepalive {}";
const std::string kTooLate = error(kTopic, 504, "the connector did not answer in time");

// A connector that answers nothing of its own accord, but says at its timers that it works; a message makes it answer.
struct Working : MocaStage {
  std::uint64_t reply = 0;
  Working() {
    configure("42");
    bot.handle = [this](const botel_call& call, const botel_event& event) {
      if (event.kind == BOTEL_TIMER_DUE) {
        does::work(call, reply);
      } else if (event.kind == BOTEL_CONNECTOR_SEND_MESSAGE) {
        return does::answer(call, reply, "[]");
      } else {
        reply = event.reply;
      }
      botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
      timer.delay_ms = 8000;
      return FakeBot::emit(call, timer);
    };
  }
};

}  // namespace

TEST_CASE("deadlines: a connector that says nothing has ten seconds, and MOCA hears of it each three") {
  MocaStage stage;
  stage.configure("42");
  stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_OK; };
  stage.receive(kTopic);
  Lines seen;
  for (int i = 1; i <= 100; ++i) {
    stage.pass(milliseconds(100));
    for (const auto& line : stage.take()) seen.push_back(fmt::format("{} {}", i, line));
  }
  CHECK(seen == Lines{"30 " + kAlive, "60 " + kAlive, "90 " + kAlive, "100 " + kTooLate});
  stage.pass(minutes(2));
  CHECK(stage.take().empty());
  CHECK(stage.count("moca_timeouts_total") == 1);
}

TEST_CASE("deadlines: one that works has ten seconds more each time, and a minute in all") {
  Working stage;
  stage.receive(kTopic);
  int keepalives = 0;
  Lines rest;
  for (int i = 1; i <= 60; ++i) {
    stage.pass(seconds(1));
    for (const auto& line : stage.take())
      line == kAlive ? void(++keepalives) : rest.push_back(fmt::format("{} {}", i, line));
  }
  CHECK(rest == Lines{"60 " + kTooLate});
  CHECK(keepalives == 19);
}

TEST_CASE("deadlines: what was answered in time has no keepalive and no end behind it") {
  Working stage;
  stage.receive(kTopic);
  for (int i = 0; i < 15; ++i) stage.pass(seconds(1));
  stage.take();
  stage.receive("demo/42/u/send_message/7", R"({"message":"go on"})");
  CHECK(stage.take() == Lines{answer(kTopic, "[]")});
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return does::answer(call, event.reply, "[]");
  };
  stage.receive("demo/42/u/get_chats");
  stage.take();
  for (int i = 0; i < 70; ++i) {
    stage.pass(seconds(1));
    for (const auto& line : stage.take()) CHECK(line.find("get_c") == std::string::npos);
  }
}

TEST_CASE("deadlines: an answer that comes too late is nothing") {
  Working stage;
  stage.receive(kTopic);
  stage.pass(seconds(10));
  CHECK(stage.take() == Lines{kTooLate});
  stage.receive("demo/42/u/send_message/7", R"({"message":"go on"})");
  CHECK(stage.take().empty());
}

TEST_CASE("deadlines: the same request is under way until it is given up, and then has failed") {
  Working stage;
  stage.receive(kTopic);
  stage.pass(seconds(9));
  stage.take();
  stage.receive(kTopic);
  CHECK(stage.take().empty());
  stage.pass(seconds(50));
  stage.take();
  stage.receive(kTopic);
  CHECK(stage.take() == Lines{kTooLate});
}

TEST_CASE("deadlines: a request that nobody came to handle is answered, too") {
  MocaStage stage;
  stage.configure("42");
  stage.role.suspend(true);
  stage.receive(kTopic);
  stage.receive("demo/configure/42");
  stage.pass(seconds(10));
  CHECK(stage.take() == Lines{kTooLate, error("demo/configure/42", 504, "the connector did not answer in time")});
}

TEST_CASE("deadlines: what nobody came to handle in time does not happen afterwards") {
  MocaStage stage;
  stage.configure("42");
  int sent = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    sent += event.kind == BOTEL_CONNECTOR_SEND_MESSAGE;
    return transcript_connector(call, event);
  };
  stage.role.suspend(true);
  stage.receive("demo/42/u/send_message/7", R"({"message":"hi"})");
  stage.pass(seconds(10));
  stage.take();
  stage.receive("demo/42/u/send_message/7", R"({"message":"ho"})");
  stage.role.suspend(false);
  stage.settle();
  CHECK(sent == 1);
  CHECK(stage.take()[0].find(R"("content":"ho")") != std::string::npos);
  CHECK(stage.count("events_unwanted_total") == 1);
}

TEST_CASE("deadlines: who answers one request has ten seconds more for the others, and a minute in all") {
  MocaStage stage;
  stage.configure("42");
  std::deque<std::uint64_t> replies;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) -> std::int32_t {
    if (event.kind == BOTEL_CONNECTOR_GET_CONTACTS) return BOTEL_OK;  // for ever
    if (event.kind != BOTEL_TIMER_DUE) replies.push_back(event.reply);
    if (event.kind == BOTEL_TIMER_DUE) does::answer(call, replies.front(), "[]");
    if (event.kind == BOTEL_TIMER_DUE) replies.pop_front();
    botel_effect timer = FakeBot::effect(replies.empty() ? BOTEL_TIMER_CANCEL : BOTEL_TIMER_SET);
    timer.delay_ms = replies.empty() ? 0 : 2000;
    return FakeBot::emit(call, timer);
  };
  stage.receive(kTopic);
  for (int i = 0; i < 28; ++i) stage.receive(fmt::format("demo/42/{}/get_chats", i));
  Lines errors;
  int answers = 0;
  for (int i = 1; i <= 70; ++i) {
    stage.pass(seconds(1));
    for (const auto& line : stage.take()) {
      answers += line.ends_with("/get_chats/response []");
      if (line.find("error") != std::string::npos) errors.push_back(fmt::format("{} {}", i, line));
    }
  }
  CHECK(answers == 28);
  CHECK(errors == Lines{"60 " + kTooLate});
}

TEST_CASE("deadlines: a deletion that nobody came to handle happens") {
  MocaStage stage;
  stage.configure("42");
  stage.role.suspend(true);
  stage.receive(kTopic);
  stage.receive("demo/42/u/delete_connector");
  stage.pass(seconds(10));
  CHECK(stage.take() == Lines{kTooLate, answer("demo/42/u/delete_connector", R"({"success":true})")});
  CHECK(stage.service.connectors() == 0);
  stage.role.suspend(false);
  stage.settle();
  CHECK(stage.take().empty());
}

TEST_CASE("deadlines: a deletion while the handler does not return is an error, and happens when it does") {
  MocaStage stage;
  stage.configure("42");
  std::binary_semaphore entered(0), leave(0);
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    entered.release();
    leave.acquire();
    return does::look_up(call, event.reply);
  };
  stage.arrive(kTopic);
  // The handler is taken over by another thread, which then drives: this one's job is done.
  botel::runtime::Workers* running = nullptr;
  bool arrived = false;
  botel::runtime::Workers workers(
      [&] {
        stage.runtime.advance(stage.time);
        if (!stage.runtime.run(*running)) return false;
        if (!stage.runtime.away().empty() && !std::exchange(arrived, true)) {
          entered.acquire();
          stage.arrive("demo/42/u/delete_connector");
          stage.time.steady += seconds(10);
          stage.runtime.advance(stage.time);
          CHECK(stage.take() ==
                Lines{kTooLate, error("demo/42/u/delete_connector", 504, "the connector did not answer in time")});
          CHECK(stage.service.connectors() == 1);
          leave.release();
        }
        if (arrived && stage.runtime.away().empty()) running->stop();
        return true;
      },
      [] {}, 4);
  running = &workers;
  workers.run();
  CHECK(stage.take().empty());
  CHECK(stage.service.connectors() == 0);
  stage.settle();
}
