// The broker goes away and comes back.
#include <doctest/doctest.h>
#include <sys/resource.h>

#include <optional>

#include "harness/user.hpp"
#include "harness/world.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

// A broker that keeps the session of the test's client over a restart, so that it misses nothing of what the host
// sends as soon as it is back.
struct Outage {
  explicit Outage(HostOptions options = {}) : options_(std::move(options)) {
    options_.url = broker.url();
    host.emplace(dir / "host", options_);
    client.subscribe("#");
    host->ready();
  }
  void stop_broker() {
    broker.stop();
    host->process().wait_for_log("lost the broker", ++outages_);
  }
  // `filter`: what the host must have asked for again.
  void start_broker(const std::string& filter) {
    broker.start();
    client.reconnect();
    broker.wait_for_log("\t" + filter + " (QoS", outages_ + 1);
    // The host asks in the order in which it came to hold its filters.
    broker.wait_for_log("Sending SUBACK to ", count(broker.log(), "Received SUBSCRIBE from "));
  }
  void start(const Room& room) {
    client.publish(room.requests(), request("1", "start", room.start_params()));
    CHECK(at(client.expect(room.res_pub()).payload, "result") == "OK");
  }
  void tell(const Room& room, const std::string& text) {
    client.publish(room.from_user(), R"({"m":)" + quoted(text) + "}");
  }
  void hear(const Room& room, const std::string& text) { client.expect(room.msg_pub(), has("m", text), text); }

  TempDir dir;
  Broker broker{dir / "broker", {.keeps_sessions = true}};
  Client client{broker.port(), {.id = "gitple"}};
  std::optional<Host> host;

 private:
  HostOptions options_;
  int outages_ = 0;
};

}  // namespace

TEST_CASE("outage: the host reconnects, and subscribes to everything again") {
  Outage world;
  const Room one{.room = "one"}, two{.bot = "2", .room = "two"}, three{.room = "three"};
  for (const Room& room : {one, two, three}) world.start(room);
  world.tell(one, "save before;say saved");
  world.hear(one, "saved");
  for (int i = 0; i < 2; ++i) {
    world.stop_broker();
    world.start_broker(three.msg_sub());
    world.tell(one, "show");
    world.hear(one, "state before");
    world.tell(two, "say two");
    world.hear(two, "two");
    // Requests and answers, too.
    const Room fresh{.room = "fresh" + std::to_string(i)};
    world.start(fresh);
    world.tell(fresh, "end 3");
    const Received asked = world.client.expect(fresh.cmd_pub());
    world.client.publish(fresh.cmd_answers(),
                         R"({"jsonrpc":"2.0","id":)" + quoted(at(asked.payload, "id")) + R"(,"result":"OK"})");
    world.hear(fresh, R"(result 3 0 "OK")");
  }
  // The host says once that it is ready.
  CHECK(world.host->stop() == 0);
}

TEST_CASE("outage: a hundred and more rooms hear again") {
  Outage world;
  std::vector<Room> rooms;
  for (int i = 0; i < 250; ++i) {
    rooms.push_back({.room = "room-" + std::to_string(i)});
    world.start(rooms.back());
  }
  world.stop_broker();
  world.broker.start();
  world.client.reconnect();
  for (const Room& room : rooms) world.broker.wait_for_log("\t" + room.msg_sub() + " (QoS", 2);
  world.broker.wait_for_log("Sending SUBACK to ", count(world.broker.log(), "Received SUBSCRIBE from "));
  for (const Room& room : rooms) world.tell(room, "say " + room.room);
  for (const Room& room : rooms) world.hear(room, room.room);
  CHECK(world.host->stop() == 0);
}

TEST_CASE("outage: what a bot says meanwhile goes out in order, and t rises") {
  Outage world;
  const Room room{.commands = "save timer: many 100|end 8"};
  world.start(room);
  world.tell(room, "say armed;timer 1 600");
  world.hear(room, "armed");
  world.stop_broker();
  world.host->process().wait_for_log("probe: timer 1");
  world.broker.start();
  world.client.reconnect();
  world.hear(room, "timer 1");
  long long before = 0;
  std::size_t index = 0;
  // By name, as the broker may deliver again what the test's client had not acknowledged.
  for (int i = 1; i <= 100; ++i) {
    const Received message = world.client.expect(room.msg_pub(), has("m", std::to_string(i)), std::to_string(i));
    REQUIRE(message.index > index);
    REQUIRE(std::stoll(at(message.payload, "t")) > before);
    index = message.index;
    before = std::stoll(at(message.payload, "t"));
  }
  CHECK(at(world.client.expect(room.cmd_pub()).payload, "method") == "end");
  CHECK(world.host->stop() == 0);
}

TEST_CASE("outage: a start whose answer was in the works is answered after it") {
  Outage world;
  const Room room{.commands = "sleep 500;log started;say hello"};
  world.client.publish(room.requests(), request("1", "start", room.start_params()));
  world.host->process().wait_for_log("probe: start");
  world.stop_broker();
  world.host->process().wait_for_log("probe: started");
  world.start_broker(room.msg_sub());
  const Received ok = world.client.expect(room.res_pub());
  CHECK(at(ok.payload, "result") == "OK");
  CHECK(world.client.expect(room.msg_pub()).index > ok.index);
  world.tell(room, "say here");
  world.hear(room, "here");
  CHECK(world.host->stop() == 0);
}

TEST_CASE("outage: a start in the midst of which the broker goes is served when it is asked for again") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  Host host(dir / "host", {.url = broker.url()});
  host.ready();
  for (int i = 1; i <= 4; ++i) {
    const Room room{.room = std::to_string(i)};
    client.subscribe("s/1/a/1/u/#");
    client.publish(room.requests(), request("1", "start", room.start_params()));
    broker.kill();
    host.process().wait_for_log("lost the broker", i);
    broker.start();
    broker.wait_for_log("\ts/+/a/+/u/+/r/+/res/# (QoS", i + 1);
    broker.wait_for_log("Sending SUBACK to ", count(broker.log(), "Received SUBSCRIBE from "));
    client.reconnect();
    client.subscribe("#");
    client.publish(room.requests(), request("2", "start", room.start_params()));
    CHECK(at(client.expect(room.res_pub(), contains("\"id\":2")).payload, "result") == "OK");
    client.publish(room.from_user(), R"({"m":"say here"})");
    client.expect(room.msg_pub(), has("m", "here"));
  }
  CHECK(host.stop() == 0);
}

TEST_CASE("outage: a broker that hangs cannot hold up the host's end") {
  World world;
  const Room room;
  world.start(room);
  world.tell(room, "log armed;timer 1 1");
  world.host.process().wait_for_log("probe: timer 1");
  world.broker.freeze();
  CHECK(world.host.stop() == 0);
}

TEST_CASE("outage: a room that ended meanwhile is not subscribed to again") {
  Outage world({.gitple = "leave_timeout = 0.3"});
  const Room gone{.room = "gone"}, left{.room = "left"};
  world.start(gone);
  world.start(left);
  world.tell(gone, "end 1");
  const Received asked = world.client.expect(gone.cmd_pub());
  world.client.publish(gone.cmd_answers(),
                       R"({"jsonrpc":"2.0","id":)" + quoted(at(asked.payload, "id")) + R"(,"result":"OK"})");
  world.hear(gone, R"(result 1 0 "OK")");
  world.stop_broker();
  world.host->process().wait_for_log("probe: end left");
  world.start_broker(left.msg_sub());
  world.hear(gone, "end left");
  world.tell(left, "say here");
  world.hear(left, "here");
  CHECK(count(world.broker.log(), "\t" + gone.msg_sub() + " (QoS") == 1);
  CHECK(world.host->stop() == 0);
}

TEST_CASE("outage: a host that is started before its broker waits for it") {
  const TempDir dir;
  Broker broker(dir / "broker");
  broker.stop();
  Host host(dir / "host", {.url = broker.url()});
  host.process().wait_for_log("no connection to the broker");
  broker.start();
  host.ready();
  CHECK(host.stop() == 0);
}

TEST_CASE("outage: a host whose name another client has taken comes back, and nothing is lost") {
  Outage world({.mqtt = "client_id = \"one-name\"\n"});
  const Room room;
  world.start(room);
  for (int i = 1; i <= 3; ++i) {
    {
      const Client taker(world.broker.port(), {.id = "one-name"});
      world.host->process().wait_for_log("lost the broker", i);
    }
    world.host->process().wait_for_log("connected to the broker", i + 1);
    world.broker.wait_for_subscription(room.msg_sub());
    world.tell(room, "say again " + std::to_string(i));
    world.hear(room, "again " + std::to_string(i));
  }
  CHECK(count(world.host->log(), "is dropped") == 0);
  CHECK(world.host->stop() == 0);
}

namespace {

constexpr uid_t kNobody = 65534;

// How many threads its user may have; empty: as many as ever.
void allow_threads(const Process& host, const std::string& most, const fs::path& log) {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NPROC, &before) == 0);
  const std::string all = before.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(before.rlim_cur);
  auto command = as_user(kNobody);
  for (const std::string& word : {std::string("prlimit"), "--pid=" + std::to_string(host.pid()),
                                  "--nproc=" + (most.empty() ? all : most) + ":"}) {
    command.push_back(word);
  }
  REQUIRE(run(command, log) == 0);
}

}  // namespace

TEST_CASE("outage: a system that has no thread to give when the broker comes back is waited for") {
  TempDir dir;
  Broker broker(dir / "broker");
  Host host(dir / "host", {.url = broker.url(), .executable = program_as(kNobody, dir, dir / "host")});
  host.ready();
  broker.stop();
  host.process().wait_for_log("lost the broker");
  allow_threads(host.process(), "0", dir / "prlimit.log");
  broker.start();
  host.process().wait_for_log("no thread can be started", 2);
  allow_threads(host.process(), "", dir / "prlimit.log");
  host.process().wait_for_log("info: connected to the broker", 2);
  CHECK(host.stop() == 0);
}

TEST_CASE("outage: a system that has no thread to give while a handler hangs is asked until it has one") {
  World world;
  world.stop_host();
  fs::remove_all(world.host.data());
  world.host.options.executable = program_as(kNobody, world.dir, world.dir / "host");
  world.host.options.host = "threads = 2";
  world.start_host();
  const Room room, other{.room = "other"};
  for (const Room& each : {room, other}) world.start(each);
  allow_threads(world.host.process(), "0", world.dir / "prlimit.log");
  const auto go = world.dir / "go";
  world.tell(room, "until " + go.string() + ";say done");
  world.host.process().wait_for_log("no thread can be started");
  world.tell(other, "say here");
  world.fence();
  CHECK(world.client.unexpected("#").empty());
  allow_threads(world.host.process(), "", world.dir / "prlimit.log");
  world.hear(other, "here");
  write_file(go, "");
  world.hear(room, "done");
  CHECK(count(world.host.log(), "no thread can be started") == 1);
  CHECK(count(world.host.log(), "a thread for handlers can be started again") == 1);
}

TEST_CASE("outage: a host that gets no thread when it starts says so, and ends") {
  constexpr uid_t kAlone = 54321;
  TempDir dir;
  const fs::path program = dir / "without-threads";
  // A sanitizer's search for leaks needs a thread, too.
  write_file(program, "#!/bin/sh\nexport ASAN_OPTIONS=\"$ASAN_OPTIONS:detect_leaks=0\"\nexec prlimit --nproc=1 " +
                          program_as(kAlone, dir, dir / "host") + " \"$@\"\n");
  fs::permissions(program, fs::perms(0755));
  Host host(dir / "host", {.url = "mqtt://127.0.0.1:1", .executable = program.string()});
  CHECK(host.process().wait() == 1);
  CHECK(host.log() == "botel: no thread can be started: Resource temporarily unavailable\n");
}

TEST_CASE("outage: a host without its broker stops all the same") {
  Outage world;
  const Room room;
  world.start(room);
  world.stop_broker();
  CHECK(world.host->stop() == 0);
}
