// That Moca plays its part as the host does: what it takes in a test, a host takes, and the other way round.
#include <botel/ext/connector.h>
#include <botel/testing.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using botel::testing::Lines;
using botel::testing::Moca;

namespace {

// A plugin as one in C would be, whose handler is whatever the test gives it.
using Handler = std::function<std::int32_t(const botel_call*, const botel_event*)>;
Handler handler;

constexpr botel_descriptor plain{
    sizeof(botel_descriptor),
    BOTEL_CONNECTOR,
    "plain",
    "1.0.0",
    2,
    1,
    nullptr,
    [](const botel_host*, botel_str, void**) -> std::int32_t { return BOTEL_OK; },
    [](void*) {},
    [](void*, const botel_call* call, const botel_event* event) -> std::int32_t { return handler(call, event); },
    nullptr,
    nullptr};

botel_str borrow(std::string_view text) { return {text.data(), text.size()}; }

botel_effect effect(std::int32_t kind, std::string_view json = {}, std::string_view detail = {}) {
  botel_effect effect{};
  effect.size = sizeof effect;
  effect.kind = kind;
  effect.format = json.empty() ? BOTEL_FORMAT_BYTES : BOTEL_FORMAT_JSON;
  effect.payload = borrow(json);
  effect.detail = borrow(detail);
  return effect;
}

std::int32_t emit(const botel_call* call, botel_effect effect, std::uint64_t reply) {
  effect.reply = reply;
  return call->host->emit(call, &effect);
}

constexpr std::string_view kPhone =
    R"({"type":"object","properties":{"phone":{"type":"string"}},"required":["phone"]})";
constexpr std::string_view kMe = R"({"id":1,"name":"Me"})";

// One account. `on_event` handles what is no configuration.
struct Service {
  Handler on_event = [](auto*, auto*) { return BOTEL_OK; };
  Moca moca{plain};

  Service() {
    handler = [this](const botel_call* call, const botel_event* event) {
      if (event->kind != BOTEL_CONNECTOR_CONFIGURE) return on_event(call, event);
      const bool begins = event->payload.len == 2;
      return emit(
          call,
          begins ? effect(BOTEL_CONNECTOR_STEP, kPhone, R"({"step":"phone"})") : effect(BOTEL_CONNECTOR_FINISHED, kMe),
          event->reply);
    };
  }
  void configure() {
    moca.configure();
    moca.configure(R"({"phone":"+49"})");
    REQUIRE(moca.configured());
  }
  // It answers the next request so.
  void answer_with(botel_effect answer) {
    on_event = [answer](const botel_call* call, const botel_event* event) { return emit(call, answer, event->reply); };
  }
};

const std::string kStep = "step phone: " + std::string(kPhone);

}  // namespace

TEST_CASE_FIXTURE(Service, "moca: a configuration goes step by step, and a wrong answer gets the same step again") {
  CHECK(moca.configure() == kStep);
  CHECK(moca.configure() == kStep);
  CHECK(moca.configure(R"({"phone":5})") == Lines{"wrong: /phone: type", kStep});
  CHECK(moca.configure(R"({"fax":"1"})") == Lines{"wrong: required", kStep});
  CHECK(moca.configure("[1]") == "error 400: the payload is no JSON object");
  CHECK_FALSE(moca.configured());
  CHECK(moca.configure(R"({"phone":"+49"})") == "finished: " + std::string(kMe));
  CHECK(moca.configured());
  CHECK(moca.configure(R"({"phone":"+49"})") == kStep);
}

TEST_CASE_FIXTURE(Service, "moca: a step that is being handled lets no other in") {
  handler = [](auto*, auto*) { return BOTEL_OK; };
  CHECK(moca.configure() == "");
  CHECK(moca.configure() == "error 409: the step before is still being handled");
}

TEST_CASE_FIXTURE(Service, "moca: a configuration is forgotten after fifteen minutes, and all of the account with it") {
  moca.configure();
  moca.set_state("some");
  CHECK(moca.advance(15min - 1ms) == "");
  CHECK(moca.configure() == kStep);  // it has its time again
  CHECK(moca.advance(15min - 1ms) == "");
  CHECK(moca.advance(1ms) == Lines{"the configuration has expired", "deleted"});
  CHECK(moca.state().empty());
  configure();
  moca.configure();
  CHECK(moca.advance(15min) == "the configuration has expired");
  CHECK(moca.configured());
  moca.reset();
  moca.configure();
  CHECK(moca.advance(15min) == "the configuration has expired");

  Moca other(plain);
  handler = [](auto*, auto*) { return BOTEL_E_FAILED; };
  other.configure();
  CHECK(other.advance(15min) == Lines{"the configuration has expired", "deleted"});
}

TEST_CASE_FIXTURE(Service, "moca: an account that is not configured is asked nothing, and hears nothing") {
  on_event = [](auto*, auto*) -> std::int32_t { throw std::logic_error("called"); };
  const std::string refused = "error 409: the connector is not configured yet";
  CHECK(moca.get_contacts() == refused);
  CHECK(moca.get_media(7, 9) == refused);
  CHECK(moca.send(7, "hi") == refused);
  CHECK(moca.resumed(1s) == "");
}

TEST_CASE_FIXTURE(Service, "moca: who says nothing for ten seconds is given up, and after sixty whatever is said") {
  configure();
  CHECK(moca.get_chats() == "");
  CHECK(moca.advance(9999ms) == "");
  CHECK(moca.advance(1ms) == "to get_chats: error 504: the connector did not answer in time");
  CHECK(moca.unanswered() == 0);

  std::uint64_t token = 0;
  on_event = [&](const botel_call* call, const botel_event* event) {
    if (event->reply != 0) token = event->reply;
    return emit(call, effect(BOTEL_CONNECTOR_WORKING), token);
  };
  CHECK(moca.get_chats() == "working");
  for (int i = 0; i < 6; ++i) {
    CHECK(moca.advance(9900ms) == "");
    CHECK(moca.timer(1) == "to get_chats: working");
  }
  CHECK(moca.advance(600ms) == "to get_chats: error 504: the connector did not answer in time");
  CHECK(moca.timer(1) == "nobody waits for this answer");
}

TEST_CASE_FIXTURE(Service, "moca: effects that no host takes are refused") {
  configure();
  std::int32_t result = 0;
  const auto emitted = [&](const botel_effect& what) {
    on_event = [&, what](const botel_call* call, const botel_event* event) {
      result = emit(call, what, what.reply == UINT64_MAX ? 0 : event->reply);
      return BOTEL_OK;
    };
    moca.get_chats();
    return result;
  };
  auto unasked = effect(BOTEL_EFFECT_REPLY, "[]");
  unasked.reply = UINT64_MAX;
  CHECK(emitted(unasked) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_EFFECT_REPLY)) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_CONNECTOR_PUSH_CHATS, "{}")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_CONNECTOR_PUSH_CHATS, " []")) == BOTEL_OK);
  CHECK(emitted(effect(BOTEL_CONNECTOR_FINISHED, "[]")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_CONNECTOR_STEP, kPhone)) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_CONNECTOR_STEP, "[]", R"({"step":"a"})")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_CONNECTOR_SECRET, "{}", R"({"name":5})")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_CONNECTOR_SECRET, {}, R"({"name":"a"})")) == BOTEL_OK);
  CHECK(emitted(effect(BOTEL_ROOM_SAY, "{}")) == BOTEL_E_UNSUPPORTED);
  CHECK(emitted(effect(0x5ff)) == BOTEL_E_UNSUPPORTED);
}

TEST_CASE_FIXTURE(Service, "moca: an answer that does not fit what was asked for is an error") {
  configure();
  const std::string unfit = "error 500: the connector's answer does not fit";
  for (const auto& answer : {effect(BOTEL_CONNECTOR_STEP, kPhone, R"({"step":"a"})"),
                             effect(BOTEL_CONNECTOR_FINISHED, kMe), effect(BOTEL_CONNECTOR_MEDIA)}) {
    answer_with(answer);
    CHECK(moca.get_chats() == unfit);
  }
  answer_with(effect(BOTEL_CONNECTOR_FROM_DIRECTORY));
  CHECK(moca.send(7, "hi") == unfit);
  CHECK(moca.get_media(7, 9) == unfit);
  answer_with(effect(BOTEL_EFFECT_REPLY, "[]"));
  CHECK(moca.get_media(7, 9) == unfit);
  CHECK(moca.unanswered() == 0);
  answer_with(effect(BOTEL_EFFECT_REPLY, "{}"));
  CHECK(moca.get_chats() == "error 500: the connector's answer is no list");
  CHECK(moca.get_chat(7) == "error 500: the connector's answer is wrong: chat_id is missing");
  for (const auto& answer :
       {effect(BOTEL_EFFECT_REPLY, "{}"), effect(BOTEL_CONNECTOR_FROM_DIRECTORY), effect(BOTEL_CONNECTOR_MEDIA)}) {
    handler = [&](const botel_call* call, const botel_event* event) { return emit(call, answer, event->reply); };
    CHECK(moca.configure() == unfit);
  }
}

TEST_CASE_FIXTURE(Service, "moca: what is wrong in a list is left out, and named") {
  configure();
  const auto complaint = [&](std::int32_t kind, const char* item) {
    const std::string list = std::string("[") + item + "]";
    on_event = [&](const botel_call* call, const botel_event*) { return emit(call, effect(kind, list), 0); };
    return moca.timer(1).back();
  };
  constexpr auto kContacts = BOTEL_CONNECTOR_PUSH_CONTACTS, kChats = BOTEL_CONNECTOR_PUSH_CHATS;
  constexpr auto kMessages = BOTEL_CONNECTOR_PUSH_MESSAGES;
  CHECK(complaint(kContacts, "5") == "left out, a contact: it is no object");
  CHECK(complaint(kContacts, R"({"name":"a"})") == "left out, a contact: contact_id is missing");
  CHECK(complaint(kContacts, R"({"contact_id":2})") == "left out, a contact: name is missing");
  CHECK(complaint(kContacts, R"({"contact_id":"a","name":"a"})") ==
        "left out, a contact: contact_id is a number now, now a text");
  CHECK(complaint(kChats, R"({"chat_id":7,"name":"a"})") == "left out, a chat: participants are missing");
  CHECK(complaint(kChats, R"({"chat_id":7,"name":"a","participants":[]})") ==
        "left out, a chat: participants are missing");
  CHECK(complaint(kMessages, R"({"message_id":1,"contact_id":1})") == "left out, a message: chat_id is missing");
  CHECK(complaint(kMessages, R"({"message_id":1,"contact_id":1,"chat_id":7})") ==
        "left out, a message: message or sent_datetime is missing");
  answer_with(effect(BOTEL_EFFECT_REPLY, "[{}]"));
  CHECK(moca.get_contacts() == Lines{"answer: [{}]", "left out, a contact: contact_id is missing"});
  answer_with(effect(BOTEL_CONNECTOR_FROM_DIRECTORY));
  CHECK(moca.get_chats() == "from the directory: []");
}

TEST_CASE_FIXTURE(Service, "moca: the directory pages messages, the newest first, and replaces what is there") {
  configure();
  std::string list;
  on_event = [&](const botel_call* call, const botel_event* event) {
    if (event->reply != 0) return emit(call, effect(BOTEL_CONNECTOR_FROM_DIRECTORY), event->reply);
    return emit(call, effect(BOTEL_CONNECTOR_PUSH_MESSAGES, list), 0);
  };
  const auto message = [](int id, int second, int chat = 7) {
    return R"({"message_id":)" + std::to_string(id) + R"(,"contact_id":1,"chat_id":)" + std::to_string(chat) +
           R"(,"sent_datetime":"2024-05-01T09:00:0)" + std::to_string(second) + R"(+00:00","message":{}})";
  };
  list = "[" + message(1, 5) + "," + message(2, 3) + "," + message(3, 3) + "," + message(4, 9, 8) + "]";
  moca.timer(1);
  const std::string from = "from the directory: ";
  CHECK(moca.get_messages(7) == from + "[" + message(1, 5) + "," + message(3, 3) + "," + message(2, 3) + "]");
  CHECK(moca.get_messages(7, 1, 1) == from + "[" + message(3, 3) + "]");
  CHECK(moca.get_messages(7, 3) == from + "[" + message(2, 3) + "]");
  CHECK(moca.get_messages(7, 2) == from + "[]");
  CHECK(moca.get_messages(7, 99) == from + "[]");
  list = "[" + message(1, 1) + "]";
  moca.timer(1);
  CHECK(moca.get_messages(7, {}, 2) == from + "[" + message(3, 3) + "," + message(2, 3) + "]");
  on_event = [&](const botel_call* call, const botel_event* event) {
    emit(call, effect(BOTEL_CONNECTOR_PUSH_MESSAGES, list), 0);
    return emit(call, effect(BOTEL_CONNECTOR_FROM_DIRECTORY), event->reply);
  };
  list = "[" + message(5, 9) + "]";
  CHECK(moca.get_messages(7, {}, 1) == Lines{"push messages: " + list, from + list});
  on_event = [&](const botel_call* call, const botel_event* event) {
    return event->reply == 0 ? BOTEL_OK : emit(call, effect(BOTEL_CONNECTOR_FROM_DIRECTORY), event->reply);
  };
  CHECK(moca.remove() == "deleted");
  configure();
  CHECK(moca.get_messages(7) == from + "[]");
}

TEST_CASE_FIXTURE(Service, "moca: what waits when the account is deleted is answered") {
  configure();
  moca.get_chats();
  CHECK(moca.remove() == Lines{"to get_chats: error 404: the connector was deleted", "deleted"});
  CHECK_FALSE(moca.configured());
  on_event = [](auto*, auto*) { return BOTEL_E_FAILED; };
  configure();
  CHECK(moca.remove() == Lines{"failed: error -1", "deleted"});
}

TEST_CASE_FIXTURE(Service, "moca: a reset takes the state and the configuration") {
  configure();
  moca.set_state("some", 1);
  on_event = [](const botel_call* call, const botel_event* event) {
    CHECK(event->kind == BOTEL_CONNECTOR_RESET);
    CHECK(call->state.len == 0);
    CHECK(call->state_schema == 0);
    return BOTEL_OK;
  };
  CHECK(moca.reset() == "");
  CHECK_FALSE(moca.configured());
}

TEST_CASE_FIXTURE(Service, "moca: what is pushed while nobody configures the account is dropped") {
  configure();
  on_event = [](const botel_call* call, const botel_event*) {
    return emit(call, effect(BOTEL_CONNECTOR_PUSH_CHATS, "[]"), 0);
  };
  CHECK(moca.timer(1) == "push chats: []");
  CHECK(moca.reset() == "dropped, a push: the connector is not configured");
  CHECK(moca.timer(1) == "dropped, a push: the connector is not configured");
  moca.configure();
  CHECK(moca.timer(1) == "push chats: []");
}

TEST_CASE_FIXTURE(Service, "moca: a configured account hears of another version or configuration") {
  std::string told;
  on_event = [&](const botel_call*, const botel_event* event) {
    CHECK(event->kind == BOTEL_CONNECTOR_RESUMED);
    told.assign(event->payload.ptr, event->payload.len);
    return BOTEL_OK;
  };
  CHECK(moca.reload(plain) == "");
  CHECK(told.empty());
  configure();
  CHECK(moca.reload(plain) == "");
  CHECK(told == "0");
}

TEST_CASE_FIXTURE(Service, "moca: secrets are given to the handler that asks, on its thread") {
  configure();
  on_event = [&](const botel_call* call, const botel_event*) {
    const auto* host =
        static_cast<const botel_connector_v1*>(call->host->extension(call->host, BOTEL_CONNECTOR_EXTENSION));
    REQUIRE(host->revision == 1);
    botel_str value{"?", 1};
    CHECK(host->secret(call, borrow("token"), &value) == BOTEL_OK);
    CHECK(value.len == 0);
    CHECK(host->secret(call, borrow("token"), nullptr) == BOTEL_E_INVALID);
    CHECK(host->secret(nullptr, borrow("token"), &value) == BOTEL_E_THREAD);
    std::int32_t elsewhere = 0;
    std::thread([&] { elsewhere = host->secret(call, borrow("token"), &value); }).join();
    CHECK(elsewhere == BOTEL_E_THREAD);
    return BOTEL_OK;
  };
  CHECK(moca.timer(1) == "");
}

TEST_CASE("moca: bots are for Talk, connectors for Moca") {
  CHECK_THROWS_AS(botel::testing::Talk{plain}, botel::Error);
  auto bot = plain;
  bot.kind = BOTEL_BOT;
  CHECK_THROWS_AS(Moca{bot}, botel::Error);
}

TEST_CASE("moca: a plugin that drops nothing can attach nothing") {
  std::int32_t result = 0;
  handler = [&](const botel_call* call, const botel_event*) {
    result = call->host->attach(call, &result);
    return BOTEL_OK;
  };
  Moca moca(plain);
  moca.configure();
  CHECK(result == BOTEL_E_UNSUPPORTED);
}
