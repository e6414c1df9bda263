#include "app/config.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "temp_folder.hpp"

using namespace botel;

namespace {

// The mistakes in `text`, without the file's name.
app::Mistakes mistakes(const std::string& text, app::Config& config) {
  const TempFolder folder;
  const auto file = folder.write("botel.toml", text);
  auto found = app::read_config(file, config);
  for (auto& mistake : found) mistake.erase(0, file.string().size() + 1);
  return found;
}

}  // namespace

TEST_CASE("config: every value of a file is taken over") {
  const TempFolder folder;
  const auto password = folder.write("password", "secret\nmore\n");
  app::Config config;
  CHECK(mistakes(fmt::format(R"(
[mqtt]
url = "mqtts://broker.example.com:8884"
user = "me"
password_file = "{0}"
ca = "{0}"
cert = "{0}"
key = "{0}"
client_id = "botel-1"
version = "3.1.1"
qos = 0
keepalive = 60
max_payload = 2048
max_waiting = 4096
session_expiry = 3600
[store]
durability = "strict"
[gitple]
requests = ["s/1/a/1/t/1/req/#", "s/1/a/1/t/2/req/#"]
answers = "s/1/a/1/u/+/r/+/res/#"
idle_timeout = 1.5
answer_timeout = 5
leave_timeout = 6
drop_repeats = "10s"
[host]
plugins = "/plugins"
data = "/data"
plugin_copies = "/copies"
plugins_writable_by_others = true
data_writable_by_others = true
log_level = "debug"
log_format = "json"
threads = 4
slow_handler = 0.5
probation = 90
probation_failures = 7
probe_time = 2.5
[[bot]]
id = "1"
name = "echo"
[[bot]]
id = "*"
name = "sandwich"
config = {{ price = 3.5, names = ["a"] }}
[plugin.echo]
greeting = "Hi"
)",
                             password.string()),
                 config) == app::Mistakes{});
  CHECK(config.mqtt.host == "broker.example.com");
  CHECK(config.mqtt.port == 8884);
  CHECK(config.mqtt.tls);
  CHECK(config.mqtt.user == "me");
  CHECK(config.mqtt.password == "secret");
  CHECK(config.mqtt.client_id == "botel-1");
  CHECK(config.mqtt.version == 3);
  CHECK(config.mqtt.qos == 0);
  CHECK(config.mqtt.keepalive == std::chrono::seconds(60));
  CHECK(config.mqtt.max_payload == 2048);
  CHECK(config.mqtt.max_waiting == 4096);
  CHECK(config.mqtt.session_expiry == std::chrono::hours(1));
  CHECK(config.durability == app::Durability::strict);
  CHECK(config.slow_handler == std::chrono::milliseconds(500));
  CHECK(config.gitple.requests.size() == 2);
  CHECK(config.gitple.answers == std::vector<std::string>{"s/1/a/1/u/+/r/+/res/#"});
  CHECK(config.gitple.idle == std::chrono::milliseconds(1500));
  CHECK(config.gitple.answer_timeout == std::chrono::seconds(5));
  CHECK(config.gitple.leave_timeout == std::chrono::seconds(6));
  CHECK(config.gitple.drop_repeats == std::chrono::seconds(10));
  CHECK(config.plugins == "/plugins");
  CHECK(config.data == "/data");
  CHECK(config.plugin_copies == "/copies");
  CHECK(config.plugins_writable_by_others);
  CHECK(config.data_writable_by_others);
  CHECK(config.log_level == log::Level::debug);
  CHECK(config.log_format == log::Format::json);
  CHECK(config.threads == 4);
  REQUIRE(config.bots.rows.size() == 2);
  CHECK_FALSE(config.bots.rows[0].config);
  CHECK(config.bots.rows[1].id == "*");
  CHECK(config.bots.rows[1].config->find("3.5") != std::string::npos);
  REQUIRE(config.bots.configs.size() == 1);
  CHECK(config.bots.configs.at("echo").find("Hi") != std::string::npos);
  CHECK(config.probation == std::chrono::seconds(90));
  CHECK(config.probation_failures == 7);
  CHECK(config.probe_time == std::chrono::milliseconds(2500));
}

TEST_CASE("config: all mistakes are told at once, each with its line") {
  app::Config config;
  const auto found = mistakes(R"([mqtt]
url = "http://x"
qos = 3
version = "4"
port = 5
[gitple]
requests = ["a/#/b", 5]
idle_timeout = 0
[host]
log_level = "loud"
threads = "many"
data_writable_by_others = "yes"
[[bot]]
id = "1"
[[bot]]
id = "1"
name = "x"
config = 5
[[bot]]
name = "y"
[more]
[store]
durability = "on"
[plugin]
x = 1
)",
                              config);
  const auto has = [&](std::string_view mistake) {
    CAPTURE(mistake);
    CHECK(std::ranges::count(found, mistake) == 1);
  };
  has("2: mqtt.url: a broker is written mqtt://HOST:PORT or mqtts://HOST:PORT");
  has("3: mqtt.qos must be a whole number from 0 to 1");
  has("4: mqtt.version must be \"5\" or \"3.1.1\"");
  has("5: mqtt has no key \"port\"");
  CHECK(found.size() == 17);
  has(R"(8: gitple.idle_timeout must be a time from 0.001 to 10000000 seconds: a number of them, or a text like "500ms", "10s", "5m", "1h" or "1d")");
  has("10: host.log_level must be debug, info, warning or error");
  has("11: host.threads must be a whole number from 2 to 1000");
  has("12: host.data_writable_by_others must be true or false");
  has("13: [[bot]] needs a name: that of a bot");
  has("15: [[bot]] id \"1\" is there twice");
  has("18: [[bot]] config must be a table");
  has("19: [[bot]] needs an id: a Gitple bot id, or \"*\" for the rest");
  has("23: store.durability must be off, relaxed or strict");
  has("25: [plugin.x] must be a table");
  has("21: the file has no key \"more\"");
}

TEST_CASE("config: every time is a number of seconds, or a text with a unit") {
  using namespace std::chrono_literals;
  const auto idle = [](const std::string& value) {
    app::Config config;
    config.gitple.idle = 0ms;
    const auto found = mistakes("[gitple]\nidle_timeout = " + value + "\n", config);
    CHECK(found.empty() == (config.gitple.idle != 0ms));
    return config.gitple.idle;
  };
  for (const auto& [value, time] : std::vector<std::pair<std::string, std::chrono::milliseconds>>{{"10", 10s},
                                                                                                  {"0.5", 500ms},
                                                                                                  {"\"500ms\"", 500ms},
                                                                                                  {"\"10s\"", 10s},
                                                                                                  {"\"1.5m\"", 90s},
                                                                                                  {"\"1h\"", 1h},
                                                                                                  {"\"7d\"", 7 * 24h},
                                                                                                  {"\"0.001s\"", 1ms},
                                                                                                  {"\"0010s\"", 10s}}) {
    CAPTURE(value);
    CHECK(idle(value) == time);
  }
  for (const std::string value :
       {"0",        "-1",        "1e8",       "true",    "[1]",        "\"\"",     "\"10\"",   "\"s\"",
        "\"10 s\"", "\"10sec\"", "\"-1s\"",   "\"+1s\"", "\"1e3s\"",   "\"0x1s\"", "\"infs\"", "\"nans\"",
        "\"0ms\"",  "\"0.4ms\"", "\"1h30m\"", "\"1S\"",  "\"1.2.3s\"", "\"200d\"", "10:00:00", "nan"}) {
    CAPTURE(value);
    CHECK(idle(value) == 0ms);
  }

  app::Config config;
  CHECK(mistakes(R"([mqtt]
session_expiry = "7d"
keepalive = "1m"
[gitple]
answer_timeout = "5s"
leave_timeout = "6s"
[moca]
step_timeout = "15m"
answer_timeout = "2s"
longest_answer = "3s"
[host]
slow_handler = "50ms"
probation = "2m"
probe_time = "4s"
)",
                 config)
            .empty());
  CHECK(config.mqtt.session_expiry == 7 * 24h);
  CHECK(config.mqtt.keepalive == 1min);
  CHECK(config.gitple.answer_timeout == 5s);
  CHECK(config.gitple.leave_timeout == 6s);
  CHECK_FALSE(config.gitple.drop_repeats);
  CHECK(config.moca.step_timeout == 15min);
  CHECK(config.moca.answer_timeout == 2s);
  CHECK(config.moca.longest_answer == 3s);
  CHECK(config.slow_handler == 50ms);
  CHECK(config.probation == 2min);
  CHECK(config.probe_time == 4s);
  CHECK(mistakes("[mqtt]\nkeepalive = \"4s\"\nsession_expiry = 59\n", config).size() == 2);
}

TEST_CASE("config: a file that is not TOML, or not there, is a mistake") {
  app::Config config;
  const auto found = mistakes("[mqtt]\nurl = \n", config);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("2: "));
  CHECK(app::read_config("/nowhere/botel.toml", config) == app::Mistakes{"/nowhere/botel.toml: cannot be read"});
  CHECK(app::read_config("/tmp", config) == app::Mistakes{"/tmp: cannot be read"});
}

TEST_CASE("config: a password comes from the environment, and a missing one is a mistake") {
  app::Config config;
  setenv("BOTEL_TEST_PASSWORD", "secret", 1);
  CHECK(mistakes("[mqtt]\npassword_env = \"BOTEL_TEST_PASSWORD\"\n", config) ==
        app::Mistakes{"2: mqtt.password_env needs mqtt.user"});
  CHECK(mistakes("[mqtt]\npassword_env = \"BOTEL_TEST_PASSWORD\"\nuser = \"me\"\n", config).empty());
  CHECK(config.mqtt.password == "secret");
  CHECK(mistakes("[mqtt]\npassword_env = \"BOTEL_TEST_NOTHING\"\n", config) ==
        app::Mistakes{"2: mqtt.password_env: the environment has no BOTEL_TEST_NOTHING"});
  CHECK(mistakes("[mqtt]\npassword = \"x\"\n", config) == app::Mistakes{"2: mqtt has no key \"password\""});
}

TEST_CASE("config: what an editor or a shell puts around a password is taken off, once") {
  struct Case {
    std::string text, password;
  };
  for (const Case& c : {Case{"secret", "secret"},
                        {"secret\n", "secret"},
                        {"secret\r\n", "secret"},
                        {"\uFEFFsecret\r\n", "secret"},
                        {"\uFEFF\uFEFFsecret", "\uFEFFsecret"},
                        {" secret \n", " secret "},
                        {"secret\r\r\n", "secret\r"}}) {
    CAPTURE(c.text);
    const TempFolder folder;
    for (const std::string& rest : {std::string(), std::string("another line\n")}) {
      if (!rest.empty() && !c.text.ends_with('\n')) continue;
      app::Config config;
      const auto file = folder.write("password", c.text + rest);
      CHECK(mistakes(fmt::format("[mqtt]\nuser = \"me\"\npassword_file = \"{}\"\n", file.string()), config).empty());
      CHECK(config.mqtt.password == c.password);
    }
    app::Config config;
    setenv("BOTEL_TEST_PASSWORD", c.text.c_str(), 1);
    CHECK(mistakes("[mqtt]\nuser = \"me\"\npassword_env = \"BOTEL_TEST_PASSWORD\"\n", config).empty());
    CHECK(config.mqtt.password == c.password);
  }
}

TEST_CASE("config: a password file in UTF-16, as some shells write it, is a mistake") {
  const TempFolder folder;
  const auto file = folder.write("password", std::string("\xFF\xFEs\0e\0\n\0", 8));
  app::Config config;
  CHECK(mistakes(fmt::format("[mqtt]\nuser = \"me\"\npassword_file = \"{}\"\n", file.string()), config) ==
        app::Mistakes{fmt::format("3: mqtt.password_file: {} is UTF-16, not UTF-8", file.string())});
}

TEST_CASE("config: shared subscriptions are refused, as each host would get a part of what is said in a room") {
  app::Config config;
  const auto found = mistakes(
      "[gitple]\nrequests = [\"s/1/#\", \"$share/bots/s/+/a/+/t/+/req/#\"]\n"
      "answers = \"$share/bots/s/+/a/+/u/+/r/+/res/#\"\n",
      config);
  REQUIRE(found.size() == 2);
  CHECK(found[0].starts_with("2: gitple.requests: $share/bots/s/+/a/+/t/+/req/# is a shared subscription"));
  CHECK(found[1].starts_with("3: gitple.answers: "));
}

TEST_CASE("config: a broker's URL") {
  struct Case {
    const char* url;
    const char* host;
    int port;
    bool tls;
  };
  for (const Case& good : {Case{"mqtt://localhost", "localhost", 1883, false},
                           {"mqtts://a.b/", "a.b", 8883, true},
                           {"mqtt://127.0.0.1:5", "127.0.0.1", 5, false},
                           {"mqtt://[::1]:7", "::1", 7, false},
                           {"mqtt://[::1]", "::1", 1883, false}}) {
    CAPTURE(good.url);
    app::Config config;
    REQUIRE(app::set_broker(good.url, config));
    CHECK(config.mqtt.host == good.host);
    CHECK(config.mqtt.port == good.port);
    CHECK(config.mqtt.tls == good.tls);
  }
  for (const char* bad : {"",
                          "localhost",
                          "mqtt://",
                          "mqtt://:5",
                          "mqtt://x:0",
                          "mqtt://x:65536",
                          "mqtt://x:y",
                          "mqtt://x:",
                          "mqtt://me:secret@x",
                          "mqtt://x/y",
                          "ws://x",
                          "mqtt://::1",
                          "mqtt://::1:1883",
                          "mqtt://fe80::1",
                          "mqtt://[::1",
                          "mqtt://[::1:1883",
                          "mqtt://::1]",
                          "mqtt://[::1]1883",
                          "mqtt://[::1]:",
                          "mqtt://[]",
                          "mqtt://[]:1883",
                          "mqtt://[x]",
                          "mqtt://a[b]",
                          "mqtt://a b"}) {
    CAPTURE(bad);
    app::Config config;
    const auto done = app::set_broker(bad, config);
    REQUIRE_FALSE(done);
    CHECK(done.error().find("secret") == std::string::npos);
    CHECK_FALSE(config.broker);
  }
}
