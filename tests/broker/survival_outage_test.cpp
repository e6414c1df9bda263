// The broker goes away and comes back, with or without what it knew, and the host is restarted meanwhile.
#include "harness/database.hpp"
#include "survival.hpp"

using namespace harness;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

// The broker and the test's client keep their sessions over an outage, so that the client misses nothing.
WorldOptions lasting(const std::string& mode) {
  return {.host = {.store = durability(mode)}, .broker = {.keeps_sessions = true}, .client = {.id = "gitple"}};
}

void stop_broker(World& world) {
  world.broker.stop();
  world.host.process().wait_for_log("lost the broker");
}

void start_broker(World& world) {
  world.broker.start();
  world.client.reconnect();
}

// Without anything that it knew.
void start_new_broker(World& world) {
  start_broker(world);
  world.client.subscribe("#");
}

void check_rising(const World& world, const Room& room) {
  long long before = 0;
  for (const auto& payload : payloads(world, room.msg_pub())) {
    REQUIRE(std::stoll(at(payload, "t")) > before);
    before = std::stoll(at(payload, "t"));
  }
}

}  // namespace

TEST_CASE("outage: what bots say meanwhile goes out in order, though the host was restarted, too") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(lasting(ending.durability));
    std::vector<Room> rooms;
    for (int i = 0; i < 3; ++i) rooms.push_back({.room = std::to_string(i), .commands = "save timer: many 50|end 3"});
    for (const Room& room : rooms) world.start(room);
    for (const Room& room : rooms) world.tell(room, "timer 1 1000;timer 2 3000;say armed");
    for (const Room& room : rooms) world.hear(room, "armed");
    stop_broker(world);
    world.host.process().wait_for_log("probe: timer 1", 3);
    {
      Database store(world.host.data() / "botel.db");
      wait_until("the outbox", [&] { return store.number("SELECT count(*) FROM outbox") == 3 * 52; });
    }
    world.stop_host(ending.signal_number);
    world.host.start();
    world.host.process().wait_for_log("probe: timer 2", 3);
    start_broker(world);
    world.host.ready();
    Texts expected{"armed"};
    for (const char* timer : {"timer 1", "timer 2"}) {
      expected.emplace_back(timer);
      for (const auto& number : numbers(1, 50)) expected.push_back(number);
    }
    for (const Room& room : rooms) {
      for (int i = 0; i < 2; ++i) world.hear(room, "50");
      for (int i = 0; i < 2; ++i) world.asked(room, "end");
      CHECK(said(world, room) == expected);
      CHECK(payloads(world, room.cmd_pub()).size() == 2);
      check_rising(world, room);
    }
  }
}

TEST_CASE("outage: when too much waits for the broker the handlers pause, and lose nothing") {
  for (const bool restarted : {false, true}) {
    for (const Ending& ending : kEndings) {
      CAPTURE(restarted);
      CAPTURE(ending);
      WorldOptions options = lasting(ending.durability);
      options.host.mqtt = "max_waiting = 2000\n";
      World world(options);
      const Room loud{.room = "loud", .commands = "save timer: large 3000"}, quiet{.room = "quiet"};
      for (const Room& room : {loud, quiet}) world.start(room);
      world.tell(loud, "say armed;timer 1 800;timer 2 1000;timer 3 1200");
      world.tell(quiet, "say armed;timer 1 1000;timer 2 1200");
      for (const Room& room : {loud, quiet}) world.hear(room, "armed");
      const auto armed = Clock::now();
      stop_broker(world);
      world.host.process().wait_for_log("probe: timer 1");
      sleep_until(armed + 2500ms);
      CHECK(count(world.host.log(), "probe: timer") == 1);
      if (restarted) {
        world.stop_host(ending.signal_number);
        world.host.start();
        world.host.process().wait_for_log("no connection to the broker");
        CHECK(count(world.host.log(), "probe: timer") == 0);
      }
      start_broker(world);
      if (restarted) world.host.ready();
      world.hear(loud, "timer 3");
      world.hear(quiet, "timer 2");
      world.tell(quiet, "say the end");
      world.hear(quiet, "the end");
      world.hear(loud, std::string(3000, 'x'));
      for (int i = 0; i < 2; ++i) world.hear(loud, std::string(3000, 'x'));
      CHECK(said(world, loud).size() == 7);
      CHECK(said(world, quiet) == Texts{"armed", "timer 1", "timer 2", "the end"});
    }
  }
}

TEST_CASE("outage: a host that may have little on its way says much all the same") {
  for (const char* mode : {"relaxed", "strict"}) {
    CAPTURE(mode);
    WorldOptions options = kept(mode);
    options.host.mqtt = "max_waiting = 1024\n";
    World world(options);
    const Room room, other{.room = "other"};
    for (const Room& each : {room, other}) world.start(each);
    for (int i = 0; i < 5; ++i) {
      world.tell(room, "many 1000");
      world.tell(other, "large 100000");
    }
    for (int i = 0; i < 5; ++i) world.hear(room, "1000");
    for (int i = 0; i < 5; ++i) world.hear(other, std::string(100000, 'x'));
    CHECK(said(world, room).size() == 5000);
  }
}

TEST_CASE("outage: a broker that has forgotten everything is told everything again") {
  for (const char* mode : {"off", "relaxed", "strict"}) {
    for (const bool host_away : {false, true}) {
      if (host_away && mode == std::string("off")) continue;
      CAPTURE(mode);
      CAPTURE(host_away);
      World world(kept(mode));
      const Room one{.room = "one"}, two{.bot = "2", .room = "two"};
      for (const Room& room : {one, two}) world.start(room);
      world.tell(two, "end 7");
      world.asked(two, "end");
      if (host_away) world.stop_host();
      world.broker.kill();
      if (!host_away) world.host.process().wait_for_log("lost the broker");
      start_new_broker(world);
      if (host_away) {
        world.start_host();
      } else {
        world.broker.wait_for_subscription(two.msg_sub());
      }
      world.tell(one, "say one");
      world.hear(one, "one");
      world.tell(two, "say two;transfer 8");
      world.hear(two, "two");
      world.reply(world.asked(two, "transfer"));
      world.hear(two, R"(result 8 0 "OK")");
      const Room fresh{.room = "fresh", .commands = "say hello"};
      world.start(fresh);
      world.hear(fresh, "hello");
    }
  }
}

TEST_CASE("outage: what a new broker numbers like an old one is not taken for a repeat") {
  for (const bool host_away : {false, true}) {
    CAPTURE(host_away);
    World world(kept("strict"));
    const Room room;
    world.client.publish(room.requests(), request("1", "start", room.start_params()));
    world.answer(room, "1");
    for (int i = 0; i < 3; ++i) {
      if (host_away) world.stop_host(SIGKILL);
      world.broker.kill();
      if (!host_away) world.host.process().wait_for_log("lost the broker", i + 1);
      start_new_broker(world);
      if (host_away) {
        world.start_host();
      } else {
        world.broker.wait_for_subscription(room.msg_sub());
      }
      // The first packet of the session, with the same bytes.
      world.client.publish(room.requests(), request("1", "start", room.start_params()));
      world.answer(room, "1");
    }
  }
}

TEST_CASE("outage: of a room that ended while the broker was away the broker keeps no subscription") {
  for (const bool restarted : {false, true}) {
    CAPTURE(restarted);
    WorldOptions options = lasting("relaxed");
    options.host.gitple = "leave_timeout = 0.5";
    World world(options);
    const Room gone{.room = "gone"}, here{.room = "here"};
    for (const Room& room : {gone, here}) world.start(room);
    world.tell(gone, "end 1");
    world.reply(world.asked(gone, "end"));
    world.hear(gone, R"(result 1 0 "OK")");
    stop_broker(world);
    world.host.process().wait_for_log("probe: end left");
    if (restarted) {
      world.stop_host();
      world.host.start();
    }
    start_broker(world);
    if (restarted) world.host.ready();
    world.broker.wait_for_subscription(here.msg_sub());
    world.tell(gone, "say stray");
    world.broker.wait_for_unsubscription(gone.msg_sub());
    world.fence();
    const int strays = count(world.host.log(), "nobody waits for");
    CHECK(strays <= 1);
    for (int i = 0; i < 3; ++i) world.tell(gone, "say stray");
    world.tell(here, "say here");
    world.hear(here, "here");
    CHECK(count(world.host.log(), "nobody waits for") == strays);
  }
}

TEST_CASE("outage: a broker that is allowed few unacknowledged messages is warned of, and only that") {
  for (const char* version : {"5", "3.1.1"}) {
    for (const int most : {20, 99, 100, 0}) {
      CAPTURE(version);
      CAPTURE(most);
      World world({.host = {.mqtt = "version = \"" + std::string(version) + "\"\n"},
                   .broker = {.lines = "max_inflight_messages " + std::to_string(most) + "\n"}});
      const auto warnings = lines_with(world.host.log(), "max_inflight_messages 0");
      const bool few = most > 0 && most < 100;
      // Only MQTT 5 tells.
      CHECK(warnings.size() == (few && version == std::string("5") ? 1 : 0));
      if (!warnings.empty()) CHECK(contains("only " + std::to_string(most) + " unacknowledged")(warnings[0]));
    }
  }
}
