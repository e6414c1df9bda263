// What docs/moving.md says: a host goes on elsewhere, with the store alone, or from a backup.
#include "harness/database.hpp"
#include "survival.hpp"

using namespace harness;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;
namespace fs = std::filesystem;

namespace {

void back_up(const World& world, const fs::path& to) {
  CHECK(run({BOTEL_EXECUTABLE, "store", "backup", to.string(), "--data", world.host.data().string()},
            world.dir / "backup.log") == 0);
}

// Another data directory, which has nothing but this store.
void move_to(World& world, const std::string& name, const fs::path& store) {
  world.host.options.data = world.dir / name;
  CHECK(run({BOTEL_EXECUTABLE, "store", "restore", store.string(), "--data", world.host.options.data},
            world.dir / "restore.log") == 0);
}

}  // namespace

TEST_CASE("moving: with its store alone a host goes on elsewhere, and hears what was said meanwhile") {
  for (const bool is_copied : {true, false}) {
    CAPTURE(is_copied);
    World world(kept(is_copied ? "relaxed" : "strict"));
    const Room room{.commands = "save resumed: say mine;say hello"};
    world.start(room);
    world.hear(room, "hello");
    const std::string name = read_file(world.host.data() / "client-id");
    world.stop_host();
    const auto stopped = Clock::now();
    world.tell(room, "say meanwhile");
    const fs::path copy = is_copied ? world.host.data() / "botel.db" : world.dir / "copy.db";
    if (!is_copied) back_up(world, copy);
    move_to(world, "elsewhere", copy);
    sleep_until(stopped + 1s);
    world.start_host();
    world.hear(room, "meanwhile");
    const Texts texts = said(world, room);
    REQUIRE(texts.size() == 4);
    CHECK(texts[0] == "hello");
    // Whatever else is missing, it is known for how long nobody was there.
    CHECK(texts[1].starts_with("resumed "));
    CHECK(std::chrono::milliseconds(std::stoll(texts[1].substr(8))) >= 1s);
    CHECK(texts[2] == "mine");
    CHECK(texts[3] == "meanwhile");
    CHECK(count(world.host.log(), "which has kept the session") == 1);
    CHECK(read_file(world.host.data() / "client-id") == name);
  }
}

TEST_CASE("moving: a backup that is put back takes rooms back to where they were, and they go on from there") {
  World world(kept("strict"));
  const Room room{.commands = "save old;say hello;wait 1500;say later"}, fresh{.room = "fresh"};
  world.start(room);
  world.hear(room, "hello");
  back_up(world, world.dir / "copy.db");
  world.tell(room, "save new;say changed");
  world.start(fresh);
  world.hear(room, "later");
  world.hear(room, "changed");
  world.stop_host(SIGKILL);
  move_to(world, "host/data", world.dir / "copy.db");
  world.tell(room, "say meanwhile");
  world.tell(fresh, "say lost");
  world.start_host();
  world.hear(room, "meanwhile");
  world.tell(room, "show");
  world.hear(room, "state old");
  // Said once more, as it waited when the backup was made; with another t.
  CHECK(said(world, room) == Texts{"hello", "later", "changed", "later", "meanwhile", "state old"});
  CHECK(said(world, fresh).empty());
  world.host.process().wait_for_log("u/7/r/fresh/u/7: ");
  world.broker.wait_for_unsubscription(fresh.msg_sub());
}

TEST_CASE("moving: a session that nobody comes back to is named") {
  World world(kept("relaxed"));
  const Room room;
  world.start(room);
  const std::string name = read_file(world.host.data() / "client-id").substr(0, 22);
  world.stop_host();
  SUBCASE("the configuration has another client id") {
    world.host.options.mqtt = "client_id = \"other\"\n";
    world.start_host();
    CHECK(count(world.host.log(), "the client id was " + name + " and is other now: ") == 1);
    world.restart_host();
    CHECK(count(world.host.log(), "the client id was ") == 0);
  }
  SUBCASE("the data directory had served under another one") {
    write_file(world.host.data() / "client-id", "other\n");
    world.start_host();
    CHECK(count(world.host.log(), "the client id was other and is " + name + " now: ") == 1);
    world.restart_host();
    CHECK(count(world.host.log(), "the client id was ") == 0);
  }
  SUBCASE("a store that does not know its client id comes without the file") {
    Database(world.host.data() / "botel.db").run("DELETE FROM session");
    fs::remove(world.host.data() / "client-id");
    world.start_host();
    CHECK(count(world.host.log(), "there are conversations, but no file client-id: ") == 1);
    // As it says.
    world.tell(room, "say one");
    world.hear(room, "one");
    world.host.options.mqtt = "client_id = \"" + name + "\"\n";
    world.restart_host();
    CHECK(count(world.host.log(), "which has kept the session") == 1);
  }
}
