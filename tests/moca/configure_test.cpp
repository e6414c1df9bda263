// A connector is configured step by step.
#include "moca/configuration.hpp"

TEST_CASE("configure: the form of the text and that of the server lead to the same, with all that both look for") {
  for (const auto& topic : {kText, kServer}) {
    MocaStage stage;
    stage.receive(topic);
    CHECK(stage.take() == Lines{answer(topic, kPhone)});
    stage.receive(topic, kNumber);
    CHECK(stage.take() == Lines{answer(topic, kFinished)});
    REQUIRE(stage.service.status().size() == 1);
    CHECK(stage.service.status()[0].configured);
  }
}

TEST_CASE("configure: what is pushed behind the end is in the directory at once") {
  MocaStage stage;
  stage.receive(kText);
  stage.receive(kText, R"({"phone":"+442071838750"})");
  stage.bot.handle = [](const botel_call& call, const botel_event& event) { return does::look_up(call, event.reply); };
  stage.take();
  stage.receive("demo/42/u/get_chats");
  const auto lines = stage.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("< demo/42/u/get_chats/response [{"));
}

TEST_CASE("configure: what is pushed before the end waits for it, over a restart, too") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    MocaStage stage(store.get());
    stage.bot.handle = [](const botel_call& call, const botel_event& event) {
      does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, kChats);
      return transcript_connector(call, event);
    };
    stage.receive(kText);
    stage.pass(seconds(10));
    CHECK(stage.take() == Lines{answer(kText, kPhone)});
  }
  MocaStage stage(store.get(), 1'700'000'060'000);
  stage.service.resume(seconds(50), {});
  stage.pass(seconds(10));
  CHECK(stage.take().empty());
  stage.receive(kText, kNumber);
  CHECK(stage.take() == Lines{answer(kText, kFinished)});
  stage.pass(seconds(3));
  CHECK(stage.take() == Lines{fmt::format("< moca/via/demo/42/contacts [{}]", kContact),
                              fmt::format("< moca/via/demo/42/chats {}", kChats)});
}

TEST_CASE("configure: what does not satisfy the schema gets the same step again, with what is wrong") {
  MocaStage stage;
  stage.receive(kText);
  stage.take();
  for (int i = 0; i < 2; ++i) {  // it is no answer to remember
    stage.receive(kText, R"({"phone":7})");
    CHECK(stage.take() == Lines{answer(kText, kPhone.substr(0, kPhone.size() - 1) +
                                                  R"(,"errors":[{"pointer":"/phone","message":"is not a string"}]})")});
  }
  stage.receive(kText, R"({"code":"1"})");
  CHECK(stage.take()[0].find(R"("errors":[{"pointer":"","message":")") != std::string::npos);
  stage.receive(kText, kNumber);
  CHECK(stage.take() == Lines{answer(kText, kFinished)});
}

TEST_CASE("configure: strings of more than 1,024 characters and data deeper than 16 are wrong") {
  MocaStage stage;
  stage.receive(kText);
  stage.take();
  for (const auto& phone : {'"' + std::string(1025, '1') + '"', std::string(20, '[') + std::string(20, ']')}) {
    stage.receive(kText, fmt::format(R"({{"phone":{}}})", phone));
    CHECK(stage.take()[0].find(R"("errors":[)") != std::string::npos);
  }
  CHECK(stage.service.status()[0].step == "phone");
}

TEST_CASE("configure: what is no object is refused, and changes nothing") {
  MocaStage stage;
  for (const char* payload : {"", "[]", "null", "{", "\xff", "{}{}"}) {
    stage.receive(kText, payload);
    const auto lines = stage.take();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with(answer(kText, R"({"error":{"code":400,"message":"the payload is no JSON object)")));
  }
  CHECK_FALSE(is_there(stage));
  stage.receive(kText);
  stage.receive(kText, fmt::format(R"({{"phone":"{}"}})", std::string(70'000, '1')));
  CHECK(stage.take()[1] == answer(kText, with_error(kPhone, 400, "the payload is no JSON object: it is too large")));
}

TEST_CASE("configure: {} resumes, in the other form, too") {
  MocaStage stage;
  stage.receive(kText);
  stage.receive(kText, R"({"phone":"+1"})");
  CHECK(stage.take() == Lines{answer(kText, kPhone), answer(kText, kCode)});
  stage.receive(kServer);
  stage.receive(kText);
  stage.receive(kText, " { } ");
  CHECK(stage.take() == Lines{answer(kServer, kCode), answer(kText, kCode), answer(kText, kCode)});
}

TEST_CASE("configure: a connector that is configured can be configured again, and serves meanwhile") {
  MocaStage stage;
  stage.configure("42");
  stage.receive(kText);
  CHECK(stage.take() == Lines{answer(kText, kPhone)});
  stage.receive("demo/42/u/get_contact/192168");
  CHECK(stage.take() == Lines{answer("demo/42/u/get_contact/192168", kContact)});
  stage.receive(kText, kNumber);
  CHECK(stage.take() == Lines{answer(kText, kFinished)});
}

TEST_CASE("configure: what is given where nothing was asked for gets the first step") {
  MocaStage stage;
  stage.receive(kText, kNumber);
  CHECK(stage.take() == Lines{answer(kText, kPhone)});
}

TEST_CASE("configure: a step that the connector may not ask for is refused when it asks") {
  MocaStage stage;
  std::vector<std::int32_t> results;
  const std::vector<std::pair<std::string, std::string>> steps = {
      {"phone", R"({"type":"object"})"},  // satisfied by {}
      {"phone", R"({"type":"array"})"},   // what is given is always an object
      {"phone", R"({"type":["object","null"],"required":["a"]})"},
      {"finished", std::string(kPhoneSchema)},            // reserved
      {"", std::string(kPhoneSchema)},                    // no name
      {std::string(65, 'x'), std::string(kPhoneSchema)},  // too long a one
      {"phone", R"({"$ref":"#"})"},                       // contains itself
      {"phone", R"({"required":["a"],"properties":{"a":{"pattern":"("}}})"},
      {"phone", "7"}};
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    for (const auto& [name, schema] : steps) results.push_back(does::step(call, event.reply, name, schema));
    return BOTEL_OK;
  };
  stage.receive(kText);
  const auto no = BOTEL_E_INVALID;
  CHECK(results == std::vector<std::int32_t>{no, no, BOTEL_OK, no, no, no, no, no, no});
  CHECK(stage.take() ==
        Lines{answer(kText, R"({"step":"phone","schema":{"type":["object","null"],"required":["a"]}})")});
}

TEST_CASE("configure: a contact that is none is the connector's mistake, and the step stays") {
  MocaStage stage;
  stage.receive(kText);
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return does::finish(call, event.reply, R"({"id":1.5,"name":"x"})");
  };
  stage.take();
  stage.receive(kText, kNumber);
  const auto lines = stage.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with(answer(kText, R"({"error":{"code":500,"message":"the contact is wrong: )")));
  CHECK(stage.service.status()[0].step == "phone");
  CHECK_FALSE(stage.service.status()[0].configured);
}

TEST_CASE("configure: where nobody serves, that is said") {
  MocaStage stage;
  stage.service.offer("other");
  stage.take();
  stage.receive("other/configure/1");
  CHECK(stage.take() == Lines{error("other/configure/1", 503, "the service is not there")});
  stage.receive(kText);
  stage.take();
  stage.runtime.take_over(stage.role, nullptr);
  stage.receive(kText);
  stage.receive(kText, kNumber);
  const std::string refused = answer(kText, with_error(kPhone, 503, "the service is not there"));
  CHECK(stage.take() == Lines{refused, refused});
  stage.runtime.take_over(stage.role, stage.bot.logic("demo"));
  stage.receive(kText);
  CHECK(stage.take() == Lines{answer(kText, kPhone)});
}

TEST_CASE("configure: so many connectors may be half-configured, and those that are there go on") {
  MocaStage stage;
  for (int i = 0; i < 10'000; ++i) stage.arrive(fmt::format("demo/configure/{}", i));
  stage.settle();
  CHECK(stage.take().size() == 10'000);
  stage.receive("demo/configure/x");
  CHECK(stage.take() == Lines{error("demo/configure/x", 503, "too many connectors are being configured")});
  stage.receive("demo/configure/7", kNumber);
  CHECK(stage.take() == Lines{answer("demo/configure/7", kFinished)});
  stage.pass(minutes(15));
  CHECK(stage.service.connectors() == 1);
  stage.receive("demo/configure/x");
  CHECK(stage.take().back() == answer("demo/configure/x", kPhone));
}
