// Connectors are deleted, or have to begin anew.
#include <doctest/doctest.h>

#include "moca/stage.hpp"

namespace {

// What the store still has of connectors.
std::size_t kept(MocaStage& stage) {
  std::size_t count = 0;
  REQUIRE(stage.store.load({.actor = [&](auto, auto) { ++count; },
                            .timer = [&](const auto&) { ++count; },
                            .effect = [&](auto) { ++count; },
                            .inbox = [&](auto, auto) { ++count; },
                            .outbox = [](auto) {},
                            .request = [](auto) {},
                            .received = [](const auto&) {},
                            .secret = [&](auto) { ++count; }}));
  for (const char* kind : {"contact", "chat", "message"}) {
    for (int actor = 1; actor < 10; ++actor) count += stage.store.items({.actor = actor, .kind = kind}).value().size();
  }
  return count;
}

}  // namespace

TEST_CASE("leaving: a deletion leaves nothing, and the id can be had again") {
  MocaStage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_CONFIGURE) {
      does::keep_secret(call, "token", "s3cret");
      FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "state"));
      botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
      timer.delay_ms = 60'000;
      FakeBot::emit(call, timer);
    }
    return transcript_connector(call, event);
  };
  stage.configure("42");
  CHECK(kept(stage) > 8);
  stage.receive("demo/42/u/get_contacts");
  stage.receive("demo/42/u2/send_message/7", R"({"message":"never"})");
  stage.take();
  std::string last;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    last += fmt::format("{:#x} ", event.kind);
    does::keep_secret(call, "late", "x");
    return does::push(call, BOTEL_CONNECTOR_PUSH_CONTACTS, kContacts);
  };
  stage.receive("demo/42/u3/delete_connector");
  CHECK(last == "0x509 ");
  CHECK(stage.take() == Lines{error("demo/42/u2/send_message/7", 404, "the connector was deleted"),
                              answer("demo/42/u3/delete_connector", R"({"success":true})")});
  CHECK(stage.service.connectors() == 0);
  CHECK(kept(stage) == 0);
  stage.pass(minutes(2));
  CHECK(last == "0x509 ");

  std::string secret = "not asked";
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    const auto* const connector =
        static_cast<const botel_connector_v1*>(call.host->extension(call.host, BOTEL_CONNECTOR_EXTENSION));
    botel_str value{};
    CHECK(connector->secret(&call, {"token", 5}, &value) == BOTEL_OK);
    secret = FakeBot::view(value);
    CHECK(FakeBot::view(call.state).empty());
    return transcript_connector(call, event);
  };
  stage.receive("demo/configure/42");
  CHECK(secret.empty());
  stage.receive("demo/configure/42", R"({"phone":"+491711234567"})");
  stage.pass(seconds(1));
  stage.take();
  stage.receive("demo/42/u/get_contacts");  // as before the deletion, and answered anew
  const auto lines = stage.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("Jon Doe") != std::string::npos);
  CHECK(lines[0].find("Ada") == std::string::npos);
}

TEST_CASE("leaving: a deletion while pushes wait for a server leaves nothing to come") {
  MocaStage stage;
  stage.receive("demo/configure/42");
  stage.receive("demo/configure/42", R"({"phone":"+2"})");
  SUBCASE("that is to become ready") {}
  SUBCASE("that asks") {
    stage.receive("demo/users/42/get_contact/1");
    stage.receive("demo/users/42/get_contact/2");
  }
  stage.receive("demo/42/u/delete_connector");
  stage.take();
  stage.pass(seconds(10));
  CHECK(stage.take().empty());
}

TEST_CASE(
    "leaving: a deletion leaves nothing where only the directory is kept, in memory, and nothing that was just "
    "pushed") {
  MocaStage stage;
  stage.runtime.keep(nullptr, nullptr);
  stage.configure("42");
  CHECK(kept(stage) == 6);
  stage.arrive("demo/42/u/send_message/7", R"({"message":"hi"})");
  stage.arrive("demo/42/u/delete_connector");
  stage.settle();
  CHECK(kept(stage) == 0);
  CHECK(stage.service.connectors() == 0);
}

TEST_CASE("leaving: whoever is not there, or half-configured, can be deleted") {
  MocaStage stage;
  const std::string success = R"({"success":true})";
  for (const char* topic : {"demo/users/42/delete", "demo/42/u/delete_connector"}) {
    stage.receive(topic);
    CHECK(stage.take() == Lines{answer(topic, success)});
    stage.receive("demo/configure/42");
    stage.take();
    stage.receive(topic);
    CHECK(stage.take() == Lines{answer(topic, success)});
    CHECK(stage.service.connectors() == 0);
    stage.receive(topic);
    CHECK(stage.take() == Lines{answer(topic, success)});
  }
}

TEST_CASE("leaving: whoever is being deleted takes no more requests, and two deletions are both answered") {
  MocaStage stage;
  stage.configure("42");
  stage.arrive("demo/42/u1/delete_connector");
  stage.arrive("demo/42/u2/delete_connector");
  stage.arrive("demo/42/u2/delete_connector");
  stage.arrive("demo/42/u/get_chats");
  stage.arrive("demo/configure/42");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 404, "no connector has this id"),
                              error("demo/configure/42", 409, "the connector is being deleted")});
  stage.settle();
  CHECK(stage.take() == Lines{answer("demo/42/u1/delete_connector", R"({"success":true})"),
                              answer("demo/42/u2/delete_connector", R"({"success":true})")});
  CHECK(stage.service.connectors() == 0);
}

TEST_CASE("leaving: a connector that fails at its deletion is deleted, and so is one that nobody serves") {
  MocaStage stage;
  stage.configure("42");
  stage.configure("43");
  stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_E_FAILED; };
  stage.receive("demo/42/u/delete_connector");
  CHECK(stage.take() == Lines{answer("demo/42/u/delete_connector", R"({"success":true})")});
  stage.runtime.take_over(stage.role, nullptr);
  stage.receive("demo/43/u/delete_connector");
  CHECK(stage.take() == Lines{answer("demo/43/u/delete_connector", R"({"success":true})")});
  CHECK(stage.service.connectors() == 0);
}

TEST_CASE("leaving: a deletion does not wait for a connector that wants to be asked again and again") {
  MocaStage stage;
  stage.configure("42");
  stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_RETRY_AFTER(3'600'000); };
  stage.receive("demo/42/u/get_chats");
  stage.receive("demo/42/u/delete_connector");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 500, "the connector failed")});
  stage.pass(seconds(10));
  CHECK(stage.take() == Lines{answer("demo/42/u/delete_connector", R"({"success":true})")});
  CHECK(stage.service.connectors() == 0);
}

TEST_CASE("leaving: a deletion that a gone service cannot handle any more happens without it") {
  MocaStage stage;
  stage.configure("42");
  stage.arrive("demo/42/u/delete_connector");
  stage.runtime.take_over(stage.role, nullptr);
  stage.service.give_up(stage.role);
  CHECK(stage.take() == Lines{answer("demo/42/u/delete_connector", R"({"success":true})"), "- demo/#"});
  stage.settle();
  CHECK(stage.service.connectors() == 0);
}

TEST_CASE("leaving: one connector's deletion is nothing to another") {
  MocaStage stage;
  stage.configure("42");
  stage.configure("43");
  stage.receive("demo/42/u/delete_connector");
  stage.take();
  stage.receive("demo/43/u/get_contact/1");
  CHECK(stage.take()[0].starts_with(R"(< demo/43/u/get_contact/1/response {"contact_id":1,)"));
}

TEST_CASE("leaving: a state that the next version cannot read makes the connector begin anew") {
  MocaStage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_CONFIGURE) FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "old"));
    return event.kind == BOTEL_CONNECTOR_SEND_MESSAGE ? BOTEL_OK : transcript_connector(call, event);
  };
  stage.configure("42");
  stage.receive("demo/42/u/send_message/7", R"({"message":"hi"})");
  stage.receive("demo/configure/42");
  stage.take();
  std::string heard;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    heard += fmt::format("{:#x}[{}] ", event.kind, FakeBot::view(call.state));
    return transcript_connector(call, event);
  };
  const auto next = stage.bot.logic("demo", 5, 4);
  stage.service.restart_unreadable(stage.role, *next);
  CHECK(stage.take() == Lines{error("demo/42/u/send_message/7", 409, "the connector begins anew")});
  stage.runtime.take_over(stage.role, next);
  stage.settle();
  CHECK(heard == "0x50b[] ");
  stage.receive("demo/42/u/get_chats");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 409, "the connector is not configured yet")});
  stage.configure("42");
  stage.receive("demo/42/u/send_message/7", R"({"message":"hi"})");  // refused before, and not remembered
  CHECK(stage.take()[0].find(R"({"message_id":72,)") != std::string::npos);
}

TEST_CASE("leaving: a connector that begins anew does nothing of what was asked before") {
  MocaStage stage;
  stage.configure("42");
  stage.bot.handle = [](const botel_call& call, const botel_event&) {
    return FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "old"));
  };
  stage.receive("demo/42/u/get_chats");
  stage.role.suspend(true);
  stage.receive("demo/42/u/send_message/7", R"({"message":"hi"})");
  std::string heard;
  stage.bot.handle = [&](const botel_call&, const botel_event& event) {
    heard += fmt::format("{:#x} ", event.kind);
    return BOTEL_OK;
  };
  const auto next = stage.bot.logic("demo", 5, 4);
  stage.service.restart_unreadable(stage.role, *next);
  stage.runtime.take_over(stage.role, next);
  stage.role.suspend(false);
  stage.settle();
  CHECK(heard == "0x50b ");
}

TEST_CASE("leaving: a connector that begins anew before its server is ready pushes nothing then") {
  MocaStage stage;
  stage.receive("demo/configure/42");
  stage.receive("demo/configure/42", R"({"phone":"+491711234567"})");
  stage.bot.handle = [](const botel_call& call, const botel_event&) {
    FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "old"));
    return BOTEL_OK;
  };
  stage.receive("demo/42/u/get_chats");
  const auto next = stage.bot.logic("demo", 5, 4);
  stage.bot.handle = [](const botel_call& call, const botel_event&) {
    return does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, kChats);
  };
  stage.service.restart_unreadable(stage.role, *next);
  stage.runtime.take_over(stage.role, next);
  stage.take();
  stage.pass(seconds(10));
  CHECK(stage.take().empty());
}

TEST_CASE(
    "leaving: a connector that began anew waits for its configuration as long as that takes, and pushes nothing") {
  MocaStage stage;
  stage.configure("42");
  const auto next = stage.bot.logic("demo", 5, 4);
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "new"));
    if (event.kind == BOTEL_CONNECTOR_RESET) return does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, kChats);
    return transcript_connector(call, event);
  };
  stage.receive("demo/42/u/get_chat/7");
  stage.service.restart_unreadable(stage.role, *next);
  stage.runtime.take_over(stage.role, next);
  stage.take();
  stage.pass(minutes(30));
  CHECK(stage.take().empty());
  CHECK(stage.service.connectors() == 1);
  stage.receive("demo/configure/42");
  stage.take();
  stage.pass(minutes(15));  // nobody goes on with it
  CHECK(stage.service.connectors() == 1);
  stage.receive("demo/42/u/get_chats");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 409, "the connector is not configured yet")});
}
