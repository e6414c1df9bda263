// What comes on MOCA's topics and is no good: an error where the form has answers, and the next good request is served.
#include <random>

#include "moca.hpp"

using namespace harness;
using namespace std::string_literals;

namespace {

const std::string kLong(10'000, 'x');

struct Bad {
  std::string topic, payload, code;  // code: of the error that answers it
};

// Behind `puppet/`, where the connector 7 is configured and 8 has begun.
std::vector<Bad> bad_requests() {
  return {{"7/u/get_everything", "{}", "400"},
          {"7/u/get_contact", "{}", "400"},
          {"7//get_contacts", "{}", "400"},
          {"//", "{}", "400"},
          {"///", "{}", "400"},
          {"7/u/get_contact/a/b", "{}", "400"},
          {"7/u/get_chat/", "{}", "400"},
          {"7/u/get_chat/" + kLong, "{}", "400"},
          {"7/u/get_contacts/7", "{}", "400"},
          {"7/u/get_chat/none", "{}", "404"},
          {"7/u/get_contact/none", "{}", "404"},
          {"7/u/chats/1/messages/2/get_media", "{}", "404"},
          {"7/u/chats/1/messages//get_media", "{}", "400"},
          {"7/u/chats/1/messages/2/get_media/3", "{}", "400"},
          {"7/u/get_messages/80001", "no JSON", "400"},
          {"7/u/get_messages/80001", R"({"limit":"many"})", "400"},
          {"7/u/get_messages/80001", R"({"limit":-1})", "400"},
          {"7/u/get_messages/80001", R"({"before":{}})", "400"},
          {"7/u/send_message/80001", "", "400"},
          {"7/u/send_message/80001", "[]", "400"},
          {"7/u/send_message/80001", R"({"message":{"type":"text"}})", "400"},
          {"7/u/send_message/80001", R"({"message":{"type":"smell","content":"x"}})", "400"},
          {"7/u/send_message/80001", R"({"chat_id":5,"message":"hi"})", "400"},
          {"7/u/send_message", R"({"message":"hi"})", "400"},
          {"7/u/send_message", R"({"chat_id":"a/b","message":"hi"})", "400"},
          {"7/u/send_message", R"({"chat_id":"a#","message":"hi"})", "400"},
          {"7/u/send_message", R"({"chat_id":"a\u0000b","message":"hi"})", "400"},
          {"7/u/send_message", R"({"chat_id":9007199254740993,"message":"hi"})", "400"},
          {"7/u/send_message", R"({"chat_id":")" + kLong + R"(","message":"hi"})", "400"},
          {"7/u/send_message/80001", "{\"message\":\"\xff\"}", "400"},
          {"7/u/send_message/80001", R"({"message":)" + std::string(100'000, '['), "400"},
          {"9/u/get_contacts", "{}", "404"},
          {"users/9/get_contacts", "{}", "404"},
          {"8/u/get_contacts", "{}", "409"},
          {"users/8/send_message", R"({"chat_id":1,"message":"hi"})", "409"},
          {"users/7/get_everything", "{}", "400"},
          {"configure/7", "no JSON", "400"},
          {"configure/7", "[]", "400"},
          {"configure/users", "{}", "400"},
          {"configure/configure", "{}", "400"},
          {"configure/" + kLong, "{}", "400"},
          {"configure/7", R"({"a":")" + std::string(70'000, 'x') + "\"}", "400"},
          {kLong + "/u/get_contacts", "{}", "400"}};
}

// What no answer is for.
std::vector<std::string> silent_topics() {
  return {"7", "7/u", "7/u/get_contacts/response", "7/u/get_contacts/keepalive", "configure", "users/7", "/"};
}

std::string random_bytes(std::mt19937& random, std::size_t most) {
  std::string bytes(random() % most, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// Levels that mean something, and some that do not.
std::string random_topic(std::mt19937& random) {
  static const std::vector<std::string> kLevels{"7",
                                                "8",
                                                "users",
                                                "configure",
                                                "get_contacts",
                                                "get_contact",
                                                "get_chats",
                                                "get_messages",
                                                "send_message",
                                                "",
                                                "messages",
                                                "chats",
                                                "get_media",
                                                "response",
                                                "80001",
                                                "keepalive",
                                                "get_media_file",
                                                " ",
                                                "$SYS",
                                                "\u00e9",
                                                "null",
                                                "delete_connector_not",
                                                "-1",
                                                "get_chat"};
  std::string topic = "puppet";
  for (std::size_t i = random() % 7; i > 0; --i) topic += "/" + kLevels[random() % kLevels.size()];
  return topic;
}

std::string random_payload(std::mt19937& random) {
  static const std::vector<std::string> kGood{
      "{}",
      kLogin,
      kCode,
      told("hello"),
      R"({"before":"1","limit":3})",
      R"({"chat_id":80001,"message":{"type":"geo","geo_point":{"lon":1,"lat":2}}})"};
  std::string payload = random() % 4 == 0 ? random_bytes(random, 200) : kGood[random() % kGood.size()];
  for (std::size_t i = random() % 4; i > 0 && !payload.empty(); --i) {
    payload[random() % payload.size()] = static_cast<char>(random());
  }
  return payload;
}

}  // namespace

TEST_CASE("moca: what is no good is answered with an error where it can be, and counted") {
  MocaScene scene;
  Puppet moca(scene);
  CHECK(at(Moca(scene.world.broker, "puppet", "8").configure(), "step") == "login");
  for (const Bad& bad : bad_requests()) {
    CAPTURE(bad.topic.substr(0, 100));
    CAPTURE(bad.payload.substr(0, 100));
    const std::string answer = moca.ask("puppet/" + bad.topic, bad.payload);
    CHECK(at(answer, "error.code") == bad.code);
    CHECK_FALSE(at(answer, "error.message").empty());
  }
  moca.client.subscribe("puppet/#");
  for (const auto& topic : silent_topics()) moca.client.publish("puppet/" + topic, "{}");
  CHECK(text_of(moca.request(kTell, told("still there"))) == "still there");
  for (const auto& topic : silent_topics()) CHECK(moca.client.unexpected("puppet/" + topic + "/response").empty());
  CHECK(items(Demo(scene).request("get_chats")).size() == 5);
  scene.world.stop_host();
  CHECK(count(scene.world.host.log(), "moca_unknown_topics_total 2") == 1);
  CHECK(count(scene.world.host.log(), "moca_echoes_total 2") == 1);
  scene.world.start_host();
}

TEST_CASE("moca: a configuration while one is under way, and steps that are wrong") {
  MocaScene scene;
  Moca moca(scene.world.broker, "puppet", "7");
  const std::string step = moca.configure();
  CHECK(moca.configure() == step);
  const std::string again = moca.configure(R"({"user":17,"extra":true})");
  CHECK(at(again, "schema") == at(step, "schema"));
  CHECK(items(at(again, "errors")).size() == 2);
  CHECK(count(again, R"("pointer":"/user")") == 1);
  CHECK(items(at(moca.configure(R"({"user":")" + std::string(1025, 'x') + R"(","password":""})"), "errors")).size() ==
        1);
  CHECK(at(moca.configure(kLogin), "step") == "code");
  CHECK(at(moca.configure_by_uuid(), "step") == "code");
  CHECK(is_finished(moca.configure_by_uuid(kCode)));
  // And once more, while it goes on to serve.
  CHECK(at(moca.configure(), "step") == "login");
  CHECK(text_of(moca.request(kTell, told("still there"))) == "still there");
}

TEST_CASE("moca: any bytes on any topic leave the host answering the next good request") {
  MocaScene scene;
  Puppet moca(scene);
  const unsigned seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937 random(seed);
  for (int i = 1; i <= 3000; ++i) {
    moca.client.publish(random_topic(random), random_payload(random));
    if (i % 300 != 0) continue;
    REQUIRE(text_of(Puppet(scene, "good-" + std::to_string(i)).request(kTell, told("hello"))) == "hello");
  }
}
