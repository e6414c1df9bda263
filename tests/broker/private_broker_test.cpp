// The broker that a host starts for itself, and the data directory that is the host's own.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>

#include <set>

#include "harness/user.hpp"
#include "harness/world.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kNameless = 12345;

// Of "botel ready: mqtt://127.0.0.1:PORT, bots ...".
std::string url_of(const std::string& ready) {
  const auto begin = ready.find("mqtt://");
  return ready.substr(begin, ready.find(',') - begin);
}
int port_of(const std::string& url) { return std::stoi(url.substr(url.rfind(':') + 1)); }

std::vector<std::string> on_port(int port) { return {"--broker-port", std::to_string(port)}; }

void talk(int port) {
  Client client(port);
  client.subscribe("#");
  const Room room{.commands = "say hello"};
  client.publish(room.requests(), request("1", "start", room.start_params()));
  client.expect(room.msg_pub(), has("m", "hello"));
}

// The process that has `file` among its arguments; 0: there is none.
pid_t process_with(const std::string& file) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (read_file(entry.path() / "cmdline").find(file) != std::string::npos) {
      if (name != std::to_string(getpid()) && read_file(entry.path() / "comm") == "mosquitto\n") return std::stoi(name);
    }
  }
  return 0;
}

}  // namespace

TEST_CASE("private broker: the host starts it, says where it is, and writes that down for others") {
  const TempDir dir;
  const int port = free_port();
  Host host(dir / "host", {.arguments = on_port(port)});
  const std::string ready = host.ready();
  CHECK(ready == "botel ready: mqtt://127.0.0.1:" + std::to_string(port) + ", bots echo probe sandwich");
  const fs::path data = dir / "host/data";
  CHECK(read_file(data / "broker") == url_of(ready) + "\n");
  talk(port);

  struct stat status {};
  REQUIRE(stat(data.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
  const std::string configuration = read_file(data / "mosquitto/mosquitto.conf");
  const std::string folder = (data / "mosquitto").string();
  for (const std::string& line : {std::string("max_inflight_messages 0\n"), std::string("max_queued_messages 0\n"),
                                  std::string("persistence true\n"), "persistence_location " + folder + "/\n"}) {
    CHECK(count(configuration, line) == 1);
  }

  CHECK(host.stop() == 0);
  CHECK_FALSE(fs::exists(data / "broker"));
  CHECK_FALSE(accepts(port));
  CHECK(process_with(data.string()) == 0);
}

TEST_CASE("private broker: it listens on loopback only") {
  const TempDir dir;
  const int port = free_port();
  Host host(dir / "host", {.arguments = on_port(port)});
  host.ready();
  // In /proc/net/tcp6 nothing, in /proc/net/tcp only 127.0.0.1.
  char hex[8];
  std::snprintf(hex, sizeof hex, ":%04X", static_cast<unsigned>(port));
  for (const auto& line : lines_with(read_file("/proc/net/tcp"), hex + std::string(" 00000000:0000 0A"))) {
    CHECK(line.find("0100007F" + std::string(hex)) != std::string::npos);
  }
  CHECK(
      lines_with(read_file("/proc/net/tcp6"), hex + std::string(" 00000000000000000000000000000000:0000 0A")).empty());
  CHECK(host.stop() == 0);
}

TEST_CASE("private broker: a port that is asked for and taken is an error that names it") {
  const TempDir dir;
  const TakenPort taken(free_port());
  Host host(dir / "host", {.arguments = on_port(taken.port())});
  CHECK(host.process().wait() == 1);
  CHECK_FALSE(lines_with(host.log(), std::to_string(taken.port())).empty());
}

TEST_CASE("private broker: without a port it takes 1883 or the next free one") {
  const TempDir dir;
  const TakenPort taken(1883);
  Host host(dir / "host", {});
  const int port = port_of(url_of(host.ready()));
  CHECK(port > 1883);
  CHECK(port < 2100);
  talk(port);
  Host second(dir / "second", {});
  const int next = port_of(url_of(second.ready()));
  CHECK(next > port);
  talk(next);
  CHECK(host.stop() == 0);
  CHECK(second.stop() == 0);
}

TEST_CASE("private broker: hosts that start at the same moment each get a broker of their own") {
  const TempDir dir;
  std::vector<std::unique_ptr<Host>> hosts;
  for (int i = 0; i < 6; ++i)
    hosts.push_back(std::make_unique<Host>(dir / ("host-" + std::to_string(i)), HostOptions{}));
  std::set<int> ports;
  for (const auto& host : hosts) ports.insert(port_of(url_of(host->ready())));
  CHECK(ports.size() == hosts.size());
  for (const auto& host : hosts) CHECK(host->stop() == 0);
}

TEST_CASE("private broker: it ends with the host, also when that is killed, and the next host may have the port") {
  const TempDir dir;
  const int port = free_port();
  pid_t broker = 0;
  {
    Host host(dir / "host", {.arguments = on_port(port)});
    host.ready();
    broker = process_with((dir / "host/data").string());
    REQUIRE(broker > 0);
    host.process().signal(SIGKILL);
    CHECK(host.process().wait() == -SIGKILL);
  }
  wait_until("the end of the broker", [&] { return process_with((dir / "host/data").string()) != broker; });
  // The lock, the port and the folder are free again.
  Host host(dir / "host", {.arguments = on_port(port)});
  host.ready();
  talk(port);
  CHECK(host.stop() == 0);
}

TEST_CASE("private broker: it ends with a host whose handler is stuck") {
  const TempDir dir;
  const int port = free_port();
  Host host(dir / "host", {.arguments = on_port(port)});
  host.ready();
  Client client(port);
  const Room room{.commands = "log stuck;sleep 3600000"};
  client.publish(room.requests(), request("1", "start", room.start_params()));
  host.process().wait_for_log("probe: stuck");
  CHECK(host.stop() == 1);
  wait_until("the end of the broker", [&] { return process_with((dir / "host/data").string()) == 0; });
  CHECK_FALSE(fs::exists(dir / "host/data/broker"));
}

TEST_CASE("private broker: a user whose id has no name gets one, too") {
  TempDir dir;
  Host host(dir / "host", {.arguments = on_port(free_port()), .executable = program_as(kNameless, dir, dir / "host")});
  talk(port_of(url_of(host.ready())));
  CHECK(host.stop() == 0);
}

TEST_CASE("private broker: it is in a process group of its own, so that Ctrl-C reaches the host first") {
  const TempDir dir;
  Host host(dir / "host", {.arguments = on_port(free_port())});
  host.ready();
  const pid_t broker = process_with((dir / "host/data").string());
  REQUIRE(broker > 0);
  CHECK(getpgid(broker) == broker);
  CHECK(getpgid(host.process().pid()) != broker);
  CHECK(host.stop() == 0);
}

TEST_CASE("private broker: a host whose broker has died says so and ends, rather than wait for ever") {
  const TempDir dir;
  Host host(dir / "host", {.arguments = on_port(free_port())});
  host.ready();
  const pid_t broker = process_with((dir / "host/data").string());
  REQUIRE(broker > 0);
  kill(broker, SIGKILL);
  CHECK(host.process().wait() == 1);
  CHECK(count(host.log(), "the private broker has ended") == 1);
}

TEST_CASE("data directory: without --data it is ~/.local/state/botel, and the plugins are those of the build") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Process host({{BOTEL_EXECUTABLE, "run", "--broker", broker.url()},
                dir / "log",
                {"HOME=" + dir.path().string(), "XDG_STATE_HOME="}});
  CHECK(host.line("botel ready: ") == "botel ready: " + broker.url() + ", bots echo sandwich, connectors demo");
  CHECK(read_file(dir / ".local/state/botel/broker") == broker.url() + "\n");
  host.signal(SIGTERM);
  CHECK(host.wait() == 0);
}

TEST_CASE("data directory: a second host on it is refused, and told who has it") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Host first(dir / "host", {.url = broker.url()});
  first.ready();
  const std::string data = (dir / "host/data").string();
  CHECK(read_file(data + "/broker") == broker.url() + "\n");
  Host second(dir / "second", {.url = broker.url(), .data = data});
  CHECK(second.process().wait() == 1);
  const auto lines = lines_with(second.log(), data);
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front().find(std::to_string(first.process().pid())) != std::string::npos);
  // The first one has noticed nothing.
  CHECK(read_file(data + "/broker") == broker.url() + "\n");
  talk(broker.port());
  CHECK(first.stop() == 0);
}

TEST_CASE("data directory: a user without a home is told what to write") {
  TempDir dir;
  auto command = as_user(kNameless);
  command.insert(command.end(), {BOTEL_EXECUTABLE, "run"});
  Process host({command, dir / "log", {"HOME=/", "XDG_STATE_HOME="}});
  CHECK(host.wait() == 1);
  CHECK(host.log() == "botel: data directory /.local/state/botel: Permission denied; --data names another one\n");
}

TEST_CASE("data directory: one that cannot be made is an error that names it") {
  const TempDir dir;
  write_file(dir / "file", "");
  Host host(dir / "host", {.data = (dir / "file/data").string()});
  CHECK(host.process().wait() == 1);
  CHECK_FALSE(lines_with(host.log(), (dir / "file/data").string()).empty());
}
