// The host as the first process of a PID namespace, as it is in a container that has no init of its own.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <sstream>

#include "harness/user.hpp"
#include "harness/world.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

// How a PID namespace is made here; empty: this system lets nobody make one.
std::string unshare() {
  const TempDir dir;
  for (const std::string more : {"", "--user --map-root-user "}) {
    const std::string command = "unshare " + more + "--pid --fork --kill-child --mount-proc";
    if (run({"sh", "-c", command + " true"}, dir / "log") == 0) return command;
  }
  MESSAGE("no PID namespace can be made: not tested");
  return "";
}

// The real program, each time in a namespace of its own.
std::string in_container(const TempDir& dir, const std::string& unshare) {
  const fs::path file = dir / "botel-in-a-container";
  write_file(file, "#!/bin/sh\nexec " + unshare + " " BOTEL_EXECUTABLE " \"$@\"\n");
  fs::permissions(file, fs::perms::owner_all);
  return file.string();
}

std::vector<pid_t> children_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  std::istringstream pids(read_file("/proc/" + number + "/task/" + number + "/children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; pids >> child;) children.push_back(child);
  return children;
}

// The first process of the namespace, as the world outside knows it.
pid_t first_process(Host& host) {
  pid_t first = 0;
  wait_until("the first process", [&] {
    const auto children = children_of(host.process().pid());
    if (children.size() == 1 && read_file(fs::path("/proc") / std::to_string(children[0]) / "comm") == "botel\n") {
      first = children[0];
    }
    return first != 0;
  });
  return first;
}

// Sends a signal to the first process, as `docker stop` does; the exit code.
int stop(Host& host, int signal_number = SIGTERM) {
  kill(first_process(host), signal_number);
  return host.process().wait();
}

// The processes that have ended and that nobody has taken notice of.
std::size_t zombies_of(pid_t pid) {
  std::size_t zombies = 0;
  for (const pid_t child : children_of(pid)) {
    const std::string status = read_file(fs::path("/proc") / std::to_string(child) / "status");
    zombies += lines_with(status, "State:\tZ").size();
  }
  return zombies;
}

bool has_files(const fs::path& folder) { return fs::exists(folder) && !fs::is_empty(folder); }

}  // namespace

TEST_CASE("container: a signal ends the host while plugins load, too") {
  const std::string namespaces = unshare();
  if (namespaces.empty()) return;
  for (const int number : {SIGTERM, SIGINT}) {
    const TempDir dir;
    make_plugins(dir / "host/plugins");
    fs::copy_file(fs::path(BOTEL_ZOO) / "hangs-when-made.so", dir / "host/plugins/hangs.so");
    Broker broker(dir / "broker");
    Host host(dir / "host",
              {.url = broker.url(), .host = "probe_time = 3600", .executable = in_container(dir, namespaces)});
    wait_until("a plugin to be tried", [&] { return has_files(host.data() / "loaded"); });
    CHECK(stop(host, number) == 128 + number);
  }
}

TEST_CASE("container: a signal ends the host well, and SIGHUP reaches it") {
  const std::string namespaces = unshare();
  if (namespaces.empty()) return;
  const TempDir dir;
  World world({.host = {.executable = in_container(dir, namespaces)}});
  const Room room{.commands = "say hello"};
  world.start(room);
  world.hear(room, "hello");
  constexpr const char* kRefused = "the configuration stays as it was";
  write_file(world.dir / "host/botel.toml", "nonsense");
  world.host.process().wait_for_log(kRefused);
  kill(first_process(world.host), SIGHUP);
  world.host.process().wait_for_log(kRefused, 2);
  world.tell(room, "say still here");
  world.hear(room, "still here");
  CHECK(stop(world.host) == 0);
  world.broker.wait_for_log("Received DISCONNECT from");
}

TEST_CASE("container: processes that others have left behind are no zombies, and those of the host are its own") {
  const std::string namespaces = unshare();
  if (namespaces.empty()) return;
  const TempDir dir;
  World world({.host = {.executable = in_container(dir, namespaces)}});
  const Room room;
  world.start(room);
  world.tell(room, "orphans 20;say left them");
  world.hear(room, "left them");
  const pid_t first = first_process(world.host);
  wait_until("the end of all that was left behind",
             [&] { return zombies_of(first) == 0 && children_of(first).size() == 1; });
  // A plugin that is tried has an exit code which the host wants to know.
  fs::copy_file(fs::path(BOTEL_ZOO) / "exits-when-loaded.so", world.host.plugins() / "exits.so");
  world.host.process().wait_for_log("ended the process with exit code 0");
  CHECK(stop(world.host) == 0);
}

TEST_CASE("container: a host that is killed ends the container once its private broker has saved the sessions") {
  const std::string namespaces = unshare();
  if (namespaces.empty()) return;
  const TempDir dir;
  Host host(dir / "host",
            {.arguments = {"--broker-port", std::to_string(free_port())}, .executable = in_container(dir, namespaces)});
  host.ready();
  const auto children = children_of(first_process(host));
  REQUIRE(children.size() == 1);
  kill(children[0], SIGKILL);
  CHECK(host.process().wait() == 128 + SIGKILL);
  host.start();
  host.ready();
  host.process().wait_for_log("which has kept the session");
  CHECK(stop(host) == 0);
}

TEST_CASE("container: volumes that others may write to are taken where the configuration trusts them, with a warning") {
  constexpr uid_t kUser = 12345;
  if (geteuid() != 0) return;
  TempDir dir;
  Broker broker(dir / "broker");
  HostOptions options{.url = broker.url(), .executable = program_as(kUser, dir, dir / "host")};
  make_plugins(dir / "host/plugins");
  const fs::path plugins = dir / "host/plugins", data = dir / "host/data";
  // As an emptyDir is, and a volume with an fsGroup.
  REQUIRE(chown(data.c_str(), 0, kUser) == 0);
  fs::permissions(data, fs::perms(02775));
  fs::permissions(plugins, fs::perms(0777));
  const auto refusal = [&] {
    Host host(dir / "host", options);
    CHECK(host.process().wait() == 1);
    return host.log();
  };
  CHECK(count(refusal(), "`data_writable_by_others = true` in [host]") == 1);
  options.host = "data_writable_by_others = true\n";
  CHECK(count(refusal(), "`plugins_writable_by_others = true` in [host]") == 1);
  options.host += "plugins_writable_by_others = true\n";
  Host host(dir / "host", options);
  host.ready();
  CHECK(count(host.log(), "warning: data directory " + data.string() + ": whoever may write to it may run code") == 1);
  CHECK(count(host.log(), "warning: plugins folder " + plugins.string() + ": whoever may write to it") == 1);
  CHECK(host.stop() == 0);
}

TEST_CASE("container: from a data directory without execution no plugin is loaded, but from where the setting says") {
  const TempDir dir;
  const fs::path data = dir / "host/data";
  fs::create_directories(data);
  if (mount("tmpfs", data.c_str(), "tmpfs", MS_NOEXEC, "mode=700,size=16m") != 0) {
    MESSAGE("nothing can be mounted: not tested");
    return;
  }
  Broker broker(dir / "broker");
  {
    Host host(dir / "host", {.url = broker.url()});
    CHECK(host.process().wait() == 1);
    CHECK(count(host.log(), "`plugin_copies` in [host] names another folder") == 1);
  }
  {
    Host host(dir / "host", {.url = broker.url(), .host = "plugin_copies = " + quoted((dir / "copies").string())});
    host.ready();
    CHECK(host.stop() == 0);
  }
  CHECK(umount(data.c_str()) == 0);
}
