// What connectors answer, whether it is an answer or not.
#include <doctest/doctest.h>

#include "moca/stage.hpp"

namespace {

const std::string kContacts42 = "demo/42/u/get_contacts";
const std::string kSend = "demo/42/u/send_message/7";
const std::string kHi = R"({"message":{"type":"text","content":"hi"}})";

}  // namespace

TEST_CASE("answers: a connector that fails, says so or says nonsense gives an error") {
  struct Case {
    FakeBot::Handle handle;
    int code;
    std::string message;
  };
  const auto says = [](int status, std::string json) {
    return
        [=](const botel_call& call, const botel_event& event) { return does::answer(call, event.reply, json, status); };
  };
  const std::string wrong = "the connector's answer is wrong: ";
  for (const auto& [handle, code, message] : {
           Case{[](const botel_call&, const botel_event&) { return BOTEL_E_FAILED; }, 500, "the connector failed"},
           Case{says(404, R"({"message":"no such chat"})"), 404, "no such chat"},
           Case{says(1, R"({"message":"odd"})"), 500, "odd"},
           Case{says(-7, "{}"), 500, "the connector could not"},
           Case{says(600, "[]"), 500, "the connector could not"},
           Case{says(503, fmt::format(R"({{"message":"{}"}})", std::string(5000, 'x'))), 503, std::string(1000, 'x')},
           Case{says(0, "[]"), 500, wrong + "it is no object"},
           Case{says(0, R"({"message_id":1})"), 500, wrong + "contact_id is missing"},
       }) {
    Configured stage(handle);
    stage.receive(kSend, kHi);
    CHECK(stage.take() == Lines{error(kSend, code, message)});
  }
}

TEST_CASE("answers: a list that is none is an error; in a list, what is wrong is left out and named") {
  Configured stage(
      [](const botel_call& call, const botel_event& event) { return does::answer(call, event.reply, "{}"); });
  stage.receive(kContacts42);
  CHECK(stage.take() == Lines{error(kContacts42, 500, "the connector's answer is no list")});
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return does::answer(call, event.reply, R"([{"id":1},{"id":2,"name":"B"},7])");
  };
  stage.receive("demo/42/u2/get_contacts");
  CHECK(stage.take() ==
        Lines{answer("demo/42/u2/get_contacts",
                     R"([{"contact_id":2,"id":2,"name":"B","username":null,"phone":null,"avatar":null}])")});
  CHECK(stage.count("moca_items_dropped_total") == 2);
}

TEST_CASE("answers: an answer of another kind is an error, at once") {
  const std::string wrong = "the connector's answer does not fit";
  const auto check = [&](const std::string& topic, const FakeBot::Handle& handle) {
    Configured stage(handle);
    stage.receive(topic, topic.ends_with("7") ? kHi : "{}");
    CHECK(stage.take() == Lines{error(topic, 500, wrong)});
    CHECK(stage.service.status()[0].waiting == 0);
  };
  const auto step = [](const botel_call& call, const botel_event& event) {
    return does::step(call, event.reply, "phone", kPhoneSchema);
  };
  const auto finish = [](const botel_call& call, const botel_event& event) {
    return does::finish(call, event.reply, kJonDoe);
  };
  const auto media = [](const botel_call& call, const botel_event& event) {
    return does::media(call, event.reply, "x", false);
  };
  const auto list = [](const botel_call& call, const botel_event& event) {
    return does::answer(call, event.reply, "[]");
  };
  const auto look_up = [](const botel_call& call, const botel_event& event) {
    return does::look_up(call, event.reply);
  };
  check(kContacts42, step);
  check(kContacts42, finish);
  check(kContacts42, media);
  check(kSend, look_up);
  check("demo/42/u/chats/7/messages/70/get_media", list);
  check("demo/42/u/chats/7/messages/70/get_media", look_up);
  check("demo/configure/42", list);
  check("demo/configure/42", media);
  check("demo/configure/42", look_up);
}

TEST_CASE("answers: a second answer, and one to nobody, is nothing") {
  Configured stage([](const botel_call& call, const botel_event& event) {
    for (const std::uint64_t reply : {event.reply, event.reply, event.reply + 1, std::uint64_t{1}}) {
      does::answer(call, reply, "[]");
      does::answer(call, reply, R"({"message":"x"})", 500);
      does::work(call, reply);
      does::media(call, reply, "x", true);
      does::finish(call, reply, kJonDoe);
      does::look_up(call, reply);
    }
    return BOTEL_OK;
  });
  stage.receive(kContacts42);
  CHECK(stage.take() == Lines{answer(kContacts42, "[]")});
  stage.pass(minutes(2));
  CHECK(stage.take().empty());
}

TEST_CASE("answers: a connector cannot answer its own deletion, nor another connector's requests") {
  Configured stage;
  stage.configure("43");
  std::uint64_t last = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (event.reply != 0) last = event.reply;
    if (FakeBot::view(call.address) == "demo/43") return BOTEL_OK;
    for (std::uint64_t reply = last - 5; reply < last + 5; ++reply) {
      does::answer(call, reply, R"({"message":"hi"})", 500);
      does::work(call, reply);
    }
    return BOTEL_OK;
  };
  stage.receive("demo/43/u/get_contacts");
  stage.receive("demo/42/u/get_contacts");
  CHECK(stage.take() == Lines{error("demo/42/u/get_contacts", 500, "hi")});
  stage.receive("demo/42/u/delete_connector");
  CHECK(stage.take() == Lines{answer("demo/42/u/delete_connector", R"({"success":true})")});
  stage.pass(seconds(10));
  CHECK(stage.take() == Lines{error("demo/43/u/get_contacts", 504, "the connector did not answer in time")});
}

TEST_CASE("answers: a connector may answer in a later event") {
  std::uint64_t reply = 0;
  Configured stage([&](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_GET_CHATS)
      return does::answer(call, reply, "[]") + does::answer(call, event.reply, "[]");
    reply = event.reply;
    return 0;
  });
  stage.receive(kContacts42);
  stage.receive("demo/42/u/get_chats");
  CHECK(stage.take() == Lines{answer(kContacts42, "[]"), answer("demo/42/u/get_chats", "[]")});
}
