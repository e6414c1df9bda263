// The process: its ready line, its log, and how it stops.
#include <doctest/doctest.h>
#include <signal.h>

#include <sstream>

#include "harness/world.hpp"

using namespace harness;
namespace fs = std::filesystem;

TEST_CASE("host: the ready line names the broker and the bots, once connected, subscribed and loaded") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Host host(dir / "host", {.url = broker.url()});
  CHECK(host.ready() == "botel ready: " + broker.url() + ", bots echo probe sandwich");
  const std::string log = broker.log();
  for (const std::string filter : {"s/+/a/+/t/+/req/#", "s/+/a/+/u/+/r/+/res/#"}) {
    CHECK(count(log, "\t" + filter + " (QoS 1)") == 1);
  }
  CHECK(host.stop() == 0);
}

TEST_CASE("host: SIGTERM and SIGINT end it well, with rooms and delayed words in it") {
  for (const int number : {SIGTERM, SIGINT}) {
    World world;
    const Room room;
    world.start(room);
    world.tell(room, "say armed;timer 1 3600000;wait 3600000;say never;end 1");
    world.hear(room, "armed");
    world.host.process().signal(number);
    CHECK(world.host.process().wait() == 0);
    world.broker.wait_for_log("Received DISCONNECT from");
  }
}

TEST_CASE("host: what came before the signal is still answered") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "log taken;sleep 500;say last words");
  world.host.process().wait_for_log("probe: taken");
  world.host.process().signal(SIGTERM);
  world.hear(room, "last words");
  CHECK(world.host.process().wait() == 0);
}

TEST_CASE("host: a handler that is stuck cannot hold it up, is named, and what was owed is answered") {
  World world({.host = {.store = "durability = \"off\""}});
  const Room room{.commands = "log stuck;sleep 3600000"};
  world.client.publish(room.requests(), request("1", "start", room.start_params()));
  world.host.process().wait_for_log("probe: stuck");
  const Room other{.room = "other", .commands = "say hello"};
  world.start(other);
  world.hear(other, "hello");
  CHECK(world.host.stop() == 1);
  CAPTURE(world.host.log());
  CHECK_FALSE(lines_with(world.host.log(), "bot probe is still busy with room").empty());
  CHECK(at(world.answer(room, "1").payload, "error.code") == "-32603");
}

TEST_CASE("host: a second signal, or one while it connects, does no harm") {
  const TempDir dir;
  SUBCASE("two signals") {
    Broker broker(dir / "broker");
    Host host(dir / "host", {.url = broker.url()});
    host.ready();
    host.process().signal(SIGTERM);
    host.process().signal(SIGINT);
    host.process().signal(SIGTERM);
    CHECK(host.process().wait() == 0);
  }
  SUBCASE("nobody there") {
    Host host(dir / "host", {.url = "mqtt://127.0.0.1:" + std::to_string(free_port())});
    host.process().wait_for_log("no connection to the broker");
    CHECK(host.stop() == 0);
  }
  SUBCASE("somebody there who never answers") {
    const TakenPort silent(free_port());
    Host host(dir / "host", {.url = "mqtt://127.0.0.1:" + std::to_string(silent.port())});
    // Until its plugins are loaded a signal ends it at once.
    wait_until("no broker announced", [&] { return fs::exists(dir / "host/data/broker"); });
    CHECK(host.stop() == 0);
  }
}

TEST_CASE("host: to stop it while it loads a plugin is no crash of the plugin") {
  const TempDir dir;
  make_plugins(dir / "host/plugins");
  fs::copy_file(fs::path(BOTEL_ZOO) / "hangs-in-the-host.so", dir / "host/plugins/other.so");
  Broker broker(dir / "broker");
  Host host(dir / "host", {.url = broker.url()});
  wait_until("the black box to note that it is loaded",
             [&] { return count(read_file(host.data() / "running"), "plugin other, loading") > 0; });
  host.process().signal(SIGTERM);
  CHECK(host.process().wait() == -SIGTERM);
  CHECK(count(read_file(host.data() / "running"), "plugin other") == 0);
}

TEST_CASE("host: it may be stopped and started again and again") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  client.subscribe("#");
  for (int i = 0; i < 3; ++i) {
    Host host(dir / "host", {.url = broker.url()});
    host.ready();
    const Room room{.room = std::to_string(i), .commands = "say hello"};
    client.publish(room.requests(), request("1", "start", room.start_params()));
    client.expect(room.msg_pub(), has("m", "hello"));
    if (i == 1) {
      host.process().signal(SIGKILL);
      CHECK(host.process().wait() == -SIGKILL);
    } else {
      CHECK(host.stop() == 0);
    }
  }
}

TEST_CASE("host: two hosts with data of their own share a broker, each with its own tenant") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  client.subscribe("#");
  Host one(dir / "one", {.url = broker.url(), .gitple = R"(requests = "s/1/a/+/t/+/req/#"
answers = "s/1/a/+/u/+/r/+/res/#")"});
  Host two(dir / "two", {.url = broker.url(), .gitple = R"(requests = "s/2/a/+/t/+/req/#"
answers = "s/2/a/+/u/+/r/+/res/#")"});
  one.ready();
  two.ready();
  for (const Room& room : {Room{.commands = "say hello"}, Room{.commands = "say hello", .sp = "2"}}) {
    client.publish(room.requests(), request("1", "start", room.start_params()));
    client.expect(room.msg_pub(), has("m", "hello"));
    CHECK(client.unexpected(room.msg_pub()).empty());
  }
  CHECK(one.stop() == 0);
  CHECK(two.stop() == 0);
}

TEST_CASE("host: in the json format each line of the log is one object, whatever is in it") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  HostOptions options{.url = broker.url()};
  SUBCASE("by the command line") { options.arguments = {"--log-format", "json", "--log-level", "debug"}; }
  SUBCASE("by the configuration") { options.host = "log_format = \"json\"\nlog_level = \"debug\""; }
  Host host(dir / "host", options);
  host.ready();
  const Room room{.commands = "log a \"quote\", a \\ and 헬로;throw"};
  client.subscribe("#");
  client.publish(room.requests(), request("1", "start", room.start_params()));
  client.expect(room.res_pub());
  client.publish("s/1/a/1/u/\"7\"/r/7/u/7", "not JSON\n");
  client.publish(room.requests() + "/\"quoted\"", "{");
  client.publish(room.requests(), request("2", "nonsense", room.end_params()));
  client.expect(room.res_pub(), contains("\"id\":2"));
  CHECK(host.stop() == 0);
  std::istringstream log(host.log());
  int lines = 0;
  for (std::string line; std::getline(log, line); ++lines) {
    CAPTURE(line);
    CHECK(line.starts_with("{"));
    REQUIRE(is_json(line));
    CHECK_FALSE(at(line, "time").empty());
    CHECK_FALSE(at(line, "level").empty());
    CHECK_FALSE(at(line, "message").empty());
  }
  CHECK(lines >= 5);
  CHECK(count(host.log(), R"(a \"quote\", a \\ and 헬로)") == 1);
}

TEST_CASE("host: bots are given by tables, or by the command line, which goes above them") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  client.subscribe("#");
  const auto served = [&](const std::string& bot) {
    const Room room{.bot = bot, .room = "of-" + bot};
    client.publish(room.requests(), request("1", "start", room.start_params()));
    if (at(client.expect(room.res_pub()).payload, "error.code") == "-32001") return std::string("nobody");
    client.publish(room.from_user(), R"({"m":"say x"})");
    const std::string m = at(client.expect(room.msg_pub(), contains("say x"), "").payload, "m");
    return m == "you said: say x" ? std::string("echo") : m;
  };
  HostOptions options{.url = broker.url(), .bots = "[[bot]]\nid = \"1\"\nname = \"echo\"\n"};
  SUBCASE("a table, and no rest") {
    Host host(dir / "host", options);
    CHECK(host.ready().ends_with(", bots echo"));
    CHECK(served("1") == "echo");
    CHECK(served("9") == "nobody");
  }
  SUBCASE("a table for the rest") {
    options.bots = "[[bot]]\nid = \"*\"\nname = \"echo\"\n[[bot]]\nid = \"1\"\nname = \"probe\"\n";
    Host host(dir / "host", options);
    CHECK(host.ready().ends_with(", bots echo probe"));
    CHECK(served("9") == "echo");
  }
  SUBCASE("the command line") {
    options.bots = "[[bot]]\nid = \"1\"\nname = \"probe\"\n";
    options.arguments = {"--bot", "2=echo", "--bot", "*=echo"};
    Host host(dir / "host", options);
    CHECK(host.ready().ends_with(", bots echo"));
    for (const char* bot : {"1", "2", "3"}) CHECK(served(bot) == "echo");
  }
  SUBCASE("nothing: each bot by its name, and the first one all numbers") {
    options.bots = "";
    Host host(dir / "host", options);
    CHECK(host.ready().ends_with(", bots echo probe sandwich"));
    CHECK(served("echo") == "echo");
    CHECK(served("9") == "echo");
    CHECK(served("whatever") == "nobody");
  }
}
