// What the two published MOCA servers make of a host, as stand-ins that behave as was measured on them.
#include "harness/moca_server.hpp"

#include "moca.hpp"

using namespace harness;

namespace {

const std::vector<std::string> kSteps = {"{}", R"({"phone":"+491711234567"})"};
constexpr std::size_t kHistory = 74;                    // messages of the demo
const std::string kChat = std::to_string(200LL << 30);  // of the other connector

struct Scene : MocaScene {
  Scene() {
    std::filesystem::create_symlink(BOTEL_TELEGRAM, world.host.plugins() / "telegram.so");
    world.broker.wait_for_subscription("telegram/#");
  }
};

struct Servers : Scene {
  MocaServer newer{world.broker, "demo", MocaServer::Kind::newer};
  MocaServer older{world.broker, "telegram", MocaServer::Kind::older};

  static void expect_messages(MocaServer& server, std::size_t messages) {
    server.run_until(std::to_string(messages) + " messages", [&] { return server.messages() >= messages; });
    server.settle();
    CHECK(server.messages() == messages);
    CHECK(server.given_up() == 0);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Servers, "servers: a busy server does not take the own contact for a stranger") {
  newer.be_busy();
  newer.configure(42, kSteps);
  expect_messages(newer, kHistory);
  const auto* const own = newer.contact(42, "192168");
  REQUIRE(own);
  CHECK(own->is_self);
}

TEST_CASE_FIXTURE(Servers, "servers: the older server loses no push, neither of the beginning nor of later") {
  older.configure(42, kSteps);
  expect_messages(older, 20);
  CHECK(older.send(42, kChat, "push 5") == 200);
  expect_messages(older, 26);
}

TEST_CASE_FIXTURE(Servers, "servers: who says the same three times in the old form has said it three times") {
  older.configure(42, kSteps);
  expect_messages(older, 20);
  for (int i = 0; i < 3; ++i) CHECK(older.send(42, kChat, "yes") == 200);
  expect_messages(older, 23);
}
