// What the two published MOCA servers make of a host, as stand-ins that behave as was measured on them.
#include "harness/moca_server.hpp"

#include "moca.hpp"

using namespace harness;

namespace {

using Kind = MocaServer::Kind;

const std::vector<std::string> kSteps = {"{}", R"({"phone":"+491711234567"})"};
constexpr std::size_t kHistory = 74;  // messages of the demo

struct Scene : MocaScene {
  explicit Scene(const std::string& more = "") : MocaScene(more) {
    std::filesystem::create_symlink(BOTEL_TELEGRAM, world.host.plugins() / "telegram.so");
    world.broker.wait_for_subscription("telegram/#");
  }
};

// A multiple of what ids differ by at least.
std::string id(std::int64_t number) { return std::to_string(number << 30); }

struct Servers : Scene {
  MocaServer newer{world.broker, "demo", Kind::newer};
  MocaServer older{world.broker, "telegram", Kind::older};
};

void expect_messages(MocaServer& server, std::size_t messages) {
  server.run_until(std::to_string(messages) + " messages", [&] { return server.messages() >= messages; });
  server.settle();
  CHECK(server.messages() == messages);
  CHECK(server.given_up() == 0);
}

}  // namespace

TEST_CASE("servers: a busy server does not take the user for a stranger, and can send") {
  for (const Kind kind : {Kind::older, Kind::newer}) {
    Scene scene;
    MocaServer server(scene.world.broker, "telegram", kind);
    server.be_busy();
    server.configure(42, kSteps);
    expect_messages(server, 20);
    REQUIRE(server.contact(42, "192168"));
    CHECK(server.contact(42, "192168")->is_self);
    CHECK(server.send(42, id(200), "hi") == 200);
  }
}

TEST_CASE_FIXTURE(Servers, "servers: no message of a connector takes the place of another's") {
  for (int connector = 1; connector <= 20; ++connector) newer.configure(connector, kSteps);
  expect_messages(newer, 20 * kHistory);
}

TEST_CASE_FIXTURE(Servers, "servers: a phone number that is corrected by configuring again is the new one") {
  newer.configure(42, kSteps);
  expect_messages(newer, kHistory);
  newer.configure(42, {"{}", R"({"phone":"+442071838750"})"});
  newer.run_until("the number", [&] { return newer.contact(42, "192168")->phone == "+442071838750"; });
  CHECK(newer.contact(42, "192168")->is_self);
}

TEST_CASE_FIXTURE(Servers, "servers: the older server loses no push, neither of the beginning nor of later") {
  older.configure(42, kSteps);
  expect_messages(older, 20);
  CHECK(older.send(42, id(200), "push 5") == 200);
  expect_messages(older, 26);
}

TEST_CASE_FIXTURE(Servers, "servers: who says the same three times in the old form has said it three times") {
  older.configure(42, kSteps);
  expect_messages(older, 20);
  for (int i = 0; i < 3; ++i) CHECK(older.send(42, id(200), "yes") == 200);
  expect_messages(older, 23);
}

TEST_CASE("servers: a message that could not be sent is sent for nobody") {
  for (const Kind kind : {Kind::older, Kind::newer}) {
    Scene scene;
    MocaServer server(scene.world.broker, "telegram", kind);
    server.configure(42, kSteps);
    expect_messages(server, 20);
    for (int i = 0; i < 2; ++i) CHECK(server.send(42, id(200), "fail") == 500);
    CHECK(server.send(42, id(200), "hi") == 200);
    expect_messages(server, 21);
  }
}

TEST_CASE(
    "servers: a contact that is unknown is called by its id until its name comes, and one that was known keeps its") {
  for (const Kind kind : {Kind::older, Kind::newer}) {
    Scene scene;
    MocaServer server(scene.world.broker, "telegram", kind);
    server.configure(42, kSteps);
    expect_messages(server, 20);
    CHECK(server.send(42, id(200), "stranger") == 200);
    expect_messages(server, 22);
    REQUIRE(server.contact(42, id(150)));
    CHECK(server.contact(42, id(150))->name == id(150));
    CHECK(server.send(42, id(200), "push 5") == 200);
    expect_messages(server, 28);
    CHECK(server.contact(42, id(104))->name == "Contact 4");
    CHECK(server.send(42, id(200), "introduce") == 200);
    server.run_until("the stranger's name", [&] { return server.contact(42, id(150))->name == "A stranger"; });
  }
}

TEST_CASE_FIXTURE(Scene, "servers: media that are not there, or break off, are no file") {
  MocaServer server(world.broker, "telegram", Kind::newer);
  server.configure(42, kSteps);
  expect_messages(server, 20);
  CHECK(server.download(42, id(200), id(1001)).status == 404);
  CHECK(server.download(42, id(200), id(1002)).status == 500);
  const auto whole = server.download(42, id(200), id(1003));
  CHECK(whole.status == 200);
  CHECK(whole.bytes == "piecepiece");
}

TEST_CASE("servers: a connector that could not be deleted is still there") {
  MocaScene scene("[moca]\nanswer_timeout = 0.5\n");
  MocaServer server(scene.world.broker, "puppet", Kind::newer);
  server.configure(7, {"{}", kLogin, kCode});
  Puppet busy(scene);
  const std::string go = (scene.world.dir / "go").string();
  busy.send(kTell, told("until " + go));
  CHECK(server.remove(7) == 500);
  CHECK(server.has(7));
  let_go(go);
}
