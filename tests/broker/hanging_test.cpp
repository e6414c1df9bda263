// Handlers that do not return: they hold up their own rooms and connectors, they are named, and nobody waits for ever.
#include "moca.hpp"

using namespace harness;

namespace {

// What a command says to whoever asks the running host.
std::string said_by(const World& world, const std::string& command) {
  const auto out = world.dir / "said";
  run({"/bin/sh", "-c", R"("$0" "$1" --data "$2" > "$3" 2>&1)", BOTEL_EXECUTABLE, command, world.host.data().string(),
       out.string()},
      world.dir / "shell.log");
  return read_file(out);
}

void send_start(World& world, const Room& room, const std::string& id) {
  world.client.publish(room.requests(), request(id, "start", room.start_params()));
}

std::string error_of(const Received& answer) { return at(answer.payload, "error.message"); }

}  // namespace

TEST_CASE(
    "hanging: a bot whose handlers hang in more rooms than there are threads serves its other rooms, and is named") {
  World world({.host = {.gitple = "request_timeout = 2", .host = "threads = 3"}});
  const auto go = world.dir / "go";
  const Room other{.room = "other"};
  world.start(other);
  std::vector<Room> rooms;
  for (int i = 0; i < 8; ++i) rooms.push_back({.room = "hung-" + std::to_string(i)});
  for (const Room& room : rooms) world.start(room);
  for (const Room& room : rooms) world.tell(room, "log taken;until " + go.string() + ";say done");
  world.host.process().wait_for_log("probe: taken", 8);
  world.tell(other, "say here");
  world.hear(other, "here");
  CHECK(at(world.start({.room = "new"}).payload, "result") == "OK");
  CHECK(at(world.end(other).payload, "result") == "OK");
  CHECK(error_of(world.end(rooms[0])) == "The bot has not ended in time");

  wait_until("all to be named",
             [&] { return count(said_by(world, "plugins"), "probe 1.0.0 hangs in room 1/1/hung-") == 8; });
  const std::string plugins = said_by(world, "plugins");
  CHECK(contains("serving, 8 hang ")(plugins));
  CHECK(contains("probe 1.0.0 hangs in room 1/1/hung-3/1: event 0x102 has been running for ")(plugins));
  CHECK(contains("until the host is\nrestarted")(plugins));

  let_go(go);
  for (const Room& room : rooms) world.hear(room, "done");
  world.broker.wait_for_unsubscription(rooms[0].msg_sub());  // the end that was late
  CHECK_FALSE(contains("hang")(said_by(world, "plugins")));
}

TEST_CASE("hanging: a start that hangs is refused in time, and does not happen afterwards") {
  WorldOptions options = kept("relaxed");
  options.host.gitple = "request_timeout = 0.5";
  World world(options);
  const auto go = world.dir / "go";
  const Room room{.commands = "log taken;until " + go.string() + ";say late"};
  send_start(world, room, "1");
  CHECK(error_of(world.answer(room, "1")) == "The bot has not started in time");
  send_start(world, room, "2");
  CHECK(error_of(world.answer(room, "2")) == "The bot is still busy in this room");
  SUBCASE("it returns") {
    let_go(go);
    world.broker.wait_for_unsubscription(room.msg_sub());
  }
  SUBCASE("the host is restarted") {
    CHECK(world.host.stop() == 1);
    let_go(go);
    world.start_host();
  }
  CHECK(at(world.end(room).payload, "error.code") == "-32002");
  world.fence();
  CHECK(world.client.unexpected(room.msg_pub()).empty());
  CHECK(at(world.start(room).payload, "result") == "OK");
  world.hear(room, "late");
}

TEST_CASE("hanging: a connector is named, also when a mended version has taken over, and can be deleted") {
  MocaScene scene("[moca]\nanswer_timeout = 1\n");
  World& world = scene.world;
  const Puppet healthy(scene, "8");
  Puppet hung(scene, "7");
  const auto go = world.dir / "go";
  hung.send(kTell, told("until " + go.string()));
  wait_until("it to be named",
             [&] { return contains("puppet 1.0.0 hangs in connector puppet/7")(said_by(world, "connectors")); });
  std::filesystem::remove(world.host.plugins() / "puppet.so");
  std::filesystem::copy_file(BOTEL_PUPPET_2, world.host.plugins() / "puppet.so");
  world.host.process().wait_for_log("puppet 1.0.1 takes over from puppet 1.0.0");
  const std::string connectors = said_by(world, "connectors");
  CHECK(contains("puppet 1.0.0 hangs in connector puppet/7")(connectors));
  CHECK(contains("configured, hangs")(connectors));
  CHECK(contains("puppet  1.0.1    on probation ")(connectors));
  CHECK(at(hung.request("delete_connector"), "error.code") == "");
  let_go(go);
  wait_until("it to be gone", [&] { return !contains("puppet  7 ")(said_by(world, "connectors")); });
  CHECK_FALSE(contains("hang")(said_by(world, "connectors")));
}
