// The file that conversations are kept in: who may read it, and what happens when it is not what it should be.
#include <sys/stat.h>
#include <unistd.h>

#include "harness/database.hpp"
#include "survival.hpp"

using namespace harness;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;
namespace fs = std::filesystem;

namespace {

unsigned mode(const fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) throw std::runtime_error(file.string() + " is not there");
  return status.st_mode & 07777;
}

// A host that has been stopped and left a room behind, in a store that is to be damaged.
struct Left {
  explicit Left(const std::string& durability = "relaxed") : world(kept(durability)), room{.commands = "save mine"} {
    world.start(room);
    world.stop_host();
  }
  [[nodiscard]] fs::path store() const { return world.host.data() / "botel.db"; }

  // The host does not start, and says why in one line, which has `why`.
  void check_refused(const std::string& why) {
    world.host.start();
    CHECK(world.host.process().wait() == 1);
    const auto lines = lines_with(world.host.log(), "botel: ");
    CAPTURE(world.host.log());
    REQUIRE(lines.size() == 1);
    CHECK(contains(why)(lines[0]));
    CHECK(world.host.log().ends_with(lines[0] + "\n"));
  }

  // As long as `path` cannot be written.
  void check_refused_read_only(const fs::path& path) {
    const fs::path script = world.dir / "read-only";
    const std::string name = path.string();
    // In a name space of its own: root may write whatever the modes say.
    write_file(script, "#!/bin/sh\nexec unshare -m sh -c 'mount --bind " + name + " " + name +
                           " && mount -o remount,ro,bind " + name +
                           " && exec " BOTEL_EXECUTABLE " \"$@\" || exit 77' sh \"$@\"\n");
    fs::permissions(script, fs::perms::owner_all);
    if (run({script, "--version"}, world.dir / "log") != 0) {
      MESSAGE("nothing can be mounted here, so this is not tried: " << read_file(world.dir / "log"));
      return;
    }
    const std::string before = read_file(store());
    world.host.options.executable = script;
    check_refused(name);
    CHECK(contains("ead-only")(world.host.log()));
    CHECK(read_file(store()) == before);
    world.host.options.executable = "";
  }

  // It starts, and its room is what it was.
  void check_back() {
    world.start_host();
    world.tell(room, "show");
    world.hear(room, "state mine");
  }

  World world;
  const Room room;
};

struct Damage {
  std::string name, why;
  std::function<void(const fs::path& store)> make;
};

void overwrite(const fs::path& file, std::size_t offset, std::size_t size) {
  std::string text = read_file(file);
  REQUIRE(text.size() >= offset + size);
  write_file(file, text.replace(offset, size, size, 'x'));
}

const std::vector<Damage> kDamages = {
    {"not a database", "is not a database", [](const fs::path& store) { write_file(store, "these are my notes\n"); }},
    {"overwritten where it begins", "is not a database", [](const fs::path& store) { overwrite(store, 0, 100); }},
    {"overwritten in the middle", "`botel store repair`", [](const fs::path& store) { overwrite(store, 4096, 40000); }},
    {"truncated", "`botel store repair`", [](const fs::path& store) { fs::resize_file(store, 10000); }},
    {"of a newer version", "was written by a newer Botel (schema 99",
     [](const fs::path& store) { Database(store).run("PRAGMA user_version = 99"); }},
    {"another program's", "is the database of another program",
     [](const fs::path& store) { Database(store).run("PRAGMA application_id = 7"); }},
};

}  // namespace

TEST_CASE("store: the data directory and what it keeps of conversations are their owner's alone") {
  // The most generous there is.
  const mode_t before = umask(0);
  World world(kept("strict"));
  umask(before);
  const Room room;
  world.start(room);
  CHECK(mode(world.host.data()) == 0700);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(world.host.data())) {
    if (!entry.path().filename().string().starts_with("botel.db")) continue;
    CAPTURE(entry.path().string());
    CHECK(mode(entry.path()) == 0600);
    ++files;
  }
  CHECK(files == 3);
}

TEST_CASE("store: with a file that is not a sound store the host does not start, and leaves the file as it is") {
  for (const Damage& damage : kDamages) {
    CAPTURE(damage.name);
    Left left;
    const std::string sound = read_file(left.store());
    damage.make(left.store());
    const std::string damaged = read_file(left.store());
    for (int i = 0; i < 2; ++i) left.check_refused(damage.why);
    CHECK(read_file(left.store()) == damaged);
    write_file(left.store(), sound);
    left.check_back();
  }
}

TEST_CASE("store: where its file cannot be made or written the host does not start") {
  Left left;
  SUBCASE("a directory in its place") {
    fs::rename(left.store(), left.world.dir / "aside");
    fs::create_directory(left.store());
    write_file(left.store() / "mine", "mine");
    left.check_refused("botel.db");
    CHECK(read_file(left.store() / "mine") == "mine");
    fs::remove_all(left.store());
    fs::rename(left.world.dir / "aside", left.store());
  }
  SUBCASE("a data directory that cannot be") {
    write_file(left.world.dir / "file", "mine");
    left.world.host.options.data = (left.world.dir / "file" / "data").string();
    left.check_refused("data directory " + left.world.host.options.data);
    CHECK(read_file(left.world.dir / "file") == "mine");
    left.world.host.options.data = "";
  }
  SUBCASE("a read-only file system") { left.check_refused_read_only(left.world.host.data()); }
  SUBCASE("a read-only file") { left.check_refused_read_only(left.store()); }
  left.check_back();
}

TEST_CASE("store: while it is locked nothing is acknowledged or answered in strict, and then it goes on by itself") {
  WorldOptions options = kept("strict");
  options.host.mqtt = "client_id = \"the-host\"\n";
  World world(options);
  const Room room, fresh{.room = "fresh", .commands = "say hello"};
  world.start(room);
  world.tell(room, "say before;timer 1 1000");
  world.hear(room, "before");
  world.fence();
  const auto acknowledged = [&] { return count(world.broker.log(), "Received PUBACK from the-host"); };

  Database other(world.host.data() / "botel.db");
  other.run("BEGIN EXCLUSIVE");
  const int before = acknowledged();
  world.tell(room, "say one");
  world.tell(room, "say two");
  world.client.publish(fresh.requests(), request("1", "start", fresh.start_params()));
  world.host.process().wait_for_log("store: nothing is saved: ");
  CHECK(count(world.host.log(), "botel.db is locked by another program") == 1);
  SUBCASE("for a moment") {}
  SUBCASE("for longer than a connection would wait") { sleep_until(Clock::now() + 6s); }
  CHECK(acknowledged() == before);
  CHECK(said(world, room) == Texts{"before"});
  CHECK(payloads(world, room.res_pub()).size() == 1);
  other.run("ROLLBACK");

  world.hear(room, "two");
  world.hear(room, "timer 1");
  CHECK(at(world.answer(fresh, "1").payload, "result") == "OK");
  world.hear(fresh, "hello");
  world.tell(room, "say after");
  world.hear(room, "after");
  CHECK(count(world.host.log(), "conversations are saved again") == 1);
  Texts texts = said(world, room);
  CHECK(std::erase(texts, "timer 1") == 1);
  CHECK(texts == Texts{"before", "one", "two", "after"});
  world.restart_host(SIGKILL);
  world.tell(room, "say the end");
  world.hear(room, "the end");
  CHECK(said(world, room).size() == 6);
  CHECK(said(world, fresh) == Texts{"hello"});
}

TEST_CASE("store: a host that is stopped while it is locked says so, and in strict nothing is lost") {
  World world(kept("strict"));
  const Room room;
  world.start(room);
  world.tell(room, "say before");
  world.hear(room, "before");
  world.fence();
  {
    Database other(world.host.data() / "botel.db");
    other.run("BEGIN EXCLUSIVE");
    world.tell(room, "say one");
    world.host.process().wait_for_log("store: nothing is saved: ");
    world.tell(room, "say two");
    CHECK(world.host.stop() == 1);
    CHECK(count(world.host.log(), "what happened last is not in the store: ") == 1);
    CHECK(said(world, room) == Texts{"before"});
  }
  world.start_host();
  world.hear(room, "two");
  world.fence();
  CHECK(said(world, room) == Texts{"before", "one", "two"});
}

TEST_CASE("store: in relaxed, too, nothing is acknowledged once it is known that nothing is saved") {
  World world(kept("relaxed"));
  const Room room;
  world.start(room);
  Database other(world.host.data() / "botel.db");
  wait_until("the room to be saved", [&] { return other.number("SELECT count(*) FROM actors") == 1; });
  other.run("BEGIN EXCLUSIVE");
  world.tell(room, "say one");
  world.hear(room, "one");
  world.host.process().wait_for_log("store: nothing is saved: ");
  world.host.process().wait_for_log("lost the broker");
  world.tell(room, "say two");
  SUBCASE("it is free again") {
    other.run("ROLLBACK");
    world.hear(room, "two");
    world.host.process().wait_for_log("conversations are saved again");
    world.restart_host();
    world.tell(room, "say three");
    world.hear(room, "three");
    CHECK(said(world, room) == Texts{"one", "two", "three"});
  }
  SUBCASE("it is locked until the end, which says so") {
    CHECK(world.host.stop() == 1);
    CHECK(count(world.host.log(), "what happened last is not in the store: ") == 1);
    other.run("ROLLBACK");
    world.start_host();
    world.hear(room, "two");
    // What was in the works when it was locked may come again.
    CHECK(said(world, room).back() == "two");
  }
}

TEST_CASE("store: a host that is started while it is locked waits for it, and loses nothing") {
  Left left("strict");
  World& world = left.world;
  Database other(left.store());
  // Something is read first, so that the lock is there and not only asked for.
  REQUIRE(other.number("SELECT count(*) FROM actors") == 1);
  other.run("BEGIN EXCLUSIVE");
  world.tell(left.room, "say while down");
  world.host.start();
  world.host.process().wait_for_log("locked by another program");
  CHECK(world.host.process().running());
  CHECK(said(world, left.room).empty());
  other.run("ROLLBACK");
  world.host.ready();
  world.hear(left.room, "while down");
}
