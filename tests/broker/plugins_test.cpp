// Files in the plugins folder that are no good: each is named with the reason, and the rest goes on.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include "harness/world.hpp"

using namespace harness;
namespace fs = std::filesystem;

TEST_CASE("plugins: each bad file is named with its reason, and the good ones serve") {
  const TempDir dir;
  Broker broker(dir / "broker");
  const fs::path plugins = dir / "host/plugins";
  make_plugins(plugins);
  const std::string echo = read_file(plugins / "echo.so");
  const auto with_byte = [&](std::size_t at, char byte) {
    std::string changed = echo;
    changed[at] = byte;
    return changed;
  };
  write_file(plugins / "empty.so", "");
  write_file(plugins / "text.so", "I am no plugin.\n");
  write_file(plugins / "magic.so", echo.substr(0, 4));
  write_file(plugins / "header.so", echo.substr(0, 64));
  write_file(plugins / "half.so", echo.substr(0, echo.size() / 2));
  write_file(plugins / "short.so", echo.substr(0, echo.size() * 9 / 10));
  write_file(plugins / "class32.so", with_byte(4, 1));
  write_file(plugins / "machine.so", with_byte(18, 40));
  fs::create_directories(plugins / "folder.so");
  fs::create_symlink(plugins / "nowhere", plugins / "dangling.so");
  fs::create_symlink(BOTEL_EXECUTABLE, plugins / "executable.so");
  REQUIRE(mkfifo((plugins / "fifo.so").c_str(), 0600) == 0);
  for (const std::string fault : {"has-no-note", "has-no-entry", "abi-major", "other-note", "lacks-a-symbol"}) {
    fs::create_symlink(fs::path(BOTEL_ZOO) / (fault + ".so"), plugins / (fault + ".so"));
  }
  // Not even looked at.
  write_file(plugins / "readme.txt", "text");
  write_file(plugins / ".hidden.so", "text");

  Host host(dir / "host", {.url = broker.url()});
  CHECK(host.ready() == "botel ready: " + broker.url() + ", bots echo probe sandwich");
  struct Case {
    std::string file, reason;
  };
  const std::string log = host.log();
  for (const Case& c : std::initializer_list<Case>{{"empty.so", "no ELF file"},
                                                   {"text.so", "no ELF file"},
                                                   {"magic.so", ""},
                                                   {"header.so", "cut off"},
                                                   {"half.so", "cut off"},
                                                   {"class32.so", "another kind of machine"},
                                                   {"machine.so", "another kind of machine"},
                                                   {"executable.so", "no"},
                                                   {"has-no-note.so", "no note"},
                                                   {"has-no-entry.so", "botel_entry_v1"},
                                                   {"abi-major.so", "built for ABI 99, this host speaks 1"},
                                                   {"other-note.so", "not the one of its note"},
                                                   {"lacks-a-symbol.so", "nobody_has_this"}}) {
    CAPTURE(c.file);
    const auto lines = lines_with(log, "error: " + c.file + " is refused: ");
    REQUIRE(lines.size() == 1);
    CHECK(lines.front().find(c.reason) != std::string::npos);
  }
  // No files at all; but a link may lead to a file system that is not there.
  CHECK(count(log, "folder.so") == 0);
  CHECK(count(log, "fifo.so") == 0);
  CHECK(lines_with(log, "dangling.so").size() == 1);
  CHECK(count(log, "readme.txt") == 0);
  CHECK(count(log, ".hidden") == 0);

  Client client(broker.port());
  client.subscribe("#");
  const Room room{.bot = "echo"};
  client.publish(room.requests(), request("1", "start", room.start_params()));
  CHECK(at(client.expect(room.res_pub()).payload, "result") == "OK");
  client.publish(room.from_user(), R"({"m":"hello"})");
  CHECK(at(client.expect(room.msg_pub()).payload, "m") == "you said: hello");
  CHECK(host.stop() == 0);
}

TEST_CASE("plugins: a file cut off anywhere never stops the host") {
  const TempDir dir;
  Broker broker(dir / "broker");
  const fs::path plugins = dir / "host/plugins";
  fs::create_directories(plugins);
  const std::string echo = read_file(fs::path(BOTEL_PLUGINS) / "echo.so");
  for (int i = 0; i < 40; ++i) {
    const auto size = echo.size() * static_cast<std::size_t>(i) / 40;
    write_file(plugins / ("cut-" + std::to_string(i) + ".so"), echo.substr(0, size));
  }
  fs::create_symlink(BOTEL_PROBE, plugins / "probe.so");
  Host host(dir / "host", {.url = broker.url()});
  CHECK(host.ready().find("probe") != std::string::npos);
  CHECK(host.stop() == 0);
}

TEST_CASE("plugins: a file that is written over while it is in use changes nothing") {
  const TempDir dir;
  Broker broker(dir / "broker");
  Client client(broker.port());
  client.subscribe("#");
  const fs::path plugins = dir / "host/plugins";
  fs::create_directories(plugins);
  fs::copy_file(fs::path(BOTEL_PLUGINS) / "echo.so", plugins / "echo.so");
  Host host(dir / "host", {.url = broker.url(), .bots = "[[bot]]\nid = \"*\"\nname = \"echo\"\n"});
  host.ready();
  write_file(plugins / "echo.so", std::string(100'000, 'x'));
  const Room room;
  client.publish(room.requests(), request("1", "start", room.start_params()));
  client.expect(room.res_pub());
  client.publish(room.from_user(), R"({"m":"hello"})");
  CHECK(at(client.expect(room.msg_pub()).payload, "m") == "you said: hello");
  CHECK(host.stop() == 0);
}

TEST_CASE("plugins: of two files that offer the same bot the first is taken, and the other named") {
  const TempDir dir;
  Broker broker(dir / "broker");
  const fs::path plugins = dir / "host/plugins";
  make_plugins(plugins);
  fs::copy_file(fs::path(BOTEL_PLUGINS) / "echo.so", plugins / "second-echo.so");
  Host host(dir / "host", {.url = broker.url()});
  host.ready();
  CHECK(count(host.log(), "second-echo.so is refused: echo is offered by echo.so already") == 1);
  CHECK(host.stop() == 0);
}

TEST_CASE("plugins: a bot whose file is refused is not one that no plugin offers") {
  const TempDir dir;
  Broker broker(dir / "broker");
  const fs::path plugins = dir / "host/plugins", zoo = BOTEL_ZOO;
  fs::create_directories(plugins);
  fs::copy_file(zoo / "has-no-note.so", plugins / "dice.so");
  fs::copy_file(zoo / "v1.so", plugins / "zoo.so");
  Host host(dir / "host", {.url = broker.url(), .bots = R"(
[[bot]]
id = "1"
name = "dice"
[[bot]]
id = "2"
name = "zoo"
[[bot]]
id = "3"
name = "nobody"
[plugin.dice]
sides = 6
)"});
  host.ready();
  CHECK(count(host.log(), "error: bot id 1 is not served: dice.so is refused") == 1);
  CHECK(count(host.log(), "error: bot id 3 is not served: no plugin offers nobody") == 1);
  CHECK(count(host.log(), "warning: nobody reads [plugin.dice]: dice.so is refused") == 1);
  const std::vector<std::string> command{BOTEL_EXECUTABLE, "plugins", "--data", host.data().string()};
  CHECK(Process({command, dir / "log", {}}).line("bot id 1") == "bot id 1 is not served: dice.so is refused");
  CHECK(host.stop() == 0);

  SUBCASE("and what serves instead of a file that is refused is not called by its name alone") {
    fs::copy_file(zoo / "has-no-note.so", plugins / "zoo.so", fs::copy_options::overwrite_existing);
    host.start();
    host.ready();
    CHECK(count(host.log(),
                "zoo.so is refused: it has no note of a Botel plugin; the version that was kept is tried") == 1);
    CHECK(count(host.log(), "zoo.so: zoo 1.0.0, the version that was kept, serves, 0 rooms") == 1);
    CHECK(host.stop() == 0);
  }
}

TEST_CASE("plugins: a folder that is not there is an error that names it, an empty one is not") {
  const TempDir dir;
  Broker broker(dir / "broker");
  fs::create_directories(dir / "host/plugins");
  SUBCASE("empty") {
    Host host(dir / "host", {.url = broker.url(), .bots = ""});
    CHECK(host.ready() == "botel ready: " + broker.url() + ", no bots");
    CHECK(count(host.log(), "no bot is served") == 1);
    CHECK(host.stop() == 0);
  }
  SUBCASE("not there") {
    const std::string folder = (dir / "nowhere").string();
    Host host(dir / "host", {.url = broker.url(), .plugins = folder});
    CHECK(host.process().wait() == 1);
    CHECK_FALSE(lines_with(host.log(), folder).empty());
  }
}
