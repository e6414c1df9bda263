// Conversations outlive the host: what a room is, what it waits for, and what is said in it meanwhile.
#include "survival.hpp"

using namespace harness;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

std::vector<Room> many_rooms(int count) {
  std::vector<Room> rooms;
  for (int i = 0; i < count; ++i) rooms.push_back({.room = "room-" + std::to_string(i)});
  return rooms;
}

// In batches, and one answer for each.
void start_all(World& world, const std::vector<Room>& rooms) {
  for (std::size_t begin = 0; begin < rooms.size(); begin += 500) {
    const std::size_t end = std::min(begin + 500, rooms.size());
    std::string batch;
    for (std::size_t i = begin; i < end; ++i) {
      batch += (batch.empty() ? "[" : ",") + request(std::to_string(i), "start", rooms[i].start_params());
    }
    world.client.publish(rooms[begin].requests(), batch + "]");
    const Received answers = world.client.expect(rooms[begin].res_pub());
    CHECK(count(answers.payload, R"("result":"OK")") == static_cast<int>(end - begin));
  }
}

}  // namespace

TEST_CASE("survival: a conversation goes on where it was, with its state, context and session, and t rises") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room room{
        .session = "\"s 1\"",
        .context = R"({ "sp":1, "app":"1", "user":7, "room":7, "session":"s 1", "bot":"1", "x":[1, 2.50] })"};
    world.start(room);
    world.tell(room, "save what I know;say saved");
    world.hear(room, "saved");
    // Faster than the clock: t is seconds ahead of it.
    for (int i = 0; i < 4; ++i) world.tell(room, "many 1000");
    for (int i = 0; i < 4; ++i) world.hear(room, "1000");

    for (int life = 2; life <= 4; ++life) {
      world.restart_host(ending.signal_number);
      world.tell(room, "show;info;say life " + std::to_string(life));
      world.client.publish(room.from_user(), R"({"m":"say stale","_sid":"s 0"})");
      world.client.publish(room.from_user(), R"({"m":"say mine","_sid":"s 1"})");
      world.hear(room, "state what I know");
      world.client.expect(room.msg_pub(), contains(R"(2.50] },\"user\":{\"id\":7)"), "the room's info");
      world.hear(room, "life " + std::to_string(life));
      world.hear(room, "mine");
    }
    long long before = 0;
    for (const auto& payload : payloads(world, room.msg_pub())) {
      CAPTURE(payload);
      const long long t = std::stoll(at(payload, "t"));
      REQUIRE(t > before);
      before = t;
      REQUIRE(contains("\"_context\":" + room.context)(payload));
      REQUIRE(at(payload, "_sid") == "s 1");
      REQUIRE(at(payload, "m") != "stale");
    }
    CHECK(at(world.end(room).payload, "result") == "OK");
    world.hear(room, "end ended");
    world.restart_host(ending.signal_number);
    CHECK(at(world.end(room).payload, "error.code") == "-32002");
    CHECK(count(world.host.log(), "back after") == 0);
  }
}

TEST_CASE("survival: with durability off nothing comes back, and nothing that was said to it meanwhile") {
  const auto cases = {std::pair(SIGTERM, ""), {SIGKILL, ""}, {SIGKILL, "client_id = \"botel-of-this-test\"\n"}};
  for (const auto& [signal_number, name] : cases) {
    CAPTURE(signal_number);
    WorldOptions options = kept("off");
    options.host.mqtt = name;
    World world(options);
    const Room room{.commands = "save old;say hello;timer 1 1500;wait 1500;say later"};
    const auto begun = Clock::now();
    world.start(room);
    world.hear(room, "hello");
    world.stop_host(signal_number);
    world.tell(room, "say meanwhile");
    world.client.publish(room.requests(), request("\"meanwhile\"", "start", room.start_params()));
    world.start_host();
    world.tell(room, "say again");
    CHECK(at(world.end(room).payload, "error.code") == "-32002");
    sleep_until(begun + 2s);
    world.start({.commands = "show"});
    world.hear(room, "state ");
    CHECK(world.client.unexpected(room.res_pub(), contains("meanwhile")).empty());
    CHECK(said(world, room) == Texts{"hello", "state "});
    CHECK_FALSE(std::filesystem::exists(world.host.data() / "botel.db"));
  }
}

TEST_CASE("survival: a broker that kept a session does not hand it to a host that keeps nothing") {
  WorldOptions options = kept("relaxed");
  options.host.mqtt = "client_id = \"botel-of-this-test\"\n";
  World world(options);
  const Room room;
  world.start(room);
  world.stop_host();
  world.tell(room, "say meanwhile");
  world.host.options.store = durability("off");
  world.start_host();
  world.fence();
  CHECK(said(world, room).empty());
  CHECK(count(world.host.log(), "nobody waits for") == 0);
  CHECK(count(world.host.log(), "kept the session") == 0);
}

TEST_CASE("survival: what users say while the host is down is handled when it is back, in order") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const auto rooms = many_rooms(50);
    start_all(world, rooms);
    for (int life = 0; life < 2; ++life) {
      world.stop_host(ending.signal_number);
      for (int i = life * 10; i < life * 10 + 10; ++i) {
        for (const Room& room : rooms) world.tell(room, "say " + std::to_string(i));
      }
      world.start_host();
      for (const Room& room : rooms) world.hear(room, std::to_string(life * 10 + 9));
      for (const Room& room : rooms) REQUIRE(said(world, room) == numbers(0, life * 10 + 9));
    }
  }
}

TEST_CASE("survival: with MQTT 3.1.1, too; with QoS 0 the rooms come back, though not what was said meanwhile") {
  for (const std::string mqtt : {"version = \"3.1.1\"", "qos = 0", "version = \"3.1.1\"\nqos = 0"}) {
    for (const Ending& ending : kEndings) {
      CAPTURE(mqtt);
      CAPTURE(ending);
      WorldOptions options = kept(ending.durability);
      options.host.mqtt = mqtt + "\n";
      World world(options);
      const Room room{.commands = "save mine;say hello"};
      world.start(room);
      world.hear(room, "hello");
      world.stop_host(ending.signal_number);
      const bool kept_by_broker = mqtt.find("qos") == std::string::npos;
      if (kept_by_broker) world.tell(room, "say meanwhile");
      world.start_host();
      if (kept_by_broker) world.hear(room, "meanwhile");
      world.tell(room, "show");
      world.hear(room, "state mine");
      CHECK(said(world, room).size() == (kept_by_broker ? 3 : 2));
    }
  }
}

TEST_CASE("survival: a message that is in the works when the host is killed is handled once") {
  World world(kept("strict"));
  const Room room;
  world.start(room);
  for (int i = 0; i < 10; ++i) {
    world.tell(room, "say " + std::to_string(i));
    world.fence();
    world.tell(room, "log taken;sleep 50;say slow " + std::to_string(i));
    // At once: before, in the midst of it, or behind it.
    if (i % 3 == 1) world.host.process().wait_for_log("probe: taken");
    if (i % 3 == 2) world.hear(room, "slow " + std::to_string(i));
    world.restart_host(SIGKILL);
  }
  world.tell(room, "say the end");
  world.hear(room, "the end");
  Texts expected;
  for (int i = 0; i < 10; ++i) {
    expected.push_back(std::to_string(i));
    expected.push_back("slow " + std::to_string(i));
  }
  expected.emplace_back("the end");
  CHECK(said(world, room) == expected);
}

TEST_CASE("survival: a timer that is due meanwhile fires at the start, one that is due later then, each once") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room room;
    world.start(room);
    const auto armed = Clock::now();
    world.tell(room, "timer 1 1500;timer 2 4000;timer 3 3600000;timer 4 1500;timer 5 1500;say armed");
    world.tell(room, "cancel 4;timer 5 3600000;say changed");
    world.hear(room, "changed");
    world.stop_host(ending.signal_number);
    world.tell(room, "say what came meanwhile");
    sleep_until(armed + 1600ms);
    world.start_host();
    world.hear(room, "timer 1");
    world.hear(room, "what came meanwhile");
    CHECK(count(world.host.log(), "probe: timer 1") == 1);
    world.hear(room, "timer 2");
    CHECK(Clock::now() >= armed + 4s);
    for (int i = 0; i < 2; ++i) world.restart_host(ending.signal_number);
    world.tell(room, "say the end");
    world.hear(room, "the end");
    CHECK(said(world, room) == Texts{"armed", "changed", "timer 1", "what came meanwhile", "timer 2", "the end"});
  }
}

TEST_CASE("survival: a delayed word leaves once, at its time or at the start") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room room;
    world.start(room);
    const auto begun = Clock::now();
    world.tell(room, "say now;wait 1500;say soon;say and this;wait 2500;say later;wait 3600000;say in an hour");
    world.hear(room, "now");
    world.stop_host(ending.signal_number);
    sleep_until(begun + 1600ms);
    world.start_host();
    world.hear(room, "and this");
    CHECK(Clock::now() >= begun + 1500ms);
    world.hear(room, "later");
    CHECK(Clock::now() >= begun + 4s);
    for (int i = 0; i < 2; ++i) world.restart_host(ending.signal_number);
    // It stands behind what will be said in an hour, unless the room ends before.
    world.tell(room, "log here;say here");
    world.host.process().wait_for_log("probe: here");
    CHECK(said(world, room) == Texts{"now", "soon", "and this", "later"});
    world.restart_host(ending.signal_number);
    world.end(room);
    CHECK(said(world, room) == Texts{"now", "soon", "and this", "later", "in an hour", "here", "end ended"});
  }
}

TEST_CASE("survival: while nobody was there nobody was silent") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    WorldOptions options = kept(ending.durability);
    options.host.gitple = "idle_timeout = 1.5";
    World world(options);
    const Room room{.commands = "say hello"};
    world.start(room);
    world.hear(room, "hello");
    const auto said_hello = Clock::now();
    world.stop_host(ending.signal_number);
    sleep_until(said_hello + 2s);
    const auto back = Clock::now();
    world.start_host();
    world.hear(room, "timeout");
    CHECK(Clock::now() >= back + 1500ms);
    world.asked(room, "end");
    CHECK(said(world, room) == Texts{"hello", "timeout"});
  }
}

TEST_CASE("survival: a bot hears first that it was away, and for how long") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room room{.commands = "save resumed: say again;timer 1 1500;say started"}, other{.room = "other"};
    const Room ended{.room = "ended", .commands = "save resumed: say never"};
    for (const Room& each : {room, other, ended}) world.start(each);
    world.end(ended);
    world.hear(room, "started");
    const auto stopped = std::chrono::system_clock::now();
    world.stop_host(ending.signal_number);
    const auto gone = Clock::now();
    world.tell(room, "say meanwhile");
    world.tell(other, "say meanwhile");
    sleep_until(gone + 2s);
    const auto down = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - gone);
    world.start_host();
    world.hear(room, "meanwhile");
    world.hear(other, "meanwhile");
    const auto most = std::chrono::system_clock::now() - stopped;
    const Texts texts = said(world, room);
    REQUIRE(texts.size() == 5);
    CHECK(texts[0] == "started");
    REQUIRE(texts[1].starts_with("resumed "));
    const std::chrono::milliseconds away(std::stoll(texts[1].substr(8)));
    CHECK(away >= down);
    // The last sign of life of a host that was killed is some seconds old.
    CHECK(away <= most + 10s);
    CHECK(texts[2] == "again");
    CHECK(texts[3] == "timer 1");
    CHECK(texts[4] == "meanwhile");
    CHECK(said(world, other) == Texts{"meanwhile"});
    CHECK(said(world, ended) == Texts{"end ended"});
  }
}

TEST_CASE("survival: a bot that does not care that it was away does nothing") {
  World world(kept("relaxed"));
  const Room room{.bot = "echo"};
  world.start(room);
  for (int i = 0; i < 2; ++i) world.restart_host();
  world.tell(room, "hello");
  world.hear(room, "you said: hello");
  CHECK(said(world, room) == Texts{"you said: hello"});
}

TEST_CASE("survival: two thousand rooms are back before the host is ready, and hear what is said right then") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const auto rooms = many_rooms(2000);
    start_all(world, rooms);
    for (const bool forgotten : {true, false}) {
      CAPTURE(forgotten);
      world.stop_host(ending.signal_number);
      if (forgotten) {
        world.broker.kill();
        world.broker.start();
        world.client.reconnect();
        world.client.subscribe("#");
      }
      world.start_host();
      for (const Room& room : rooms) world.tell(room, "say " + room.room);
      for (const Room& room : rooms) world.hear(room, room.room);
      CHECK(count(world.host.log(), ": 2000 rooms\n") == 1);
      CHECK(count(world.host.log(), "probe: resumed") == 2000);
    }
  }
}

TEST_CASE("survival: a host that is stopped or killed while it starts loses nothing") {
  for (const int signal_number : {SIGTERM, SIGKILL}) {
    CAPTURE(signal_number);
    World world(kept("strict"));
    const auto rooms = many_rooms(20);
    start_all(world, rooms);
    world.stop_host();
    int next = 0;
    for (int pause = 0; pause < 200; pause += 8) {
      for (const Room& room : rooms) world.tell(room, "say " + std::to_string(next));
      ++next;
      const auto started = Clock::now();
      world.host.start();
      sleep_until(started + std::chrono::milliseconds(pause));
      world.host.process().signal(signal_number);
      const int code = world.host.process().wait();
      // Until its plugins are loaded any signal ends it at once.
      CHECK((code == -signal_number || (code == 0 && signal_number == SIGTERM)));
    }
    world.start_host();
    for (const Room& room : rooms) world.tell(room, "say " + std::to_string(next));
    for (const Room& room : rooms) world.hear(room, std::to_string(next));
    for (const Room& room : rooms) CHECK(said(world, room) == numbers(0, next));
  }
}

TEST_CASE("survival: a host with a broker of its own has its rooms again, whatever it is killed by") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    const TempDir dir;
    const std::string port = std::to_string(free_port());
    Host host(dir / "host", {.store = durability(ending.durability), .arguments = {"--broker-port", port}});
    const Room room{.commands = "save mine;say hello"};
    for (int life = 1; life <= 6; ++life) {
      host.ready();
      Client client(std::stoi(port));
      client.subscribe("#");
      if (life == 1) {
        client.publish(room.requests(), request("1", "start", room.start_params()));
        client.expect(room.msg_pub(), has("m", "hello"));
        client.expect(room.res_pub());
      }
      client.publish(room.from_user(), R"({"m":"show"})");
      client.expect(room.msg_pub(), has("m", "state mine"));
      host.process().signal(ending.signal_number);
      CHECK(host.process().wait() == (ending.signal_number == SIGTERM ? 0 : -SIGKILL));
      // At once, though a broker whose host was killed takes a moment to go.
      if (life < 6) host.start();
    }
  }
}
