// What arrives at the service.
#include "moca/service.hpp"

#include <doctest/doctest.h>

#include "moca/stage.hpp"

namespace {

botel::mqtt::Message message(std::string topic, std::string payload) {
  botel::mqtt::Message message{std::move(topic), std::move(payload)};
  message.size = message.payload.size();
  return message;
}

}  // namespace

TEST_CASE("moca: a type is subscribed once, and reserved names never") {
  MocaStage stage;
  for (const char* type : {"demo", "s", "moca", "a/b", "", "telegram", "telegram"}) stage.service.offer(type);
  CHECK(stage.take() == Lines{"+ telegram/#"});
}

TEST_CASE("moca: a type is given back when nobody serves it and no connector of it is left, and can come again") {
  MocaStage stage;
  CHECK(stage.service.take_filters() == Lines{"demo/#"});
  stage.configure("42");
  stage.receive("demo/configure/43", "{}");
  stage.take();
  stage.runtime.take_over(stage.role, nullptr);
  stage.service.give_up(stage.role);
  CHECK(stage.take().empty());
  stage.receive("demo/43/u/delete_connector");
  CHECK(stage.take() == Lines{answer("demo/43/u/delete_connector", R"({"success":true})")});
  stage.receive("demo/42/u/get_chats");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 503, "the service is not there")});
  stage.receive("demo/42/u/delete_connector");
  CHECK(stage.take() == Lines{answer("demo/42/u/delete_connector", R"({"success":true})"), "- demo/#"});
  CHECK_FALSE(stage.arrive("demo/42/u/get_chats"));
  CHECK(stage.service.take_filters().empty());
  stage.service.offer("demo");
  CHECK(stage.take() == Lines{"+ demo/#"});
  CHECK(stage.service.take_filters() == Lines{"demo/#"});
}

TEST_CASE("moca: a type is given back at once where it has no connector, and kept while its plugin only fails") {
  MocaStage stage;
  stage.role.set_failing(true);
  stage.service.give_up(stage.role);
  CHECK(stage.take().empty());
  stage.runtime.take_over(stage.role, nullptr);
  stage.service.give_up(stage.role);
  CHECK(stage.take() == Lines{"- demo/#"});
}

TEST_CASE("moca: what is of nobody here is left to others") {
  MocaStage stage;
  for (const char* topic : {"s/1/a/1/t/1/req/x", "telegram/42/u/get_chats", "moca/via/demo/42/chats", "demos/1", ""}) {
    CHECK_FALSE(stage.arrive(topic));
  }
  for (const char* topic : {"demo", "demo/", "demo/42/u/get_chats/response"}) CHECK(stage.arrive(topic));
}

TEST_CASE("moca: answers of our own are dropped by their topic, before anything looks at them") {
  MocaStage stage;
  auto echo = message("demo/42/u/get_chats/response", "");
  echo.retained = echo.over_limit = true;
  CHECK(stage.service.receive(echo));
  stage.receive("demo/42/u/get_chats/keepalive", "{");
  stage.receive("demo/configure/42/response", "{}");
  CHECK(stage.take().empty());
  CHECK(stage.count("moca_echoes_total") == 3);
  CHECK(stage.count("moca_retained_total") == 0);
  CHECK(stage.count("moca_unknown_topics_total") == 0);
  CHECK(stage.service.connectors() == 0);
}

TEST_CASE("moca: what is retained is ignored") {
  MocaStage stage;
  auto old = message("demo/configure/42", "{}");
  old.retained = true;
  CHECK(stage.service.receive(old));
  CHECK(stage.take().empty());
  CHECK(stage.count("moca_retained_total") == 1);
  CHECK(stage.service.connectors() == 0);
}

TEST_CASE("moca: what is over the limit is answered as an error") {
  MocaStage stage;
  auto large = message("demo/42/u/get_chats", "");
  large.over_limit = true;
  large.size = 2'000'000;
  CHECK(stage.service.receive(large));
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 400, "the payload is too large")});
  CHECK(stage.count("moca_over_limit_total") == 1);
}

TEST_CASE("moca: topics that are no request are counted, and answered where they have a form") {
  MocaStage stage;
  for (const char* topic :
       {"demo/42/u/fly", "demo/users/42/fly", "demo/configure/users", "demo/users/configure/get_chats"}) {
    stage.receive(topic);
    CHECK(stage.take() == Lines{error(topic, 400, "the topic is no request")});
  }
  for (const char* topic : {"demo", "demo/42", "demo/42/fly", "demo/configure/42/x"}) {
    stage.receive(topic);
    CHECK(stage.take().empty());
  }
  CHECK(stage.count("moca_unknown_topics_total") == 8);
}

TEST_CASE("moca: a topic whose answer would have none is only counted") {
  MocaStage stage;
  stage.receive("demo/42/u/get_media_file/" + std::string(65'511, 'x'));
  stage.receive("demo/" + std::string(65'520, 'x') + "/u/get_chats");
  std::string deep = "demo/42/u/get_media_file";
  for (int i = 0; i < 196; ++i) deep += "/x";
  stage.receive(deep);
  CHECK(stage.take().empty());
  CHECK(stage.count("moca_unknown_topics_total") == 3);
}
