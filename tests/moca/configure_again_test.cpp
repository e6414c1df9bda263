// Steps of a configuration that come again, in between, or not at all.
#include "moca/configuration.hpp"

TEST_CASE("configure: nobody waits for more than a quarter of an hour, and nothing stays of it") {
  MocaStage stage;
  stage.receive(kText);
  stage.pass(minutes(14));
  stage.receive(kText);  // MOCA is still there
  stage.pass(minutes(14));
  CHECK(is_there(stage));
  stage.take();
  stage.pass(minutes(1));
  CHECK_FALSE(is_there(stage));
  CHECK(stage.take().empty());
  stage.receive("demo/42/u/get_chats");
  CHECK(stage.take() == Lines{error("demo/42/u/get_chats", 404, "no connector has this id")});
  stage.receive(kText, kNumber);
  CHECK(stage.take() == Lines{answer(kText, kPhone)});
}

TEST_CASE("configure: a second configuration that expires leaves the connector as it was") {
  MocaStage stage;
  stage.configure("42");
  stage.receive(kText);
  stage.pass(minutes(15));
  REQUIRE(is_there(stage));
  CHECK(stage.service.status()[0].configured);
  CHECK(stage.service.status()[0].step.empty());
}

TEST_CASE("configure: a connector that fails at its first step is forgotten, too") {
  MocaStage stage;
  stage.bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_E_FAILED; };
  stage.receive(kText);
  CHECK(stage.take() == Lines{error(kText, 500, "the connector failed")});
  CHECK(is_there(stage));
  stage.pass(minutes(15));
  CHECK_FALSE(is_there(stage));
}

TEST_CASE("configure: an answer that takes its time does not expire meanwhile") {
  MocaStage stage;
  stage.receive(kText);
  stage.pass(minutes(14) + seconds(58));
  std::uint64_t reply = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_CONFIGURE) reply = event.reply;
    return event.kind == BOTEL_CONNECTOR_CONFIGURE ? BOTEL_OK : does::finish(call, reply, kJonDoe);
  };
  stage.receive(kText, kNumber);
  stage.pass(seconds(4));
  stage.take();
  CHECK(is_there(stage));
  stage.bot.handle = transcript_connector;
}

TEST_CASE("configure: a step is given once, and the same one again gets the same answer") {
  MocaStage stage;
  int steps = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    ++steps;
    return transcript_connector(call, event);
  };
  stage.receive(kText);
  stage.receive(kText, R"({"phone":"+1"})");
  stage.receive(kText, R"({"phone":"+1"})");
  CHECK(stage.take() == Lines{answer(kText, kPhone), answer(kText, kCode), answer(kText, kCode)});
  CHECK(steps == 2);
  CHECK(stage.count("moca_requests_repeated_total") == 1);
}

TEST_CASE("configure: what was given to an earlier step is no answer to the same step asked again") {
  MocaStage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (does::member(event.detail, "step") == "code") return does::step(call, event.reply, "phone", kPhoneSchema);
    return transcript_connector(call, event);
  };
  stage.receive(kText);
  stage.receive(kText, R"({"phone":"+1"})");
  stage.receive(kText, R"({"code":"12345"})");
  stage.take();
  CHECK(stage.service.status()[0].step == "phone");
  stage.receive(kText, R"({"phone":"+1"})");
  CHECK(stage.take() == Lines{answer(kText, kCode)});
  CHECK(stage.service.status()[0].step == "code");
}

TEST_CASE("configure: a step that failed may be given again") {
  bool works = false;
  std::string topic = kText, again = kText;
  SUBCASE("in the form of the text, where nothing tells two requests apart") {}
  SUBCASE("in that of the server, which has a topic for each") {
    topic = kServer;
    again = "demo/42/u2/configure";
  }
  MocaStage stage;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (!works && !does::member(event.detail, "step").empty()) return BOTEL_E_FAILED + 0;
    return static_cast<int>(transcript_connector(call, event));
  };
  stage.receive(topic);
  stage.receive(topic, kNumber);
  CHECK(stage.take()[1] == answer(topic, with_error(kPhone, 500, "the connector failed")));
  works = true;
  stage.receive(again, kNumber);
  CHECK(stage.take() == Lines{answer(again, kFinished)});
}

TEST_CASE("configure: in the form of the server, the same request for a step that failed has failed") {
  MocaStage stage;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (does::member(event.detail, "step").empty()) return static_cast<int>(transcript_connector(call, event));
    return BOTEL_E_FAILED + 0;
  };
  stage.receive(kServer);
  for (int i = 0; i < 2; ++i) stage.receive(kServer, kNumber);
  const std::string failed = answer(kServer, with_error(kPhone, 500, "the connector failed"));
  CHECK(stage.take() == Lines{answer(kServer, kPhone), failed, failed});
  CHECK(stage.count("moca_requests_repeated_total") == 1);
  stage.bot.handle = transcript_connector;
  for (const auto& step : {std::string("{}"), kNumber}) stage.receive(kServer, step);
  CHECK(stage.take() == Lines{answer(kServer, kPhone), answer(kServer, kFinished)});
}

TEST_CASE("configure: while a step is handled another one is refused, and the same one is not handled twice") {
  MocaStage stage;
  stage.arrive(kText);
  stage.arrive(kText);
  stage.arrive(kServer);
  stage.arrive(kServer, kNumber);
  const std::string busy = "the step before is still being handled";
  CHECK(stage.take() == Lines{error(kServer, 409, busy), error(kServer, 409, busy)});
  stage.settle();
  CHECK(stage.take() == Lines{answer(kText, kPhone)});
}

TEST_CASE("configure: a second configuration does not make other requests be done twice") {
  MocaStage stage;
  stage.configure("42");
  int sent = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_SEND_MESSAGE) ++sent;
    return event.kind == BOTEL_CONNECTOR_SEND_MESSAGE ? BOTEL_OK : transcript_connector(call, event);
  };
  const std::string send = "demo/42/u/send_message/7";
  stage.receive(send, R"({"message":"hi"})");
  stage.receive(kText);
  stage.receive(send, R"({"message":"hi"})");
  CHECK(sent == 1);
}

TEST_CASE("configure: what begins a configuration may be given again, to the step that it leads to") {
  MocaStage stage;
  stage.receive(kText, kNumber);
  CHECK(stage.take() == Lines{answer(kText, kPhone)});
  stage.receive(kText, kNumber);
  CHECK(stage.take() == Lines{answer(kText, kFinished)});
}
