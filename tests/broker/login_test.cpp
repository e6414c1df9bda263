// How the host comes to a broker: name and password, TLS, protocol version; and what a broker refuses.
#include <doctest/doctest.h>

#include <fstream>

#include "harness/world.hpp"

using namespace harness;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPassword = "s3cr3t-pass word";

// Lines for a broker that wants a name and a password.
std::string password_lines(const TempDir& dir) {
  const fs::path file = dir / "passwords";
  for (const char* user : {"bots", "gitple"}) {
    std::vector<std::string> command{"mosquitto_passwd", "-b", file.string(), user, kPassword};
    if (!fs::exists(file)) command.insert(command.begin() + 1, "-c");
    REQUIRE(run(command, dir / "passwd.log") == 0);
  }
  return "password_file " + file.string() + "\n";
}

std::string file_of_process(Host& host, const std::string& name) {
  return read_file("/proc/" + std::to_string(host.process().pid()) + "/" + name);
}

void talk(Client& client, const Room& room = {}) {
  client.publish(room.requests(), request("1", "start", room.start_params()));
  CHECK(at(client.expect(room.res_pub()).payload, "result") == "OK");
  client.publish(room.from_user(), R"({"m":"many 300"})");
  for (int i = 1; i <= 300; ++i) CHECK(at(client.expect(room.msg_pub()).payload, "m") == std::to_string(i));
  for (int i = 0; i < 300; ++i) client.publish(room.from_user(), R"({"m":"say )" + std::to_string(i) + "\"}");
  for (int i = 0; i < 300; ++i) CHECK(at(client.expect(room.msg_pub()).payload, "m") == std::to_string(i));
}

}  // namespace

TEST_CASE("login: name and password, from a file or from the environment, and never seen anywhere") {
  const TempDir dir;
  Broker broker(dir / "broker", {.lines = password_lines(dir), .anonymous = false});
  Client client(broker.port(), {.user = "gitple", .password = kPassword});
  client.subscribe("#");
  HostOptions options{.url = broker.url(), .arguments = {"--log-level", "debug"}};
  SUBCASE("from a file") {
    write_file(dir / "password", std::string(kPassword) + "\nnot this line\n");
    options.mqtt = "user = \"bots\"\npassword_file = " + quoted((dir / "password").string());
  }
  SUBCASE("from the environment") {
    options.mqtt = "user = \"bots\"\npassword_env = \"BOTEL_TEST_PASSWORD\"";
    options.environment = {"BOTEL_TEST_PASSWORD=" + std::string(kPassword)};
  }
  Host host(dir / "host", options);
  CHECK(count(host.ready(), kPassword) == 0);
  talk(client);
  CHECK(count(broker.log(), "u'bots'") == 1);
  // `chat` finds the login where the host does.
  std::vector<std::string> chat{"env"};
  chat.insert(chat.end(), options.environment.begin(), options.environment.end());
  for (const std::string& word : {std::string(BOTEL_EXECUTABLE), std::string("chat"), std::string("--bot"),
                                  std::string("echo"), std::string("--config"), (dir / "host/botel.toml").string()}) {
    chat.push_back(word);
  }
  CHECK(run(chat, dir / "chat.log") == 0);
  CHECK(count(file_of_process(host, "cmdline"), kPassword) == 0);
  CHECK(host.stop() == 0);
  CHECK(count(host.log(), kPassword) == 0);
}

TEST_CASE("login: a wrong password is named as such, not shown, and tried again") {
  const TempDir dir;
  Broker broker(dir / "broker", {.lines = password_lines(dir), .anonymous = false});
  write_file(dir / "password", "s3cr3t-but-wrong\n");
  const std::string mqtt = "user = \"bots\"\npassword_file = " + quoted((dir / "password").string());
  for (const std::string version : {"", "\nversion = \"3.1.1\""}) {
    Host host(dir / "host", {.url = broker.url(), .mqtt = mqtt + version});
    host.process().wait_for_log("next try in", 2);
    CAPTURE(host.log());
    CHECK_FALSE(lines_with(host.log(), "uthori").empty());
    CHECK(host.stop() == 0);
    CHECK(count(host.log(), "s3cr3t") == 0);
  }
}

TEST_CASE("login: MQTT 5 is spoken, or 3.1.1 where it is set, with the client id that is set") {
  struct Case {
    std::string version, logged;
  };
  for (const Case& c : {Case{"", "as my-bots (p5,"},
                        {"version = \"5\"", "as my-bots (p5,"},
                        {"version = \"3.1.1\"", "as my-bots (p2,"}}) {
    CAPTURE(c.version);
    World world({.host = {.mqtt = "client_id = \"my-bots\"\n" + c.version}});
    CHECK(count(world.broker.log(), c.logged) == 1);
    talk(world.client);
  }
}

TEST_CASE("login: each quality of service") {
  for (const std::string qos : {"0", "1"}) {
    World world({.host = {.mqtt = "qos = " + qos}});
    talk(world.client);
    CHECK(count(world.broker.log(), "\ts/+/a/+/t/+/req/# (QoS " + qos + ")") == 1);
  }
}

TEST_CASE("login: a broker that takes quality of service 0 only gets it, and the log warns") {
  World world({.broker = {.lines = "max_qos 0\n"}, .client = {.qos = 0}});
  talk(world.client);
  CHECK(count(world.host.log(), "warning: the broker takes QoS 0 only") == 1);
}

TEST_CASE("login: what is too large for a broker that says so is dropped, and the rest goes out") {
  World world({.host = {}, .broker = {.lines = "max_packet_size 20000\n"}});
  const Room room;
  world.start(room);
  world.tell(room, "large 50000;say small");
  world.hear(room, "small");
  CHECK(world.client.unexpected("#").empty());
}

// In MQTT 3.1.1 it only ends the connection, and libmosquitto sends the message again in the next one.
TEST_CASE("login: what is too large for a broker that does not say so is given up, named, and does not end the host") {
  World world({.host = {.mqtt = "version = \"3.1.1\""}, .broker = {.lines = "max_packet_size 20000\n"}});
  const Room room;
  world.start(room);
  world.tell(room, "large 50000;say innocent");
  wait_until("the message was not given up",
             [&] { return count(world.host.log(), "in which it gets one message, of 50") == 1; });
  world.hear(room, "innocent");
  wait_until("no lasting connection after that", [&] {
    const std::string log = world.host.log();
    return log.rfind("info: connected to the broker") > log.rfind("warning: lost the broker");
  });
  world.broker.wait_for_subscription(room.msg_sub());
  world.tell(room, "say still here");
  world.hear(room, "still here");
}

namespace {

// Its dynamic-security plugin refuses what an ACL file would grant and then not deliver.
std::string refusing_lines(const TempDir& dir, const std::string& filter,
                           const std::string& kind = "subscribePattern") {
  write_file(dir / "security.json", R"({
    "defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": true, "unsubscribe": true},
    "anonymousGroup": "everybody",
    "groups": [{"groupname": "everybody", "roles": [{"rolename": "most"}]}],
    "roles": [{"rolename": "most", "acls": [{"acltype": ")" +
                                        kind + R"(", "topic": ")" + filter + R"(", "priority": 0, "allow": false}]}],
    "clients": []})");
  return "plugin " BOTEL_DYNAMIC_SECURITY "\nplugin_opt_config_file " + (dir / "security.json").string() + "\n";
}

}  // namespace

TEST_CASE("login: a msgSub that the broker refuses is error -32004, and the bot hears nothing of it") {
  const TempDir dir;
  for (const std::string version : {"", "version = \"3.1.1\""}) {
    CAPTURE(version);
    World world({.host = {.mqtt = version}, .broker = {.lines = refusing_lines(dir, "s/1/a/1/u/secret/#")}});
    Room forbidden{.commands = "say hello", .user = "secret"};
    for (int i = 0; i < 2; ++i) {
      const Received answer = world.start(forbidden);
      CHECK(at(answer.payload, "error.code") == "-32004");
      CHECK_FALSE(at(answer.payload, "error.message").empty());
    }
    CHECK(at(world.end(forbidden).payload, "error.code") == "-32002");
    CHECK(count(world.host.log(), "probe: start") == 0);
    talk(world.client);
    CHECK(world.client.unexpected("#").empty());
  }
}

TEST_CASE("login: two rooms that wait for one filter are both told when it is refused") {
  const TempDir dir;
  World world({.broker = {.lines = refusing_lines(dir, "s/1/a/1/u/secret/#")}});
  const Room one{.bot = "1", .user = "secret"}, two{.bot = "2", .user = "secret"};
  world.client.publish(one.requests(), request("1", "start", one.start_params()));
  world.client.publish(two.requests(), request("2", "start", two.start_params()));
  CHECK(at(world.answer(one, "1").payload, "error.code") == "-32004");
  CHECK(at(world.answer(two, "2").payload, "error.code") == "-32004");
}

TEST_CASE("login: without its requests a host cannot live, and says so") {
  const TempDir dir;
  Broker broker(dir / "broker", {.lines = refusing_lines(dir, "s/+/a/+/t/+/req/#", "subscribeLiteral")});
  SUBCASE("refused") {
    Host host(dir / "host", {.url = broker.url()});
    CHECK(host.process().wait() == 1);
    CHECK_FALSE(lines_with(host.log(), "s/+/a/+/t/+/req/#").empty());
  }
  SUBCASE("narrower filters that the broker allows") {
    Host host(dir / "host", {.url = broker.url(), .gitple = R"(requests = ["s/1/a/1/t/1/req/#", "s/1/a/1/t/2/req/#"]
answers = "s/1/a/1/u/+/r/+/res/#")"});
    host.ready();
    Client client(broker.port());
    client.subscribe("s/1/a/1/#");
    talk(client);
    CHECK(host.stop() == 0);
  }
}

TEST_CASE("login: a service that the broker refuses is named once, asked for again, and not said to be ready") {
  const TempDir dir;
  World world({.broker = {.lines = refusing_lines(dir, "demo/#", "subscribeLiteral")}});
  world.stop_host();
  std::filesystem::create_symlink(std::filesystem::path(BOTEL_PLUGINS) / "demo.so", world.host.plugins() / "demo.so");
  world.host.start();
  CHECK(world.host.ready() == "botel ready: " + world.broker.url() + ", bots echo probe sandwich");
  world.broker.wait_for_log("\tdemo/# (QoS", 2);
  talk(world.client);
  CHECK(count(world.host.log(), "does not grant the subscription to demo/#") == 1);
}
