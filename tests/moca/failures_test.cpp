// What MOCA is told when something fails: nothing that a published server takes for a success.
#include "moca/failures.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "moca/configuration.hpp"

using botel::moca::parse_topic;

namespace {

const std::string kKnown = "demo/42/u/get_contact/1";
const std::string kAda = R"({"contact_id":1,"id":1,"name":"Ada","username":"ada","phone":null,"avatar":null})";

}  // namespace

TEST_CASE("failures: what servers look at besides the error, for each of their requests") {
  const auto failure = [](const std::string& topic) {
    return botel::moca::failure_as_json(parse_topic(topic), 404, "no \"such\" thing");
  };
  const std::string error = R"("error":{"code":404,"message":"no \"such\" thing"})";
  const std::string all = "{" + error +
                          R"(,"message_id":[],"step":"error","success":false,"data":null,"filename":null,"mime":[],)"
                          R"("avatar":[]})";
  for (const char* topic : {"demo/42/u/send_message", "demo/users/42/send_message", "demo/42/u/get_chats",
                            "demo/42/u/chats/7/messages/70/get_media", "demo/configure/42", "demo/42/u/fly"}) {
    CHECK(failure(topic) == all);
  }
  for (const char* topic : {"demo/42/u/delete_connector", "demo/users/42/delete"}) {
    CHECK(failure(topic) == "[" + all + "]");
  }
  for (const std::string form : {"demo/42/u/get_contact/", "demo/users/42/get_contact/"}) {
    CHECK(failure(form + "7") == "{" + error +
                                     R"(,"contact_id":7,"id":7,"name":"7",)"
                                     R"("username":null,"phone":null,"avatar":null})");
    CHECK(failure(form + "a\"b") == "{" + error +
                                        R"(,"contact_id":"a\"b","id":"a\"b","name":"a\"b",)"
                                        R"("username":null,"phone":null,"avatar":null})");
  }
}

TEST_CASE("failures: an id is a number where it can be one") {
  for (const char* number : {"0", "7", "-7", "9007199254740991"}) CHECK(botel::moca::id_as_json(number) == number);
  for (const char* text : {"-0", "07", "+7", "7.0", "1e3", "9007199254740992", "7 ", "true", "x"}) {
    CHECK(botel::moca::id_as_json(text) == '"' + std::string(text) + '"');
  }
}

TEST_CASE("failures: a contact that was told of keeps its name, whatever becomes of who is asked for it") {
  Configured stage;
  int code = 500;
  std::string why = "the connector failed";
  milliseconds time{0};
  SUBCASE("a connector that fails") {
    stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_E_FAILED; };
  }
  SUBCASE("one that says so") {
    stage.bot.handle = [](const botel_call& call, const botel_event& event) {
      return does::answer(call, event.reply, R"({"message":"the service is down"})", 503);
    };
    code = 503;
    why = "the service is down";
  }
  SUBCASE("one that says nonsense") {
    stage.bot.handle = [](const botel_call& call, const botel_event& event) {
      return does::answer(call, event.reply, R"({"id":1})");
    };
    why = "the connector's answer is wrong: name is missing, or no string";
  }
  SUBCASE("one that says nothing") {
    stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_OK; };
    code = 504;
    why = "the connector did not answer in time";
    time = seconds(10);
  }
  SUBCASE("one that is not there") {
    stage.runtime.take_over(stage.role, nullptr);
    code = 503;
    why = "the service is not there";
  }
  for (int i = 0; i < 2; ++i) {  // it is looked up anew each time
    stage.receive(kKnown);
    stage.pass(time);
    CHECK(stage.take().back() == answer(kKnown, with_error(kAda, code, why)));
  }
  stage.receive("demo/42/u/get_contact/nobody");
  stage.pass(time);
  const auto line = stage.take().back();
  CHECK(line.find(R"("contact_id":"nobody","id":"nobody","name":"nobody")") != std::string::npos);
  stage.pass(minutes(2));
  CHECK(stage.take().empty());
}

TEST_CASE("failures: so does one that the connector has answered with, alone or among others") {
  Configured stage;
  std::string topic = "demo/42/u/get_contact/9", json = R"({"id":9,"name":"Grace"})";
  SUBCASE("alone") {}
  SUBCASE("among others") {
    topic = "demo/users/42/get_contacts";
    json = R"([{"id":8,"name":"Hedy"},{"id":9,"name":"Grace"}])";
  }
  SUBCASE("with another name than it was told of with") { json = R"({"id":1,"name":"Ada Lovelace"})"; }
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    return does::answer(call, event.reply, json);
  };
  stage.receive(topic);
  stage.take();
  stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_E_FAILED; };
  const bool is_ada = json.find("Ada") != std::string::npos;
  const std::string again = is_ada ? "demo/42/u2/get_contact/1" : "demo/42/u2/get_contact/9";
  stage.receive(again);
  const std::string contact =
      fmt::format(R"({{"contact_id":{0},"id":{0},"name":"{1}","username":null,"phone":null,"avatar":null}})",
                  is_ada ? 1 : 9, is_ada ? "Ada Lovelace" : "Grace");
  CHECK(stage.take() == Lines{answer(again, with_error(contact, 500, "the connector failed"))});
}

TEST_CASE("failures: and so does one that is asked for where too many requests wait") {
  Configured stage;
  stage.acknowledging = false;
  for (int i = 0; i < 2000; ++i) stage.arrive(fmt::format("demo/42/{}/get_chats", i));
  stage.arrive("demo/42/u/get_chats");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 503, "too many requests wait for this connector")});
  stage.arrive(kKnown);
  stage.settle();
  const std::string line = answer(kKnown, with_error(kAda, 503, "too many requests wait for this connector"));
  CHECK(std::ranges::count(stage.take(), line) == 1);
}

TEST_CASE(
    "failures: a contact of a connector that is deleted, or begins anew, is one that is called by its id, or known") {
  Configured stage([](const botel_call& call, const botel_event&) {
    return FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "old"));
  });
  SUBCASE("deleted") {
    stage.receive(kKnown);
    stage.receive("demo/42/u/delete_connector");
    CHECK(stage.take()[0] == contact_error(kKnown, 404, "the connector was deleted"));
    stage.receive(kKnown);
    CHECK(stage.take() == Lines{contact_error(kKnown, 404, "no connector has this id")});
  }
  SUBCASE("begins anew") {
    stage.receive(kKnown);
    const auto next = stage.bot.logic("demo", 5, 4);
    stage.service.restart_unreadable(stage.role, *next);
    stage.runtime.take_over(stage.role, next);
    stage.settle();
    CHECK(stage.take() == Lines{answer(kKnown, with_error(kAda, 409, "the connector begins anew"))});
    stage.receive(kKnown);
    CHECK(stage.take() == Lines{answer(kKnown, with_error(kAda, 409, "the connector is not configured yet"))});
  }
}

TEST_CASE("failures: while a step is there it is given again with each error") {
  MocaStage stage;
  stage.receive(kText);
  stage.take();
  const auto fails_with = [&](int code, const std::string& why) {
    CHECK(stage.take().back() == answer(kText, with_error(kPhone, code, why)));
  };
  stage.receive(kText, "[]");
  fails_with(400, "the payload is no JSON object");
  stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_OK; };
  stage.receive(kText, kNumber);
  stage.receive(kText, R"({"phone":"+1"})");
  fails_with(409, "the step before is still being handled");
  stage.pass(seconds(10));
  fails_with(504, "the connector did not answer in time");
}
