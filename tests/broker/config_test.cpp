// What an operator may get wrong, on the command line and in the file.
#include <doctest/doctest.h>
#include <unistd.h>

#include "harness/world.hpp"

using namespace harness;

namespace {

// Runs `botel ARGUMENTS` to its end: its exit code; `said` is its stderr.
int botel(const TempDir& dir, std::vector<std::string> arguments, std::string& said) {
  arguments.insert(arguments.begin(), BOTEL_EXECUTABLE);
  const auto log = dir / "said";
  std::filesystem::remove(log);
  const int code = run(arguments, log);
  said = read_file(log);
  return code;
}

}  // namespace

TEST_CASE("config: all mistakes of a file are reported at once, each with its line, and nothing is started") {
  const TempDir dir;
  const std::string file = (dir / "botel.toml").string();
  write_file(dir / "botel.toml", R"([mqtt]
url = "http://127.0.0.1"
user = 7
ca = "/nowhere/ca.crt"
version = "4"
qos = 3
keepalive = "long"
password_env = "BOTEL_NO_SUCH_VARIABLE"
max_payload = 1
colour = "red"

[gitple]
requests = "s/#/a"
answers = [1, "s/+/a/#"]
idle_timeout = -1

[host]
log_level = "loud"
log_format = "xml"
threads = 0

[[bot]]
name = "echo"

[[bot]]
id = "1"

[[bot]]
id = "2"
name = "echo"
config = 7

[[bot]]
id = "2"
name = "echo"

[surprise]
x = 1
)");
  std::string said;
  CHECK(botel(dir, {"run", "--config", file, "--data", dir / "data"}, said) == 2);
  CAPTURE(said);
  struct Case {
    int line;
    std::string named;
  };
  for (const Case& c : {Case{2, "mqtt.url"},
                        {3, "mqtt.user"},
                        {4, "/nowhere/ca.crt"},
                        {5, "mqtt.version"},
                        {6, "mqtt.qos"},
                        {7, "mqtt.keepalive"},
                        {8, "BOTEL_NO_SUCH_VARIABLE"},
                        {9, "max_payload"},
                        {10, "colour"},
                        {13, "gitple.requests"},
                        {14, "gitple.answers"},
                        {15, "idle_timeout"},
                        {18, "log_level"},
                        {19, "log_format"},
                        {20, "threads"},
                        {22, "id"},
                        {25, "name"},
                        {31, "config"},
                        {33, "\"2\""},
                        {37, "surprise"}}) {
    CAPTURE(c.named);
    const auto lines = lines_with(said, file + ":" + std::to_string(c.line) + ": ");
    REQUIRE_FALSE(lines.empty());
    CHECK(lines.front().find(c.named) != std::string::npos);
  }
  CHECK(count(said, "\nbotel: ") + 1 == count(said, file));
  CHECK_FALSE(std::filesystem::exists(dir / "data"));
}

TEST_CASE("config: a file that is no TOML, or not there, is named") {
  const TempDir dir;
  const std::string file = (dir / "botel.toml").string();
  std::string said;
  CHECK(botel(dir, {"run", "--config", file}, said) == 2);
  CHECK_FALSE(lines_with(said, file).empty());
  write_file(dir / "botel.toml", "[mqtt]\nuser = \"me\"\nurl = = 7\n");
  CHECK(botel(dir, {"run", "--config", file}, said) == 2);
  CHECK_FALSE(lines_with(said, file + ":3: ").empty());
  write_file(dir / "botel.toml", "[mqtt]\nuser = \"\xff\"\n");
  CHECK(botel(dir, {"run", "--config", file}, said) == 2);
  CHECK_FALSE(lines_with(said, file + ":2: ").empty());
}

TEST_CASE("config: mistakes of the command line are reported with those of the file") {
  const TempDir dir;
  const std::string file = (dir / "botel.toml").string();
  write_file(dir / "botel.toml", "[mqtt]\nqos = 9\n");
  std::string said;
  CHECK(botel(dir, {"run", "--config", file, "--broker", "nonsense", "--bot", "echo"}, said) == 2);
  CHECK_FALSE(lines_with(said, file + ":2: ").empty());
  CHECK_FALSE(lines_with(said, "--broker").empty());
  CHECK_FALSE(lines_with(said, "--bot").empty());
}

TEST_CASE("config: urls that make no sense are refused") {
  const TempDir dir;
  for (const std::string url :
       {"127.0.0.1", "mqtt://", "mqtt://:1883", "mqtt://host:0", "mqtt://host:65536", "mqtt://host:1a",
        "mqtt://host:", "mqtt://host/path", "http://host", "ws://host", "mqtt://user:s3cr3t@host"}) {
    CAPTURE(url);
    std::string said;
    CHECK(botel(dir, {"run", "--broker", url, "--data", dir / "data"}, said) == 2);
    CHECK_FALSE(lines_with(said, "--broker").empty());
    CHECK(count(said, "s3cr3t") == 0);
  }
}

TEST_CASE("config: options that are unknown, and values that are impossible, are refused") {
  const TempDir dir;
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"dance"},
                                             {"run", "--dance"},
                                             {"run", "--broker-port", "0"},
                                             {"run", "--broker-port", "70000"},
                                             {"run", "--log-level", "loud"},
                                             {"run", "--log-format", "xml"},
                                             {"run", "--password", "x"},
                                             {"run", "--broker", "mqtt://127.0.0.1:1", "--broker-port", "1884"}}) {
    std::string said;
    CHECK(botel(dir, arguments, said) != 0);
    CHECK_FALSE(said.empty());
  }
}
