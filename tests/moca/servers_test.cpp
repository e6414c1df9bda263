// What is pushed to which MOCA server when: nothing of the user before it is ready, and no more than it can take in.
#include <algorithm>

#include "moca/configuration.hpp"

namespace {

const std::string kOwn = fmt::format("< moca/via/demo/42/contacts [{}]", kContact);
const std::string kBarrier =
    R"(< moca/via/demo/42/chats [{"chat_id":7,"name":"Us","chat_type":"ChatType.group","participants":[1,2]}])";
const std::string kNewer = "demo/42/u/get_contact/", kOlder = "demo/users/42/get_contact/",
                  kOldChats = "demo/users/42/get_chats";

// What was pushed since the last call: "contacts", "chats", ...
Lines pushed(MocaStage& stage) {
  const std::string begin = "< moca/via/demo/42/";
  Lines kinds;
  for (const auto& line : stage.take()) {
    if (line.starts_with(begin)) kinds.push_back(line.substr(begin.size(), line.find(' ', 2) - begin.size()));
  }
  return kinds;
}

// A connector with a group, which has come to the end of its configuration.
struct Finished : MocaStage {
  explicit Finished(const std::string& phone = "+2") {
    receive(kText);
    receive(kText, fmt::format(R"({{"phone":"{}"}})", phone));
  }
  // Its server is of this kind, and has what was pushed at the beginning.
  void begin(const std::string& kind) {
    for (const char* id : {"1", "2"}) receive(kind + id);
    for (int i = 0; i < 4; ++i) pass(milliseconds(500));
    take();
  }
  // The connector pushes something of its own accord.
  void push() {
    const auto handle = std::exchange(bot.handle, [](const botel_call& call, const botel_event&) {
      return does::push(call, BOTEL_CONNECTOR_PUSH_MESSAGES, kMessages);
    });
    service.taken_over("demo");
    settle();
    bot.handle = handle;
  }
};

}  // namespace

TEST_CASE("servers: behind the end come two strangers, and all else when the server asks for the second of them") {
  int time = 0;
  SUBCASE("a server that is idle") {}
  SUBCASE("one that is busy") { time = 5; }
  SUBCASE("one that is very busy") { time = 119; }
  Finished stage;
  CHECK(stage.take() == Lines{answer(kText, kPhone), answer(kText, kFinished), kBarrier});
  stage.pass(milliseconds(2900));
  stage.receive(kNewer + "1");
  CHECK(pushed(stage).empty());
  stage.pass(seconds(time));  // it is there, so it is waited for
  CHECK(pushed(stage).empty());
  stage.receive(kNewer + "2");
  const auto lines = stage.take();
  CHECK(lines[0] == kOwn);
  CHECK(lines.size() == 5);  // contacts, chats, messages; and the answer
}

TEST_CASE("servers: requests for others, for the same one, or before the end, tell nothing of it") {
  Finished stage;
  for (const char* id : {"1", "1", "192168", "3", "9"}) stage.receive(kNewer + id);
  CHECK(pushed(stage) == Lines{"chats"});
  stage.receive(kText);
  stage.receive(kText, R"({"phone":"+2"})");
  stage.receive(kNewer + "2");
  CHECK(pushed(stage) == Lines{"chats"});
}

TEST_CASE("servers: where nobody asks, three seconds have to do") {
  std::string phone = "+2";
  Lines before{"chats"}, then{"contacts", "contacts", "chats"};
  SUBCASE("though there was somebody to ask for") {}
  SUBCASE("as there was nobody to ask for") {
    phone = "+491711234567";
    before = {};
    then = {"contacts"};
  }
  Finished stage(phone);
  CHECK(pushed(stage) == before);
  stage.pass(milliseconds(2999));
  CHECK(pushed(stage).empty());
  stage.pass(milliseconds(1));
  CHECK(pushed(stage) == then);
}

TEST_CASE("servers: one that has asked for the first stranger and died is waited for two minutes") {
  Finished stage;
  stage.receive(kNewer + "1");
  CHECK(pushed(stage) == Lines{"chats"});
  stage.pass(milliseconds(119'999));
  CHECK(pushed(stage).empty());
  stage.pass(milliseconds(1));
  CHECK(pushed(stage) == Lines{"contacts", "contacts", "chats", "messages"});
}

TEST_CASE("servers: the newer one gets what comes later at once") {
  Finished stage;
  stage.begin(kNewer);
  for (int i = 0; i < 3; ++i) {
    stage.push();
    CHECK(pushed(stage) == Lines{"messages"});
  }
}

TEST_CASE(
    "servers: one that has asked for nothing is taken for one of the older kind, until it asks as a newer one does") {
  Finished stage("+491711234567");
  stage.pass(seconds(3));
  stage.take();
  for (int i = 0; i < 6; ++i) stage.push();
  CHECK(pushed(stage) == Lines{"messages"});
  stage.pass(milliseconds(499));
  CHECK(pushed(stage).empty());
  stage.pass(milliseconds(1));
  CHECK(pushed(stage) == Lines{"messages"});
  SUBCASE("or as the older one does") {
    stage.receive("demo/users/42/get_chats");
    CHECK(pushed(stage).empty());
    stage.pass(milliseconds(500));
    CHECK(pushed(stage) == Lines{"messages"});
    return;
  }
  std::string request;
  SUBCASE("for anything") { request = "demo/42/u/get_chats"; }
  SUBCASE("though it is refused") { request = "demo/42/u/send_message"; }
  SUBCASE("to configure it again") { request = kServer; }
  stage.receive(request);
  CHECK(pushed(stage) == Lines{"messages", "messages", "messages", "messages"});
}

TEST_CASE("servers: the form in which it was configured tells a newer one") {
  MocaStage stage;
  stage.receive(kServer);
  stage.receive(kServer, R"({"phone":"+442071838750"})");
  stage.take();
  stage.pass(seconds(3));
  CHECK(pushed(stage) == Lines{"contacts", "contacts", "chats", "messages"});
}

TEST_CASE("servers: the older one gets a push when it has asked for nobody for half a second") {
  Finished stage;
  stage.begin(kOlder);
  for (int i = 0; i < 3; ++i) stage.push();
  CHECK(pushed(stage) == Lines{"messages"});
  for (int i = 0; i < 10; ++i) {  // it asks for all that the first one names
    stage.pass(milliseconds(400));
    stage.receive(kOlder + "1");
    CHECK(pushed(stage).empty());
  }
  stage.pass(milliseconds(499));
  CHECK(pushed(stage).empty());
  stage.pass(milliseconds(1));
  CHECK(pushed(stage) == Lines{"messages"});
  stage.pass(milliseconds(500));
  CHECK(pushed(stage) == Lines{"messages"});
  // Whoever comes when it is quiet does not wait,
  stage.pass(seconds(1));
  stage.push();
  CHECK(pushed(stage) == Lines{"messages"});
  // and neither does anybody when a newer one has taken its place.
  stage.push();
  stage.receive(kNewer + "1");
  CHECK(pushed(stage) == Lines{"messages"});
}

TEST_CASE("servers: while the older one waits for a contact nothing is pushed") {
  Finished stage;
  stage.begin(kOlder);
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    return event.kind == BOTEL_CONNECTOR_GET_CONTACT ? BOTEL_OK : static_cast<int>(transcript_connector(call, event));
  };
  stage.push();
  stage.take();
  stage.receive(kOlder + "1");
  stage.push();
  stage.pass(milliseconds(9999));
  CHECK(pushed(stage).empty());
  stage.pass(milliseconds(1));  // the connector did not answer in time
  stage.pass(milliseconds(500));
  CHECK(pushed(stage) == Lines{"messages"});
}

TEST_CASE("servers: one that never stops asking gets a push each two minutes") {
  Finished stage;
  stage.begin(kOlder);
  for (int i = 0; i < 3; ++i) stage.push();
  stage.take();
  Lines when;
  for (int tick = 1; tick <= 1000; ++tick) {
    stage.pass(milliseconds(250));
    stage.receive(kOlder + "1");
    for (const auto& kind : pushed(stage)) when.push_back(fmt::format("{} {}", tick / 4, kind));
  }
  CHECK(when == Lines{"120 messages", "240 messages"});
}

TEST_CASE("servers: only so much waits for one that asks, and what is above it is dropped") {
  Finished stage;
  stage.begin(kOlder);
  const std::uint64_t before = stage.count("moca_pushes_dropped_total");
  for (int i = 0; i < 1003; ++i) stage.push();
  CHECK(stage.count("moca_pushes_dropped_total") - before == 2);
  stage.take();
  stage.pass(milliseconds(500));
  stage.push();
  CHECK(stage.count("moca_pushes_dropped_total") - before == 2);
}

TEST_CASE("servers: chats that are asked for take their turn among the pushes") {
  Finished stage;
  const std::string chats = fmt::format("< moca/via/demo/42/chats {}", kGroups);
  stage.take();
  stage.receive(kOldChats);
  CHECK(stage.take() == Lines{answer(kOldChats, kGroups)});
  for (const char* id : {"1", "2"}) stage.receive(kOlder + id);
  stage.take();
  stage.pass(milliseconds(500));
  CHECK(stage.take() == Lines{kOwn, chats});
  stage.pass(milliseconds(500));
  stage.receive(kOldChats);
  CHECK(pushed(stage) == Lines{"contacts", "chats"});
  stage.pass(milliseconds(500));
  CHECK(pushed(stage) == Lines{"chats"});
  stage.pass(milliseconds(500));
  CHECK(pushed(stage) == Lines{"messages"});
}

TEST_CASE("servers: who configures again is told of the contact that is known then") {
  Finished stage;
  stage.begin(kNewer);
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (does::member(event.detail, "step").empty()) return does::step(call, event.reply, "phone", kPhoneSchema);
    return does::finish(call, event.reply, R"({"id":192168,"name":"Jon Doe","phone":"+442071838750"})");
  };
  stage.receive(kText);
  stage.receive(kText, R"({"phone":"+442071838750"})");
  stage.take();
  stage.pass(seconds(3));
  CHECK(stage.take() ==
        Lines{R"(< moca/via/demo/42/contacts [{"contact_id":192168,"id":192168,"name":"Jon Doe","username":null,)"
              R"("phone":"+442071838750","avatar":null}])"});
}
