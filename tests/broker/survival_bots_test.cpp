// Bots that are slow, stuck or missing: what comes for them waits, also over a restart, and concerns nobody else.
#include <algorithm>

#include "harness/database.hpp"
#include "survival.hpp"

using namespace harness;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;
namespace fs = std::filesystem;

namespace {

// Messages "say FIRST" to "say LAST".
void tell_numbers(World& world, const Room& room, int first, int last) {
  for (int i = first; i <= last; ++i) world.tell(room, "say " + std::to_string(i));
}

void wait_for_inbox(const World& world, const std::function<bool(long long)>& wanted) {
  Database store(world.host.data() / "botel.db");
  wait_until("the inbox", [&] { return wanted(store.number("SELECT count(*) FROM inbox")); });
}

// The host is stopped or killed while a handler runs.
void stop_while_busy(World& world, int signal_number) {
  if (signal_number == SIGKILL) return world.host.kill();
  CHECK(world.host.stop() == 1);
  CHECK(count(world.host.log(), "bot probe is still busy with room") == 1);
}

}  // namespace

TEST_CASE(
    "survival: an event whose handler outlasts the stop is handled after the restart, and then what came behind") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const auto go = world.dir / "go";
    const Room room, other{.room = "other"};
    for (const Room& each : {room, other}) world.start(each);
    world.tell(room, "say before");
    world.tell(room, "save mine;log taken;until " + go.string() + ";show");
    tell_numbers(world, room, 1, 50);
    world.tell(other, "say here");
    world.hear(other, "here");
    world.host.process().wait_for_log("probe: taken");
    stop_while_busy(world, ending.signal_number);
    tell_numbers(world, room, 51, 100);
    let_go(go);
    world.start_host();
    world.hear(room, "100");
    Texts expected{"before", "state "};
    for (const auto& number : numbers(1, 100)) expected.push_back(number);
    CHECK(said(world, room) == expected);
    CHECK(said(world, other) == Texts{"here"});
  }
}

TEST_CASE("survival: a stop amid more work than it has time for is a good one where no handler is stuck") {
  World world(kept("relaxed"));
  const Room room;
  world.start(room);
  // For six seconds and more, of which the stop grants four.
  for (int i = 0; i < 600; ++i) world.tell(room, "sleep 10;say " + std::to_string(i));
  world.hear(room, "5");
  CHECK(world.host.stop() == 0);
  CHECK(count(world.host.log(), "is still busy") == 0);
  world.start_host();
  for (int i = 6; i < 600; ++i) world.hear(room, std::to_string(i));
  CHECK(said(world, room) == numbers(0, 599));
}

TEST_CASE("survival: an event that outlasts two stops in turn is a dead letter, and its room goes on") {
  World world(kept("relaxed"));
  const auto never = world.dir / "never";
  const Room room;
  world.start(room);
  world.tell(room, "log taken;until " + never.string() + ";say finally");
  world.tell(room, "say next");
  for (int i = 0; i < 2; ++i) {
    world.host.process().wait_for_log("probe: taken");
    stop_while_busy(world, SIGTERM);
    world.start_host();
    const std::string name = "bot probe, room 1/1/7/1, event 0x102: cause of ";
    world.host.process().wait_for_log(name + (i == 0 ? "1 end" : "2 ends") +
                                      " of the host, last by a handler that did not return");
  }
  world.hear(room, "next");
  CHECK(said(world, room) == Texts{"next"});
  CHECK(count(world.host.log(), "is a dead letter now") == 1);
  wait_until("the dead letter",
             [&] { return Database(world.host.data() / "botel.db").number("SELECT count(*) FROM dead_letters") == 1; });
  // It is nobody's fault any more.
  world.restart_host();
  CHECK(count(world.host.log(), "cause of") == 0);
}

TEST_CASE("survival: an event that outlasts one stop, and then goes well, is forgiven") {
  World world(kept("relaxed"));
  const auto go = world.dir / "go";
  const Room room;
  world.start(room);
  world.tell(room, "log taken;until " + go.string() + ";say finally");
  world.host.process().wait_for_log("probe: taken");
  stop_while_busy(world, SIGTERM);
  let_go(go);
  world.start_host();
  world.hear(room, "finally");
  world.restart_host();
  CHECK(count(world.host.log(), "cause of") == 0);
}

TEST_CASE("survival: a long queue waits in the store, and is handled in order, also after a restart") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const auto go = world.dir / "go", go_on = world.dir / "go-on";
    const Room room;
    world.start(room);
    world.tell(room, "say 0;until " + go.string());
    tell_numbers(world, room, 1, 1499);
    world.tell(room, "say 1500;log half;until " + go_on.string());
    tell_numbers(world, room, 1501, 2999);
    wait_for_inbox(world, [](long long size) { return size >= 2999; });
    // Its queue holds up nobody.
    const Room other{.room = "other", .commands = "say here"};
    world.start(other);
    world.hear(other, "here");
    let_go(go);
    world.host.process().wait_for_log("probe: half");
    stop_while_busy(world, ending.signal_number);
    tell_numbers(world, room, 3000, 3999);
    let_go(go_on);
    world.start_host();
    world.hear(room, "3999");
    CHECK(said(world, room) == numbers(0, 3999));
    world.restart_host();
    world.fence();
    CHECK(said(world, room) == numbers(0, 3999));
    wait_for_inbox(world, [](long long size) { return size == 0; });
  }
}

TEST_CASE("survival: a queue that is longer than the memory's is handled in order without any restart") {
  for (const char* mode : {"relaxed", "strict"}) {
    CAPTURE(mode);
    World world(kept(mode));
    const Room room;
    world.start(room);
    world.tell(room, "sleep 1000;say 0");
    tell_numbers(world, room, 1, 2999);
    world.hear(room, "2999");
    CHECK(said(world, room) == numbers(0, 2999));
  }
}

TEST_CASE(
    "survival: rooms whose bot is gone are kept, an error says so, and all that waited is handled when it is back") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room one{.room = "one"}, two{.room = "two"}, three{.room = "three"}, echo{.bot = "echo"};
    for (const Room& room : {one, two, three, echo}) world.start(room);
    world.tell(one, "save one;timer 1 500;say armed;wait 500;say delayed");
    world.hear(one, "armed");
    const auto armed = Clock::now();
    world.stop_host(ending.signal_number);
    world.tell(one, "say while down");
    sleep_until(armed + 500ms);
    fs::remove(world.host.plugins() / "probe.so");
    for (int life = 1; life <= 2; ++life) {
      world.start_host();
      const auto errors = lines_with(world.host.log(), "error");
      CHECK(std::ranges::any_of(errors, contains(life == 1 ? "the bot probe is not there" : "2 rooms waiting")));
      world.tell(echo, "hello");
      world.hear(echo, "you said: hello");
      tell_numbers(world, one, life * 1000, life * 1000 + 999);
      world.tell(two, "say in life " + std::to_string(life));
      if (life == 1) CHECK(at(world.end(three).payload, "result") == "OK");
      CHECK(at(world.start({.room = "four"}).payload, "error.code") == "-32001");
      CHECK(at(world.start(one).payload, "result") == "OK");
      world.stop_host(ending.signal_number);
    }
    CHECK(said(world, one).front() == "armed");
    fs::create_symlink(BOTEL_PROBE, world.host.plugins() / "probe.so");
    world.start_host();
    world.tell(one, "show");
    world.hear(one, "state one");
    world.hear(two, "in life 2");
    Texts texts = said(world, one);
    // When they were due does not depend on the messages.
    CHECK(std::erase(texts, "delayed") == 1);
    CHECK(std::erase(texts, "timer 1") == 1);
    Texts expected{"armed", "while down"};
    for (const auto& number : numbers(1000, 2999)) expected.push_back(number);
    expected.emplace_back("state one");
    CHECK(texts == expected);
    CHECK(said(world, two) == Texts{"in life 1", "in life 2"});
    CHECK(said(world, three).empty());
    CHECK(at(world.end(three).payload, "error.code") == "-32002");
  }
}

TEST_CASE("survival: what was in the works with a bot that is gone does not keep gitple waiting") {
  World world(kept("strict"));
  const auto go = world.dir / "go";
  const Room starting{.room = "starting", .commands = "log start taken;until " + go.string()};
  const Room ending{.room = "ending", .commands = "save end: log end taken|until " + go.string()};
  world.start(ending);
  world.client.publish(starting.requests(), request("1", "start", starting.start_params()));
  world.client.publish(ending.requests(), request("2", "end", ending.end_params()));
  world.host.process().wait_for_log("probe: start taken");
  world.host.process().wait_for_log("probe: end taken");
  // Whatever is not in the store now comes from the broker again.
  wait_for_inbox(world, [](long long size) { return size == 2; });
  world.host.kill();
  fs::remove(world.host.plugins() / "probe.so");
  world.start_host();
  SUBCASE("an end in the works is answered") { CHECK(at(world.answer(ending, "2").payload, "result") == "OK"); }
  SUBCASE("an end that comes again is answered") { CHECK(at(world.end(ending).payload, "result") == "OK"); }
  SUBCASE("a start in the works is answered") { CHECK_FALSE(world.answer(starting, "1").payload.empty()); }
  SUBCASE("a room that was starting can be ended") { CHECK_FALSE(world.end(starting).payload.empty()); }
}

TEST_CASE("survival: a room goes on with its bot, also where its id is given to another bot meanwhile") {
  World world(kept("relaxed"));
  const Room room{.commands = "save mine"};
  world.start(room);
  world.stop_host();
  const std::string bots = world.host.options.bots;
  world.host.options.bots = "[[bot]]\nid = \"1\"\nname = \"echo\"\n";
  world.start_host();
  world.tell(room, "show");
  world.hear(room, "state mine");
  const Room other{.room = "other"};
  world.start(other);
  world.tell(other, "hello");
  world.hear(other, "you said: hello");
  world.end(other);
  world.stop_host();
  world.host.options.bots = bots;
  world.start_host();
  world.tell(room, "say still here");
  world.hear(room, "still here");
}

TEST_CASE("survival: an event that is to be tried again is tried again after the restart, before what came behind it") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room room;
    world.start(room);
    world.tell(room, "say before;save never;log tried;retry 3600000");
    world.tell(room, "show");
    for (int life = 0; life < 2; ++life) {
      world.host.process().wait_for_log("probe: tried");
      wait_for_inbox(world, [](long long size) { return size >= 2; });
      world.restart_host(ending.signal_number);
    }
    world.hear(room, "state never");
    CHECK(said(world, room) == Texts{"before", "attempt 3", "state never"});
  }
}

TEST_CASE("survival: rooms whose state their bot cannot read are kept until there is one that can") {
  World world(kept("relaxed"));
  const Room room;
  world.start(room);
  world.tell(room, "save mine;say saved");
  world.hear(room, "saved");
  world.stop_host();
  const auto set_schema = [&](int schema) {
    Database(world.host.data() / "botel.db").run("UPDATE states SET schema = " + std::to_string(schema));
  };
  const int known = static_cast<int>(Database(world.host.data() / "botel.db").number("SELECT schema FROM states"));
  set_schema(1000);
  world.start_host();
  CHECK(count(world.host.log(), "the bot probe cannot read what it left: 1 room waiting") == 1);
  world.tell(room, "show");
  const Room other{.room = "other", .commands = "say here"};
  world.start(other);
  world.hear(other, "here");
  CHECK(said(world, room) == Texts{"saved"});
  world.end(other);
  world.stop_host();
  set_schema(known);
  world.start_host();
  world.hear(room, "state mine");
}

TEST_CASE("slow: a handler is named with its bot, its event and how long it took, while it runs and afterwards") {
  World world({.host = {.host = "slow_handler = 0.2"}});
  const auto go = world.dir / "go";
  const Room room{.room = "the-room"};
  world.start(room);
  world.tell(room, "until " + go.string() + ";say done");
  world.host.process().wait_for_log("has been running for ", 2);
  let_go(go);
  world.hear(room, "done");
  world.host.process().wait_for_log(" took ");
  const auto duration = [](const std::string& line, const std::string& words) {
    return std::stoll(line.substr(line.find(words) + words.size()));
  };
  const auto running = lines_with(world.host.log(), "has been running for "),
             after = lines_with(world.host.log(), " took ");
  REQUIRE(after.size() == 1);
  CHECK(duration(running[0], "running for ") >= 200);
  CHECK(duration(running[1], "running for ") >= 2000);
  CHECK(duration(after[0], "took ") >= duration(running[1], "running for "));
  for (const auto& line : {running[0], running[1], after[0]}) {
    CAPTURE(line);
    CHECK(contains("warning")(line));
    CHECK(contains("bot probe 1.0.0: event 0x102 of room 1/1/the-room/1 ")(line));
  }
}

TEST_CASE("slow: a handler that takes less than it may is not named") {
  World world({.host = {.host = "slow_handler = 60"}});
  const Room room;
  world.start(room);
  world.tell(room, "sleep 300;say done");
  world.hear(room, "done");
  world.fence();
  CHECK(count(world.host.log(), " took ") == 0);
  CHECK(count(world.host.log(), "has been running") == 0);
}

TEST_CASE("slow: while a hundred rooms of one bot are stuck, those of another are served, and requests, too") {
  for (const int threads : {16, 4}) {
    CAPTURE(threads);
    World world({.host = {.host = "threads = " + std::to_string(threads)}});
    const auto go = world.dir / "go";
    std::vector<Room> stuck;
    for (int i = 0; i < 100; ++i) stuck.push_back({.room = "stuck-" + std::to_string(i)});
    for (const Room& room : stuck) world.start(room);
    const Room echo{.bot = "echo"};
    world.start(echo);
    for (const Room& room : stuck) world.tell(room, "log taken;until " + go.string() + ";say done");
    world.host.process().wait_for_log("probe: taken", threads / 2);
    for (int i = 0; i < 20; ++i) {
      world.tell(echo, std::to_string(i));
      world.hear(echo, "you said: " + std::to_string(i));
      world.start({.bot = "echo", .room = std::to_string(i)});
    }
    for (const Room& room : stuck) CHECK(said(world, room).empty());
    let_go(go);
    for (const Room& room : stuck) world.hear(room, "done");
  }
}
