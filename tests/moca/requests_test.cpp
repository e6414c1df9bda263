// Requests are answered exactly once, whatever connectors do.
#include <doctest/doctest.h>

#include <algorithm>

#include "moca/configuration.hpp"

namespace {

const std::string kContacts42 = "demo/42/u/get_contacts";
const std::string kSend = "demo/42/u/send_message/7";
const std::string kHi = R"({"message":{"type":"text","content":"hi"}})";

// What the connector is told: KIND PAYLOAD DETAIL.
std::string told(const botel_event& event) {
  return fmt::format("{:#x} {} {}", event.kind, FakeBot::view(event.payload), FakeBot::view(event.detail));
}

}  // namespace

TEST_CASE("requests: what the connector is told, in each form") {
  std::string heard;
  Configured stage([&](const botel_call& call, const botel_event& event) {
    heard = told(event);
    return does::answer(call, event.reply, R"({"message":"no"})", 404);
  });
  struct Case {
    std::string topic, payload, expected;
  };
  const std::string hi = R"({"type":"text","content":"hi"})";
  for (const auto& [topic, payload, expected] : {
           Case{"demo/users/42/get_contacts", "{}", "0x502  "},
           Case{"demo/42/u/get_contacts", "", "0x502  "},
           Case{"demo/users/42/get_contact/9", "{}", "0x503 9 "},
           Case{"demo/42/u/get_contact/9", "{}", "0x503 9 "},
           Case{"demo/users/42/get_chats", "{}", "0x504  "},
           Case{"demo/42/u/get_chats", "{}", "0x504  "},
           Case{"demo/42/u/get_chat/9", "{}", "0x505 9 "},
           Case{"demo/42/u/get_messages/9", "{}", R"(0x506 9 {"limit":25})"},
           Case{"demo/42/u/get_messages/9", R"({"before":70,"limit":3})", R"(0x506 9 {"before":"70","limit":3})"},
           Case{"demo/users/42/get_messages/7", "{}", R"(0x506 7 {"limit":25})"},
           Case{"demo/users/42/get_messages/x", R"({"before":"70","limit":3})", R"(0x506 x {"before":"70","limit":3})"},
           Case{"demo/users/42/send_message", R"({"chat_id":"7","message":)" + hi + "}",
                "0x507 " + hi + R"( {"chat_id":"7"})"},
           Case{"demo/42/u/send_message", R"({"chat_id":7,"message":)" + hi + "}",
                "0x507 " + hi + R"( {"chat_id":"7"})"},
           Case{"demo/42/u/send_message/7", R"({"message":)" + hi + "}", "0x507 " + hi + R"( {"chat_id":"7"})"},
           Case{"demo/42/u/chats/7/messages/70/get_media", "{}",
                R"(0x508  {"chat_id":"7","message_id":"70","offset":0,"limit":1048576})"},
           Case{"demo/42/u/get_media_file/a/b", "{}", R"(0x508  {"uri":"a/b","offset":0,"limit":1048576})"},
       }) {
    CAPTURE(topic);
    heard.clear();
    stage.receive(topic, payload);
    CHECK(heard == expected);
    const bool is_contact = topic.find("get_contact/") != std::string::npos;
    CHECK(stage.take() == Lines{is_contact ? contact_error(topic, 404, "no") : error(topic, 404, "no")});
  }
}

TEST_CASE("requests: before configuration, and of nobody, they are refused; the same ones are served behind it") {
  MocaStage stage;
  stage.receive(kContacts42);
  CHECK(stage.take() == Lines{error(kContacts42, 404, "no connector has this id")});
  stage.receive("demo/configure/42");
  stage.take();
  stage.receive(kContacts42);
  CHECK(stage.take() == Lines{error(kContacts42, 409, "the connector is not configured yet")});
  stage.configure("42");
  stage.receive(kContacts42);
  CHECK(stage.take()[0].find("Jon Doe") != std::string::npos);
}

TEST_CASE("requests: what is wrong in a payload is said") {
  Configured stage;
  stage.receive(kSend, "{}");
  CHECK(stage.take() == Lines{error(kSend, 400, "message: content is missing, or no string")});
  stage.receive("demo/42/u/send_message", kHi);
  CHECK(stage.take() == Lines{error("demo/42/u/send_message", 400, "chat_id is missing")});
  stage.receive("demo/42/u/get_messages/7", R"({"limit":"x"})");
  CHECK(stage.take() == Lines{error("demo/42/u/get_messages/7", 400, "limit is no number above 0")});
  for (const char* payload : {"", "[]", "\xff", "{", "nul"}) {
    stage.receive(kSend, payload);
    CHECK(stage.take()[0].starts_with(R"(< demo/42/u/send_message/7/response {"error":{"code":400,)"));
  }
  CHECK(stage.count("moca_requests_refused_total") == 8);
  for (const char* topic : {"demo/42/u/get_chats", "demo/users/42/delete", "demo/42/u/chats/7/messages/70/get_media"}) {
    stage.receive(topic, "{]");
    CHECK(stage.take() ==
          Lines{error(topic, 400, "the payload is no JSON: Missing a name for object member. (at byte 1)")});
  }
  CHECK(stage.service.connectors() == 1);
}

TEST_CASE("requests: half an emoji, a byte order mark and NULs behind the end are put right") {
  Configured stage;
  const std::string topic = "demo/42/u/send_message/7";
  stage.receive(topic, R"({"message":"hi \ud83d"})");
  CHECK(stage.take()[0].find(R"("content":"hi \ufffd")") != std::string::npos);
  stage.receive(topic, "\xEF\xBB\xBF{\"message\":\"ho\"}" + std::string(2, '\0'));
  CHECK(stage.take()[0].find(R"("content":"ho")") != std::string::npos);
  stage.receive("demo/configure/43", "{}" + std::string(1, '\0'));
  stage.receive("demo/configure/43", R"({"phone":"+491711234567","note":"\ud83d"})");
  CHECK(stage.take() == Lines{answer("demo/configure/43", kPhone), answer("demo/configure/43", kFinished)});
}

TEST_CASE("requests: a message that is sent is answered with the whole of it") {
  Configured stage;
  stage.receive(kSend, kHi);
  const std::string message =
      R"({"message_id":72,"contact_id":192168,"chat_id":"7","sent_datetime":"2024-05-01T09:03:00+00:00",)"
      R"("message":{"type":"text","content":"hi"}})";
  CHECK(stage.take() == Lines{answer(kSend, message), fmt::format("< moca/via/demo/42/messages [{}]", message)});
}

TEST_CASE("requests: the same one within a minute is answered from memory, and not done twice") {
  int done = 0;
  Configured stage([&](const botel_call& call, const botel_event& event) {
    ++done;
    return transcript_connector(call, event);
  });
  stage.receive(kSend, kHi);
  const auto first = stage.take();
  stage.pass(seconds(59));
  stage.receive(kSend, kHi);
  CHECK(stage.take() == Lines{first[0]});
  CHECK(done == 1);
  stage.receive(kSend, R"({"message":"other"})");
  stage.receive("demo/42/u2/send_message/7", kHi);
  CHECK(done == 3);
  stage.pass(seconds(1));
  stage.receive(kSend, kHi);
  CHECK(done == 4);
  CHECK(stage.count("moca_requests_repeated_total") == 1);
}

TEST_CASE("requests: in the old form each message is one of its own, also while another is under way") {
  const std::string send = "demo/users/42/send_message", yes = R"({"chat_id":7,"message":"yes"})";
  int done = 0;
  Configured stage([&](const botel_call& call, const botel_event& event) {
    done += event.kind == BOTEL_CONNECTOR_SEND_MESSAGE ? 1 : 0;
    return transcript_connector(call, event);
  });
  stage.arrive(send, yes);
  stage.receive(send, yes);
  stage.receive(send, yes);
  CHECK(done == 3);
  const auto lines = stage.take();
  CHECK(std::ranges::count_if(lines, [&](const auto& line) { return line.starts_with("< " + send); }) == 3);
  CHECK(stage.count("moca_requests_repeated_total") == 0);
}

TEST_CASE("requests: what is asked in the old form is asked anew each time, but for the same while it is under way") {
  int done = 0;
  Configured stage([&](const botel_call& call, const botel_event& event) {
    return does::answer(call, event.reply, fmt::format(R"([{{"id":1,"name":"A{}"}}])", ++done));
  });
  const std::string topic = "demo/users/42/get_contacts";
  stage.arrive(topic);
  stage.receive(topic);
  stage.receive(topic);
  const auto lines = stage.take();
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find("A1") != std::string::npos);
  CHECK(lines[1].find("A2") != std::string::npos);
}

TEST_CASE("requests: the same one while it is under way is answered once") {
  int done = 0;
  std::uint64_t reply = 0;
  Configured stage([&](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_TIMER_DUE) return does::answer(call, reply, "[]");
    ++done;
    reply = event.reply;
    botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
    timer.delay_ms = 2000;
    return FakeBot::emit(call, timer);
  });
  stage.receive(kContacts42);
  stage.receive(kContacts42);
  stage.pass(seconds(1));
  stage.receive(kContacts42);
  CHECK(stage.take().empty());
  stage.pass(seconds(1));
  CHECK(stage.take() == Lines{answer(kContacts42, "[]")});
  CHECK(done == 1);
}

TEST_CASE("requests: an error is remembered as well") {
  int done = 0;
  Configured stage([&](const botel_call& call, const botel_event& event) {
    ++done;
    return does::answer(call, event.reply, R"({"message":"gone"})", 404);
  });
  stage.receive(kContacts42);
  stage.receive(kContacts42);
  CHECK(stage.take() == Lines{error(kContacts42, 404, "gone"), error(kContacts42, 404, "gone")});
  CHECK(done == 1);
}

TEST_CASE("requests: a thousand at once to one connector are all answered once, in their order") {
  Configured stage;
  Lines expected;
  for (int i = 0; i < 1000; ++i) {
    const auto topic = fmt::format("demo/42/{}/get_contact/1", i);
    stage.arrive(topic);
    expected.push_back(
        answer(topic, R"({"contact_id":1,"id":1,"name":"Ada","username":"ada","phone":null,"avatar":null})"));
  }
  stage.settle();
  CHECK(stage.take() == expected);
  CHECK(stage.service.status()[0].waiting == 0);
}

TEST_CASE("requests: more than a connector can bear are refused, and others are served") {
  Configured stage;
  stage.configure("43");
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return FakeBot::view(call.address) == "demo/42" ? BOTEL_OK : does::look_up(call, event.reply);
  };
  for (int i = 0; i < 2001; ++i) stage.arrive(fmt::format("demo/42/{}/get_contacts", i));
  CHECK(stage.take() == Lines{error("demo/42/2000/get_contacts", 503, "too many requests wait for this connector")});
  stage.receive("demo/43/u/get_contact/1");
  CHECK(stage.take()[0].find("Ada") != std::string::npos);
  stage.pass(seconds(10));
  CHECK(stage.take().size() == 2000);
  stage.receive("demo/42/u/get_contacts");
  CHECK(stage.service.status()[0].waiting == 1);
}

TEST_CASE("requests: chats are answered and pushed; an empty list is only answered") {
  Configured stage(
      [](const botel_call& call, const botel_event& event) { return does::answer(call, event.reply, kChats); });
  stage.receive("demo/users/42/get_chats");
  CHECK(stage.take() ==
        Lines{answer("demo/users/42/get_chats", kChats), fmt::format("< moca/via/demo/42/chats {}", kChats)});
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return does::answer(call, event.reply, "[]");
  };
  stage.receive("demo/42/u/get_chats");
  CHECK(stage.take() == Lines{answer("demo/42/u/get_chats", "[]")});
}

TEST_CASE("requests: where nobody serves the connector, that is said") {
  Configured stage;
  stage.runtime.take_over(stage.role, nullptr);
  stage.receive(kContacts42);
  CHECK(stage.take() == Lines{error(kContacts42, 503, "the service is not there")});
}
