// Plugins are dropped in, replaced, removed and rolled back while people talk to them.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <map>

#include "harness/control.hpp"
#include "harness/world.hpp"
#include "plain_ends.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

const fs::path kZoo = BOTEL_ZOO;
constexpr auto kZooBot = "[[bot]]\nid = \"1\"\nname = \"zoo\"\n";

// Runs a command: its exit code; `said` is all that it prints.
int run_to(const fs::path& file, const std::vector<std::string>& command, std::string& said) {
  fs::remove(file);
  std::vector<std::string> all{"sh", "-c", "exec \"$@\" >&2", "sh"};
  all.insert(all.end(), command.begin(), command.end());
  const int code = run(all, file);
  said = read_file(file);
  return code;
}

// A host with a file of the zoo in its plugins folder, and a room that talks to it.
struct Scene {
  explicit Scene(const std::string& first = "v1", HostOptions options = {.bots = kZooBot})
      : world([&] {
          let_children_end_plainly();
          fs::create_directory(plugins);
          fs::permissions(plugins, fs::perms(0755));
          if (!first.empty()) put(first);
          options.plugins = plugins.string();
          return WorldOptions{.host = options};
        }()) {
    world.start(room);
  }

  void put(const std::string& variant, const std::string& name = "zoo.so") const {
    fs::copy_file(kZoo / (variant + ".so"), plugins / name, fs::copy_options::overwrite_existing);
  }
  // Says something until it is answered with `text`: a file is taken over some time after it was written.
  void hear(const std::string& text) {
    const std::string word = text.substr(text.find(' ') + 1);
    wait_until("\"" + text + "\"", [&] {
      world.tell(room, word);
      const Received answer = world.client.expect(room.msg_pub(), contains(word), "an answer to " + word);
      return at(answer.payload, "m") == text;
    });
  }
  // Runs `botel ARGUMENTS --data DIR`: its exit code; `said` is what it prints.
  int botel(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BOTEL_EXECUTABLE);
    arguments.insert(arguments.end(), {"--data", world.host.data().string()});
    return run_and_read(arguments);
  }
  int run_and_read(const std::vector<std::string>& command) { return run_to(dir / "said", command, said); }

  TempDir dir;
  fs::path plugins = dir / "plugins";
  Room room;
  World world;
  std::string said;
};

struct Way {
  std::string name;
  std::vector<std::string> command;  // FROM and TO stand for the files, DIR for a folder of the test's
};

std::vector<std::string> filled_in(const Way& way, const std::map<std::string, std::string>& words) {
  std::vector<std::string> command = way.command;
  for (std::string& argument : command) {
    for (const auto& [word, value] : words) {
      for (auto at = argument.find(word); at != std::string::npos; at = argument.find(word, at + value.size())) {
        argument.replace(at, word.size(), value);
      }
    }
  }
  return command;
}

}  // namespace

TEST_CASE("reload: however a file is written, the next message is answered by the new version in the same room") {
  Scene scene;
  const TempDir other_disk = TempDir();
  const fs::path memory = "/dev/shm/" + scene.dir.path().filename().string();
  fs::create_directory(memory);
  const auto sh = [](const std::string& line) { return std::vector<std::string>{"sh", "-ec", line}; };
  const Way ways[] = {{"cp", {"cp", "FROM", "TO"}},
                      {"mv on one file system", sh("cp FROM DIR/moved.so; mv DIR/moved.so TO")},
                      {"mv from another file system", sh("cp FROM MEMORY/moved.so; mv MEMORY/moved.so TO")},
                      {"install", {"install", "-m", "755", "FROM", "TO"}},
                      {"tar", sh("cp FROM DIR/zoo.so; tar -C DIR -cf DIR/a.tar zoo.so; tar -C PLUGINS -xf DIR/a.tar")},
                      {"dd", {"dd", "if=FROM", "of=TO", "conv=notrunc", "status=none"}},
                      {"rsync", {"rsync", "FROM", "TO"}},
                      {"rsync --inplace", {"rsync", "--inplace", "FROM", "TO"}},
                      {"cmake -E copy", {"cmake", "-E", "copy", "FROM", "TO"}},
                      {"cmake --install", sh("cp FROM DIR/zoo.so; touch -d @1 DIR/zoo.so; cmake -S DIR/project -B "
                                             "DIR/build >DIR/log; cmake --install DIR/build "
                                             "--prefix PLUGINS >DIR/log")},
                      {"ld", sh("ld -shared --version-script=MAP -z now -o TO DIR/VERSION.o")},
                      {"rm and cp", sh("rm TO; cp FROM TO")},
                      {"ln -sf", {"ln", "-sf", "FROM", "TO"}}};
  fs::create_directory(scene.dir / "project");
  write_file(scene.dir / "project/CMakeLists.txt",
             "cmake_minimum_required(VERSION 3.20)\nproject(p NONE)\ninstall(FILES ../zoo.so DESTINATION .)\n");
  const std::string compile = std::string(BOTEL_C_COMPILER) + " -c -fPIC -fvisibility=hidden -I " BOTEL_SOURCE_DIR
                                                              "/sdk/include " BOTEL_SOURCE_DIR "/tests/zoo/zoo.c";
  for (const std::string version : {"1.0.0", "2.0.0"}) {
    const std::string define = " -DZOO_VERSION='\"" + version + "\"' -o " + (scene.dir / (version + ".o")).string();
    REQUIRE(scene.run_and_read(sh(compile + define)) == 0);
  }
  int count = 0;
  for (const Way& way : ways) {
    CAPTURE(way.name);
    const bool is_second = ++count % 2 == 1;
    const std::string version = is_second ? "2.0.0" : "1.0.0";
    const auto command = filled_in(way, {{"FROM", (kZoo / (is_second ? "v2.so" : "v1.so")).string()},
                                         {"PLUGINS", scene.plugins.string()},
                                         {"TO", (scene.plugins / "zoo.so").string()},
                                         {"DIR", scene.dir.path().string()},
                                         {"MEMORY", memory.string()},
                                         {"VERSION", version},
                                         {"MAP", BOTEL_SOURCE_DIR "/sdk/cmake/plugin.map"}});
    const int code = scene.run_and_read(command);
    CHECK_MESSAGE(code == 0, scene.said);
    scene.hear(version + " " + std::to_string(count));
  }
  fs::remove_all(memory);
  CHECK(scene.botel({"plugins"}) == 0);
  CHECK(harness::count(scene.said, "still in memory") == 0);
}

TEST_CASE("reload: SIGHUP and `botel reload` take a file over at once") {
  Scene scene;
  scene.put("v2");
  SUBCASE("the command") {
    CHECK(scene.botel({"reload"}) == 0);
    CHECK(scene.said == "zoo.so: zoo 2.0.0 takes over from zoo 1.0.0\n");
  }
  SUBCASE("the command with a name") {
    CHECK(scene.botel({"reload", "zoo"}) == 0);
    CHECK(scene.botel({"reload", "nobody"}) == 1);
    CHECK(scene.said == "no plugin has the name nobody\n");
  }
  SUBCASE("the signal") {
    scene.world.host.process().signal(SIGHUP);
    scene.world.host.process().wait_for_log("takes over");
  }
  scene.hear("2.0.0 hello");
}

TEST_CASE("reload: a refused file is named in the log, in `botel plugins` and by `botel reload`, and nothing changes") {
  Scene scene;
  scene.put("crashes-when-made");
  scene.world.host.process().wait_for_log("zoo.so is refused: when it was tried, making zoo ended with signal 11");
  CHECK(count(scene.world.host.log(), "; zoo 1.0.0 goes on") == 1);
  scene.hear("1.0.0 hello");
  CHECK(scene.botel({"reload"}) == 1);
  CHECK(count(scene.said, "signal 11") == 1);
  CHECK(scene.botel({"plugins"}) == 0);
  CHECK(count(scene.said, "refused: when it was tried") == 1);
  CHECK(scene.botel({"plugins", "--json"}) == 0);
  REQUIRE(is_json(scene.said));
  CHECK(count(scene.said, R"("name":"zoo","kind":"bot","version":"1.0.0","abi":"1.0","state":"serving")") == 1);
  CHECK(count(scene.said, R"("generation":1,"rooms":1,"calls":2,"errors":0)") == 1);
  CHECK(scene.botel({"check", (kZoo / "v2.so").string()}) == 0);
  CHECK(count(scene.said, "zoo 2.0.0: a bot for ABI 1.0") == 1);
  CHECK(count(scene.said, "as zoo.so, it would take over from zoo 1.0.0\n") == 1);
  fs::remove(scene.plugins / "zoo.so");
  scene.put("v1");
  CHECK(scene.botel({"reload"}) == 0);
  scene.put("v2");
  CHECK(scene.botel({"reload"}) == 0);
  CHECK(scene.botel({"rollback", "zoo"}) == 0);
  write_file(scene.dir / "botel.toml", "[host]\ndata = \"" + scene.world.host.data().string() + "\"\n");
  CHECK(scene.run_and_read({BOTEL_EXECUTABLE, "plugins", "--config", (scene.dir / "botel.toml").string()}) == 0);
  CHECK(count(scene.said, "zoo.so in the folder is another one, and is refused: it was rolled back") == 1);
}

TEST_CASE("reload: `botel check` works without a host, as far as that can be known") {
  let_children_end_plainly();
  const TempDir dir;
  std::string said;
  const auto botel = [&](const std::string& command, const fs::path& file = {}) {
    std::vector<std::string> words{BOTEL_EXECUTABLE, command, "--data", (dir / "none").string()};
    if (!file.empty()) words.push_back(file.string());
    return run_to(dir / "said", words, said);
  };
  CHECK(botel("check", kZoo / "v1.so") == 0);
  CHECK(count(said, "v1.so: zoo 1.0.0: a bot for ABI 1.0") == 1);
  CHECK(count(said, "no host is running") == 1);
  CHECK(botel("check", kZoo / "crashes-when-loaded.so") == 1);
  CHECK(count(said, "signal 11") == 1);
  CHECK(botel("check", kZoo / "missing.so") == 1);
  CHECK(botel("plugins") == 1);
  CHECK(count(said, "no host is running on the data directory") == 1);
}

TEST_CASE("reload: a version that fails is rolled back by itself, and by hand another one") {
  Scene scene("v1", {.host = "probation_failures = 2\nprobation = 600", .bots = kZooBot});
  scene.put("fails");
  CHECK(scene.botel({"reload"}) == 0);
  for (int i = 0; i < 2; ++i) scene.world.tell(scene.room, "hello");
  scene.world.host.process().wait_for_log("zoo 1.0.0 takes over again from zoo 2.0.0");
  scene.hear("1.0.0 again");
  scene.put("v3");
  CHECK(scene.botel({"reload"}) == 0);
  CHECK(scene.botel({"rollback", "zoo"}) == 0);
  CHECK(scene.said == "zoo.so: zoo 1.0.0 takes over again from zoo 3.0.0\n");
  scene.hear("1.0.0 at last");
  CHECK(scene.botel({"rollback", "zoo"}) == 1);
  scene.world.restart_host();
  scene.hear("1.0.0 as before");
}

TEST_CASE("reload: a version in which the host crashed shortly after it took over is rolled back at the next start") {
  Scene scene("v1", {.store = "durability = \"strict\"\n", .bots = kZooBot});
  scene.hear("1.0.0 hello");
  scene.put("v2");
  CHECK(scene.botel({"reload"}) == 0);
  scene.world.tell(scene.room, "crash");
  CHECK(scene.world.host.process().wait() == -SIGSEGV);
  scene.world.host.start();
  // The event is tried once more, by the version that is trusted, which crashes on it just as well.
  CHECK(scene.world.host.process().wait() == -SIGSEGV);
  CHECK(count(scene.world.host.log(), "the host has crashed in this version") == 1);
  scene.world.start_host();
  scene.hear("1.0.0 and on it goes");
}

TEST_CASE("reload: a crash is told by the next start, and not by those after it") {
  Scene scene("v1", {.store = "durability = \"off\"\n", .bots = kZooBot});
  scene.world.tell(scene.room, "crash");
  CHECK(scene.world.host.process().wait() == -SIGSEGV);
  scene.world.start_host();
  CHECK(count(scene.world.host.log(), ": cause of 1 end of the host, last by signal 11; running at 0 other ends") == 1);
  scene.world.restart_host();
  CHECK(count(scene.world.host.log(), "crash") == 0);
}

TEST_CASE("reload: rooms of a bot whose file is taken away wait, and new ones are refused, until it is back") {
  Scene scene;
  scene.hear("1.0.0 hello");
  fs::remove(scene.plugins / "zoo.so");
  scene.world.host.process().wait_for_log("zoo: 1 room waiting");
  CHECK(at(scene.world.start({.room = "other"}).payload, "error.code") == "-32001");
  scene.world.tell(scene.room, "while you were out");
  CHECK(scene.botel({"plugins"}) == 0);
  CHECK(count(scene.said, "the bot zoo is not there: 1 room waiting") == 1);
  scene.world.restart_host();
  scene.world.tell(scene.room, "state");
  scene.put("v2");
  scene.world.hear(scene.room, "2.0.0 while you were out");
  scene.world.hear(scene.room, "2.0.0");
  CHECK(at(scene.world.start({.room = "other"}).payload, "result") == "OK");
}

TEST_CASE("reload: rooms whose state a version cannot read begin anew when the operator says so") {
  Scene scene;
  scene.hear("1.0.0 hello");
  scene.put("reads-2-only");
  CHECK(scene.botel({"reload", "zoo"}) == 1);
  CHECK(count(scene.said, "cannot read those of 1 room:") == 1);
  CHECK(scene.botel({"reload", "zoo", "--restart-rooms"}) == 0);
  scene.world.hear(scene.room, "2.0.0 start");
  scene.hear("2.0.0 hello");
  scene.world.restart_host();
  scene.hear("2.0.0 again");
}

TEST_CASE("reload: the configuration file is taken over like a plugin, where it has no mistake") {
  Scene scene("wants-a-greeting", {.bots = std::string(kZooBot) + "[plugin.zoo]\ngreeting = \"hi\"\n"});
  scene.hear("2.0.0 hello");
  const fs::path file = scene.world.dir / "host/botel.toml";
  const std::string good = read_file(file);
  const auto replaced = [&](const std::string& by) {
    std::string text = good;
    return text.replace(text.find("greeting = \"hi\""), 15, by);
  };
  write_file(file, replaced("greeting = \"hello\""));
  scene.world.host.process().wait_for_log("zoo 2.0.0 goes on with another configuration", 1);
  write_file(file, replaced("greeting = 7"));
  scene.world.host.process().wait_for_log(
      "zoo.so with another configuration is refused: its configuration is wrong: /greeting");
  CHECK(count(scene.world.host.log(), "hi") == 0);
  write_file(file, replaced("greeting ="));
  scene.world.host.process().wait_for_log("the configuration stays as it was");
  CHECK(scene.botel({"reload"}) == 1);
  CHECK(count(scene.said, "botel.toml:") == 1);
  write_file(file, replaced("greeting = \"hi\"") + "[[bot]]\nid = \"2\"\nname = \"zoo\"\n");
  CHECK(scene.botel({"reload"}) == 0);
  CHECK(at(scene.world.start({.bot = "2"}).payload, "result") == "OK");
  scene.hear("2.0.0 still");
}

TEST_CASE(
    "reload: a bot that goes while its handlers run, and its room ends, leaves the host and the next room alone") {
  Scene scene;
  const fs::path go = scene.dir / "go";
  Room other{.room = "other"};
  SUBCASE("a message") {
    scene.world.tell(scene.room, "until " + go.string());
    scene.world.host.process().wait_for_log("has been running for");
    fs::remove(scene.plugins / "zoo.so");
    scene.world.host.process().wait_for_log("zoo: 1 room waiting");
    scene.world.client.publish(scene.room.requests(), request("2", "end", scene.room.end_params()));
  }
  SUBCASE("a start") {
    other.commands = "until " + go.string();
    scene.world.client.publish(other.requests(), request("2", "start", other.start_params()));
    scene.world.host.process().wait_for_log("has been running for");
    fs::remove(scene.plugins / "zoo.so");
    scene.world.host.process().wait_for_log("zoo: 2 rooms waiting");
  }
  write_file(go, "");
  const Received answer = scene.world.client.expect(scene.room.res_pub(), contains(R"("id":2)"), "the answer");
  CHECK(at(answer.payload, "result") == "OK");
  scene.put("v1");
  wait_until("the bot is back", [&] { return at(scene.world.start({.room = "third"}).payload, "result") == "OK"; });
}

TEST_CASE("reload: while a bot gets another configuration, rooms start as before, and also when it is refused") {
  Scene scene("wants-a-greeting", {.bots = std::string(kZooBot) + "[plugin.zoo]\ngreeting = \"hi\"\n"});
  const fs::path file = scene.world.dir / "host/botel.toml";
  const std::string good = read_file(file);
  const auto with = [&](const std::string& config) {
    std::string text = good;
    return text.insert(text.find("[plugin.zoo]"), "config = " + config + "\n");
  };
  int rooms = 0;
  const auto start_rooms_until = [&](const std::string& line) {
    while (count(scene.world.host.log(), line) == 0) {
      const auto answer = scene.world.start({.room = "r" + std::to_string(++rooms)}).payload;
      REQUIRE_MESSAGE(at(answer, "result") == "OK", answer);
    }
  };
  write_file(file, with("{ greeting = 7 }"));
  start_rooms_until("with another configuration is refused: its configuration is wrong");
  write_file(file, with("{ greeting = \"hello\" }"));
  start_rooms_until("goes on with another configuration");
  REQUIRE(rooms > 0);
}

TEST_CASE("reload: what has crashed the host twice while it was loaded is left out until somebody asks for it") {
  Scene scene;
  scene.put("crashes-in-the-host", "other.so");
  CHECK(scene.world.host.process().wait() == -SIGSEGV);
  scene.world.host.start();
  CHECK(scene.world.host.process().wait() == -SIGSEGV);
  scene.world.start_host();
  scene.world.host.process().wait_for_log("other.so is refused: it has crashed the host while it was being loaded");
  scene.hear("1.0.0 hello");
  const fs::path file = scene.world.dir / "host/botel.toml";
  write_file(file, read_file(file) + "[plugin.zoo]\nany = 1\n");
  scene.world.host.process().wait_for_log("goes on with another configuration");
  CHECK(scene.botel({"reload"}) == 1);
  CHECK(count(scene.said, "it has crashed the host") == 1);
  scene.hear("1.0.0 and on it goes");
}

TEST_CASE("reload: while a constructor does not return, new threads handle events, and the host can be stopped") {
  Scene scene;
  scene.put("hangs-in-the-host", "other.so");
  wait_until("it to be loaded",
             [&] { return count(read_file(scene.world.host.data() / "running"), "plugin other, loading") > 0; });
  const fs::path go = scene.dir / "go";
  for (const std::string name : {"21", "22", "23", "24"}) {
    const Room slow{.room = name};
    scene.world.start(slow);
    scene.world.tell(slow, "until " + go.string());
  }
  scene.hear("1.0.0 hello");
  CHECK(scene.botel({"plugins"}) == 0);
  CHECK(count(scene.said, "other.so is not loaded: it is being tried, or loaded") == 1);
  write_file(go, "");
  const auto begin = std::chrono::steady_clock::now();
  CHECK(scene.world.host.stop() == 1);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
  CHECK(count(scene.world.host.log(), "a plugin does not return from being loaded") == 1);
}

TEST_CASE("reload: what only the next start can take, and what nobody reads, is named") {
  Scene scene;
  const fs::path file = scene.world.dir / "host/botel.toml";
  std::string text = read_file(file);
  write_file(file, text.replace(text.find("[host]\n"), 7, "[host]\nprobation = 7\n") + "[plugin.zooo]\nany = 1\n");
  scene.world.host.process().wait_for_log("what has changed in [host] is taken at the next start");
  scene.world.host.process().wait_for_log("nobody reads [plugin.zooo]: no plugin offers zooo");
}

TEST_CASE("control: only root and the host's user get an answer, and only to what is a question") {
  Scene scene;
  const fs::path data = scene.world.host.data(), socket = data / "control";
  struct stat found {};
  REQUIRE(stat(socket.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  for (const std::string question : {"no JSON", "[]", "{}", R"({"command":"dance"})", R"({"command":7})"}) {
    CAPTURE(question);
    CHECK(ask(data, question + "\n").starts_with(R"({"error":)"));
  }
  // A flood without an end of line, and somebody who says nothing and goes.
  CHECK(ask(data, std::string(1'000'000, '0')).empty());
  for (int i = 0; i < 100; ++i) ask(data, R"({"command":"plugins"})", false);
  if (geteuid() == 0) {
    for (const fs::path& path : {scene.world.dir.path(), scene.world.dir / "host", data}) {
      fs::permissions(path, fs::perms(0755));
    }
    fs::permissions(socket, fs::perms(0666));
    CHECK(scene.run_and_read({"setpriv", "--reuid=65534", "--clear-groups", BOTEL_EXECUTABLE, "plugins", "--data",
                              data.string()}) == 1);
    scene.world.host.process().wait_for_log("neither root nor the host's user");
  }
  CHECK(scene.botel({"plugins"}) == 0);
  scene.hear("1.0.0 hello");
}

TEST_CASE("control: a host that is stopped keeps nobody waiting, whatever it is asked") {
  Scene scene;
  fs::copy_file(kZoo / "other.so", scene.dir / "other.so");
  const std::vector<std::vector<std::string>> all{
      {"plugins"}, {"connectors"}, {"check", (scene.dir / "other.so").string()}, {"reload"}, {"rollback", "zoo"}};
  scene.world.host.process().signal(SIGSTOP);
  std::vector<std::unique_ptr<Process>> commands;
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::vector<std::string> command{BOTEL_EXECUTABLE};
    command.insert(command.end(), all[i].begin(), all[i].end());
    command.insert(command.end(), {"--data", scene.world.host.data().string()});
    commands.push_back(std::make_unique<Process>(Process::Options{command, scene.dir / std::to_string(i), {}}));
  }
  for (const auto& command : commands) {
    CHECK(command->wait() == 1);
    CHECK(count(command->log(), "gives no sign of life") == 1);
  }
  scene.world.host.process().signal(SIGCONT);
  CHECK(scene.botel({"plugins"}) == 0);
}
