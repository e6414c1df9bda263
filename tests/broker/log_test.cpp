// The log when whoever is to read it does not.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/world.hpp"
#include "plain_ends.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

// A pipe that is open at both ends, and read only when the test says so.
class Pipe {
 public:
  explicit Pipe(fs::path file) : file_(std::move(file)) {
    REQUIRE(mkfifo(file_.c_str(), 0600) == 0);
    fd_ = open(file_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
    REQUIRE(fd_ >= 0);
  }
  ~Pipe() { close(fd_); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // From here on whoever writes waits.
  void fill() const {
    const std::string text(4096, '.');
    while (write(fd_, text.data(), text.size()) > 0) {
    }
  }
  std::string read() {
    char buffer[4096];
    for (ssize_t size = 0; (size = ::read(fd_, buffer, sizeof buffer)) > 0;) {
      all_.append(buffer, static_cast<std::size_t>(size));
    }
    return all_;
  }
  // The program with this as its stdout, its stderr, or both: `redirection` is the shell's, with FILE for the pipe.
  [[nodiscard]] std::string program(std::string redirection) const {
    redirection.replace(redirection.find("FILE"), 4, file_.string());
    const fs::path program = file_.string() + ".sh";
    write_file(program, "#!/bin/sh\nexec " BOTEL_EXECUTABLE " \"$@\" " + redirection + "\n");
    fs::permissions(program, fs::perms::owner_all);
    return program.string();
  }

 private:
  const fs::path file_;
  int fd_ = -1;
  std::string all_;
};

}  // namespace

TEST_CASE("log: a host whose log nobody reads serves, stops in time, and says what is missing once it is read") {
  const TempDir dir;
  Pipe pipe(dir / "pipe");
  World world({.host = {.executable = pipe.program("2> FILE")}});
  const Room room;
  world.start(room);
  // More than the pipe and the host keep together.
  const std::string more(900, 'x');
  for (int i = 0; i < 30; ++i) {
    std::string commands;
    for (int j = 0; j < 100; ++j) commands += "log line " + std::to_string(i * 100 + j) + " " + more + ";";
    world.tell(room, commands + "say logged");
  }
  for (int i = 0; i < 30; ++i) world.hear(room, "logged");
  SUBCASE("it stops") { CHECK(world.host.stop() == 0); }
  SUBCASE("somebody reads again") {
    wait_until("what is missing to be said", [&] { return count(pipe.read(), " lines are missing here") > 0; });
    world.tell(room, "log the last one");
    wait_until("the last line", [&] { return count(pipe.read(), "the last one") > 0; });
    const std::string log = pipe.read();
    CHECK(count(log, "probe: line 0 " + more + "\n") == 1);
    CHECK(count(log, "probe: line 2999 ") == 0);
    CHECK(log.find("probe: line 0 ") < log.find(" lines are missing here"));
    CHECK(log.find(" lines are missing here") < log.find("the last one"));
    world.host.process().signal(SIGTERM);
    CHECK(world.host.process().wait() == 0);
    CHECK(count(pipe.read(), "log_lines_dropped_total ") == 1);
  }
}

TEST_CASE("log: a host whose stdout and log have no room from the beginning serves, and stops") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  client.subscribe("#");
  Pipe pipe(dir / "pipe");
  pipe.fill();
  Host host(dir / "host", {.url = broker.url(), .executable = pipe.program("> FILE 2>&1")});
  broker.wait_for_subscription("s/+/a/+/u/+/r/+/res/#");
  const Room room{.commands = "say hello"};
  client.publish(room.requests(), request("1", "start", room.start_params()));
  client.expect(room.msg_pub(), has("m", "hello"));
  SUBCASE("it stops") { CHECK(host.stop() == 0); }
  SUBCASE("its lines come once there is room, in order") {
    wait_until("a line of the log", [&] { return count(pipe.read(), "probe: start") == 1; });
    const std::string said = pipe.read();
    CHECK(said.find("connected to the broker") < said.find("botel ready: "));
    CHECK(said.find("botel ready: ") < said.find("probe: start"));
    CHECK(host.stop() == 0);
  }
}

TEST_CASE("log: whatever ends a host, it ends although nobody reads what it says") {
  let_children_end_plainly();
  const TempDir dir;
  Pipe pipe(dir / "pipe");
  pipe.fill();
  Broker broker(dir / "broker");
  HostOptions options{.url = broker.url(), .executable = pipe.program("> FILE 2>&1")};
  SUBCASE("a configuration with mistakes") {
    options.host = "nonsense = 1";
    Host host(dir / "host", options);
    CHECK(host.process().wait() == 2);
  }
  SUBCASE("a start that fails") {
    options.data = "/proc/nowhere";
    Host host(dir / "host", options);
    CHECK(host.process().wait() == 1);
  }
  SUBCASE("a signal while plugins load") {
    make_plugins(dir / "host/plugins");
    fs::copy_file(fs::path(BOTEL_ZOO) / "hangs-in-the-host.so", dir / "host/plugins/other.so");
    Host host(dir / "host", options);
    wait_until("it to be loaded", [&] { return count(read_file(host.data() / "running"), "plugin other") > 0; });
    host.process().signal(SIGTERM);
    CHECK(host.process().wait() == -SIGTERM);
  }
  SUBCASE("a handler that does not return") {
    Host host(dir / "host", options);
    broker.wait_for_subscription("s/+/a/+/u/+/r/+/res/#");
    Client client(broker.port());
    const Room room;
    client.subscribe(room.res_pub());
    client.publish(room.requests(), request("1", "start", room.start_params()));
    client.expect(room.res_pub());
    const fs::path never = dir / "never";
    client.publish(room.from_user(), R"({"m":"until )" + never.string() + "\"}");
    wait_until("the handler", [&] { return count(read_file(host.data() / "running"), "bot probe") > 0; });
    CHECK(host.stop() == 1);
  }
  SUBCASE("a crash") {
    make_plugins(dir / "host/plugins");
    fs::copy_file(fs::path(BOTEL_ZOO) / "v1.so", dir / "host/plugins/zoo.so");
    options.bots = "[[bot]]\nid = \"1\"\nname = \"zoo\"\n";
    Host host(dir / "host", options);
    broker.wait_for_subscription("s/+/a/+/u/+/r/+/res/#");
    Client client(broker.port());
    const Room room;
    client.subscribe(room.res_pub());
    client.publish(room.requests(), request("1", "start", room.start_params()));
    client.expect(room.res_pub());
    client.publish(room.from_user(), R"({"m":"crash"})");
    CHECK(host.process().wait() == -SIGSEGV);
  }
}
