// A disk whose syncs take longer than a second (shimmed_botel.cpp): the log says what that means.
#include <doctest/doctest.h>
#include <signal.h>

#include "harness/world.hpp"

using namespace harness;

TEST_CASE("chaos: a slow disk is named once, with what it means, and its commits are counted") {
  const std::pair<std::string, std::string> cases[] = {
      {"relaxed", "a crash now may take back up to "},
      {"strict", "all that is acknowledged and answered waits for it"},
  };
  for (const auto& [durability, meaning] : cases) {
    CAPTURE(durability);
    World world({.host = {.store = "durability = \"" + durability + "\"\n"}});
    const auto folder = world.dir / "durable";
    std::filesystem::create_directory(folder);
    world.stop_host();
    world.host.options.executable = BOTEL_SHIMMED;
    world.host.options.environment = {"BOTEL_DURABLE_FOLDER=" + folder.string(), "BOTEL_SYNC_MS=1100"};
    world.start_host();
    const Room room{.commands = "say hello"};
    world.start(room);
    world.hear(room, "hello");
    world.host.process().wait_for_log(meaning);
    world.tell(room, "say again");
    world.hear(room, "again");
    world.host.process().signal(SIGTERM);
    world.host.process().wait();  // without success: what is to be saved at the end is given a second
    CHECK(count(world.host.log(), "store: a commit takes ") == 1);
    const auto slow = lines_with(world.host.log(), "store_commits_slow_total ");
    REQUIRE(slow.size() == 1);
    CHECK(slow[0].back() != '1');
  }
}
