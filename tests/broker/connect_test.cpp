// `botel connect` at a terminal and from a pipe: the real program on both sides.
#include <doctest/doctest.h>
#include <signal.h>

#include "harness/pty.hpp"
#include "harness/world.hpp"

using namespace harness;

namespace {

constexpr const char* kPassword = "correct horse";

// A world with a connector that asks for much.
struct Place {
  static WorldOptions with(const std::filesystem::path& plugins) {
    make_plugins(plugins);
    std::filesystem::create_symlink(BOTEL_CLERK, plugins / "clerk.so");
    std::filesystem::create_symlink(std::filesystem::path(BOTEL_PLUGINS) / "demo.so", plugins / "demo.so");
    WorldOptions options;
    options.host.plugins = plugins;
    return options;
  }

  std::vector<std::string> connect(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command{BOTEL_EXECUTABLE, "connect", "--broker", world.broker.url()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  // What a shell makes of `COMMAND`, exit code included.
  std::string shell(const std::string& command) const {
    const auto out = folder / "shell.out";
    const int code = run({"sh", "-c", command + " >" + out.string() + " 2>&1"}, folder / "shell.log");
    return read_file(out) + "[" + std::to_string(code) + "]";
  }
  std::string connectors(const std::string& more = "") const {
    return shell(BOTEL_EXECUTABLE " connectors --data " + world.host.data().string() + more);
  }
  std::string from_pipe(const std::string& lines, const std::string& arguments) const {
    return shell("printf '" + lines + "' | " BOTEL_EXECUTABLE " connect --broker " + world.broker.url() + " " +
                 arguments);
  }

  TempDir folder;
  World world{with(folder / "plugins")};
};

// As far as the password.
void log_in(Pty& terminal) {
  terminal.see("User: ");
  terminal.type("kim\n");
  terminal.see("Password: ");
}

}  // namespace

TEST_CASE_FIXTURE(Place, "connect: what a service wants is asked for at the terminal, and a password is not shown") {
  Pty terminal(connect({"clerk", "42"}));
  terminal.see("Log in\r\nWith what the service gave you\r\n");
  log_in(terminal);
  terminal.type("tiny\n");
  terminal.see("(that is not accepted)\r\n  Password: ");
  terminal.see("Password: ");
  terminal.type("nonsense\n");
  terminal.see("That was wrong, log in again");
  log_in(terminal);
  terminal.type(std::string(kPassword) + "\n");
  terminal.see("Port (a whole number): ");
  CHECK(connectors() ==
        "TYPE   VERSION  STATE    FILE      CONNECTORS\nclerk  1.2.3    serving  clerk.so  1\n"
        "demo   1.0.0    serving  demo.so   0\n\n"
        "TYPE   ID  WAITING  STATE\nclerk  42  0        at the step details\n[0]");
  terminal.type("many\n70000\n");
  terminal.see("many\r\n70000\r\n");
  terminal.see("(that is no whole number)");
  terminal.see("Ratio (a number, or nothing): ");
  terminal.type("0.5\n");
  terminal.see("TLS (y/n): ");
  terminal.type("yes\n");
  terminal.see("    1. red\r\n    2. blue\r\nColour (1 to 2): ");
  terminal.type("2\n");
  terminal.see("PIN (or nothing): ");
  terminal.type("\n");
  terminal.see("(that is not accepted)\r\n  Port: ");
  terminal.see("Port (a whole number): ");
  terminal.type("8883\n");
  terminal.see(R"(connected as {"port":8883,"ratio":0.5,"tls":true,"colour":"blue"})");
  CHECK(terminal.wait() == 0);
  CHECK(terminal.is_as_before());
  CHECK(connectors().find("clerk  42  0        configured\n") != std::string::npos);
  CHECK(connectors(" --json") ==
        R"({"types":[{"type":"clerk","version":"1.2.3","state":"serving","file":"clerk.so"},)"
        R"({"type":"demo","version":"1.0.0","state":"serving","file":"demo.so"}],)"
        R"("connectors":[{"type":"clerk","id":"42","configured":true,"step":"","waiting":0}],"hanging":[]})"
        "\n[0]");

  // It went out as it was typed, and nowhere else.
  world.client.expect("clerk/configure/42", has("password", kPassword));
  CHECK(count(terminal.shown(), "kim") == 2);
  for (const char* secret : {"tiny", "nonsense", kPassword}) CHECK(count(terminal.shown(), secret) == 0);
  CHECK(count(world.host.log(), kPassword) == 0);
}

TEST_CASE_FIXTURE(Place, "connect: whatever ends it, the terminal is as it was") {
  struct Case {
    const char* keys;
    int signal;
    int code;
  };
  for (const auto& [keys, signal, code] : {Case{"\x03", 0, 130},
                                           {"abc\x03", 0, 130},
                                           {"\x04", 0, 1},
                                           {"\x1c", 0, 131},
                                           {"", SIGTERM, 143},
                                           {"", SIGHUP, 129}}) {
    CAPTURE(code);
    Pty terminal(connect({"clerk", "1"}));
    log_in(terminal);
    CHECK_FALSE(terminal.is_as_before());
    terminal.type(keys);
    if (signal != 0) terminal.signal(signal);
    CHECK(terminal.wait() == code);
    CHECK(terminal.is_as_before());
    CHECK(count(terminal.shown(), "the same command with the id 1 goes on") == 1);
  }
}

TEST_CASE_FIXTURE(Place, "connect: one that is stopped gives the terminal back, and hides again when it goes on") {
  Pty terminal(connect({"clerk", "1"}));
  log_in(terminal);
  terminal.type("\x1a");
  terminal.wait_for_stop();
  CHECK(terminal.is_as_before());
  terminal.signal(SIGCONT);
  terminal.see("Password: ");
  terminal.type(std::string(kPassword) + "\n");
  terminal.see("Port (a whole number): ");
  CHECK(count(terminal.shown(), kPassword) == 0);
  terminal.type("\x04");
  CHECK(terminal.wait() == 1);
}

TEST_CASE_FIXTURE(Place, "connect: a script answers in lines, and a password does not show up there either") {
  CHECK(from_pipe("kim\\ncorrect horse\\n1\\n\\nn\\nred\\n\\n", "clerk 42") ==
        "Log in\nWith what the service gave you\n> User: kim\n> Password: (hidden)\nDetails\n> Port: 1\n> Ratio: \n"
        "> TLS: n\n    1. red\n    2. blue\n> Colour: red\n> PIN: (hidden)\n"
        "connected as {\"port\":1,\"tls\":false,\"colour\":\"red\"} (clerk)\n[0]");
  CHECK(from_pipe("", "clerk 42 --delete") == "deleted\n[0]");
  CHECK(connectors().find("there are no connectors yet: `botel connect clerk` makes one") != std::string::npos);
  CHECK(from_pipe("kim\\n", "clerk 42")
            .ends_with("left before it was configured; the same command with the id 42 goes on\n[1]"));
  CHECK(from_pipe("nobody\\n12345678\\n", "clerk 43").ends_with("no such user (404)\n[1]"));
}

TEST_CASE_FIXTURE(Place, "connect: the demo service is connected to as the protocol's example has it") {
  CHECK(from_pipe("+491711234567\\n", "demo 42") ==
        "Phone\nA phone number to start configuration of the moca demo service\n"
        "  Phone number in international format\n  such as +491711234567, +442071838750\n"
        "> Phone number: +491711234567\nconnected as Jon Doe (jon.doe, +491711234567)\n[0]");
  world.client.expect("moca/via/demo/42/contacts");
}

TEST_CASE_FIXTURE(Place, "connect: an id that it makes up is told, so that it can be deleted") {
  const std::string said = from_pipe("", "clerk");
  const std::string begin = "connector ";
  REQUIRE(said.starts_with(begin));
  const std::string id = said.substr(begin.size(), said.find(' ', begin.size()) - begin.size());
  CHECK(said.starts_with(begin + id + " (the same command with this id and --delete deletes it)\n"));
  CHECK(connectors().find("clerk  " + id) != std::string::npos);
  CHECK(from_pipe("", "clerk " + id + " --delete") == "deleted\n[0]");
  CHECK(connectors().find(id) == std::string::npos);
}

TEST_CASE("connect: the host of a data directory is found with its private broker") {
  const TempDir dir;
  make_plugins(dir / "plugins");
  std::filesystem::create_symlink(BOTEL_CLERK, dir / "plugins/clerk.so");
  Host host(dir / "host", {.arguments = {"--broker-port", std::to_string(free_port())}, .plugins = dir / "plugins"});
  host.ready();
  Pty terminal({BOTEL_EXECUTABLE, "connect", "clerk", "--data", host.data()});
  log_in(terminal);
  terminal.type("\x04");
  CHECK(terminal.wait() == 1);
  CHECK(host.stop() == 0);
}

TEST_CASE("connect: what cannot be is said, and the exit code is not 0") {
  const TempDir dir;
  const auto fails = [&](const std::string& arguments) {
    return run({"sh", "-c", BOTEL_EXECUTABLE " " + arguments + " </dev/null"}, dir / "log");
  };
  CHECK(fails("connect") == 2);
  CHECK(fails("connect s") == 2);
  CHECK(fails("connect clerk a/b") == 2);
  CHECK(fails("connect clerk --delete") == 2);
  CHECK(fails("connect clerk --broker http://x") == 2);
  CHECK(fails("connectors --data " + dir.path().string()) == 1);
  CHECK(fails("connect clerk --broker mqtt://127.0.0.1:" + std::to_string(free_port())) == 1);
  CHECK(count(read_file(dir / "log"), ": no connection to the broker (") == 1);
}
