// The Gitple service with a bot and a clock of the test's, and a broker that only writes down what it is asked.
#pragma once

#include <string>
#include <vector>

#include "gitple/service.hpp"
#include "mqtt/fake_client.hpp"
#include "runtime/fake_bot.hpp"

// The bot of the transcripts: it does what it is told (see tests/transcripts/README.md).
inline std::int32_t transcript_bot(const botel_call& call, const botel_event& event) {
  const std::string text(FakeBot::view(event.payload));
  const auto ask = [&](std::int32_t kind, std::string_view target = {}) {
    botel_effect effect = FakeBot::effect(kind, target);
    effect.tag = 5;
    return FakeBot::emit(call, effect);
  };
  const auto typing = [&](int on) {
    botel_effect effect = FakeBot::effect(BOTEL_ROOM_TYPING);
    effect.status = on;
    return FakeBot::emit(call, effect);
  };
  switch (event.kind) {
    case BOTEL_ROOM_START:
      if (FakeBot::view(call.info).find("trouble") != std::string_view::npos) return BOTEL_E_FAILED;
      if (FakeBot::view(call.info).find("closed") != std::string_view::npos) {
        call.host->set_error(call.host, {"오늘은 쉽니다", 19});
        return BOTEL_E_FAILED;
      }
      return FakeBot::say(call, "hello");
    case BOTEL_ROOM_MESSAGE: {
      if (event.format == BOTEL_FORMAT_JSON) return FakeBot::say(call, "rich " + text);
      if (text == "end") return ask(BOTEL_ROOM_DO_END);
      if (text == "transfer") return ask(BOTEL_ROOM_DO_TRANSFER);
      if (text.starts_with("transfer to ")) return ask(BOTEL_ROOM_DO_TRANSFER, text.substr(12));
      if (text == "fail") return BOTEL_E_FAILED;
      if (text == "info") return FakeBot::say(call, FakeBot::view(call.info));
      if (text == "type") {
        typing(1);
        FakeBot::say(call, "typed", 1000);
        return ask(BOTEL_ROOM_DO_END);
      }
      if (text.starts_with("show ")) {
        botel_effect say = FakeBot::effect(BOTEL_ROOM_SAY);
        const std::string rich = text.substr(5);
        say.format = BOTEL_FORMAT_JSON;
        say.payload = {rich.data(), rich.size()};
        say.detail = {R"({"x":1})", 7};
        return FakeBot::emit(call, say);
      }
      return FakeBot::say(call, "heard " + text);
    }
    case BOTEL_ROOM_COMMAND: return FakeBot::say(call, "chosen " + text);
    case BOTEL_ROOM_KEY_IN: return typing(event.status);
    case BOTEL_ROOM_READ: return FakeBot::say(call, "read " + text);
    case BOTEL_ROOM_EVENT: return FakeBot::say(call, "event " + text);
    case BOTEL_ROOM_TIMEOUT: return ask(BOTEL_ROOM_DO_END);
    case BOTEL_ROOM_RESULT: return FakeBot::say(call, fmt::format("result {} {} {}", event.tag, event.status, text));
    case BOTEL_ROOM_END: return FakeBot::say(call, "bye, " + text);
    default: return BOTEL_OK;
  }
}

struct GitpleStage {
  botel::Counters counters;
  FakeClient client;
  FakeBot bot;
  botel::runtime::Role missing{"missing"};
  botel::Time time{botel::SteadyTime{} + std::chrono::hours(1), 1'700'000'000'000};
  botel::runtime::Runtime runtime{{}, counters, [] {}, time};
  botel::runtime::Role& role;
  botel::gitple::Service service;

  explicit GitpleStage(const char* bot_id = "fake", botel::gitple::ServiceConfig config = {})
      : role(bot.role(runtime, bot_id)),
        service(
            std::move(config), client, runtime,
            [this](const std::string& id) { return id == "nobody" ? nullptr : &role; },
            [this](const std::string&, const std::string& name) -> botel::runtime::Role& {
              return name == role.name() ? role : missing;
            },
            counters) {
    bot.handle = transcript_bot;
  }

  void receive(std::string topic, std::string payload) {
    arrive(std::move(topic), std::move(payload));
    settle(runtime);
  }
  // The same, before any handler runs.
  void arrive(std::string topic, std::string payload) {
    botel::mqtt::Message message{std::move(topic), std::move(payload)};
    message.size = message.payload.size();
    service.receive(message);
  }
  void pass(std::chrono::milliseconds delay) {
    time.steady += delay;
    time.unix_ms += delay.count();
    runtime.advance(time);
    settle(runtime);
  }
  // What has happened since the last call.
  std::vector<std::string> take() { return std::exchange(client.lines, {}); }
  [[nodiscard]] std::uint64_t count(std::string_view name) const {
    for (const auto& counter : counters.all()) {
      if (counter.name() == name) return counter.value();
    }
    return 0;
  }
};
