// Link against a broker of the test's own, which sends what no real one sends at a chosen moment.
#include "mqtt/link.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

using namespace botel;
using mqtt::Link;

namespace {

// Packets of MQTT 3.1.1, to one client at a time.
class Broker {
 public:
  Broker() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listener_, 5) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port = ntohs(address.sin_port);
  }
  ~Broker() {
    hang_up();
    close(listener_);
  }

  // A client is there, and has sent its CONNECT.
  bool greeted() {
    if (client_ < 0 && readable(listener_)) client_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    return client_ >= 0 && !received().empty();
  }
  void send(const std::string& bytes) {
    REQUIRE(::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  std::string received() {
    char buffer[4096];
    const ssize_t count = readable(client_) ? recv(client_, buffer, sizeof buffer, 0) : 0;
    return {buffer, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
  }
  void hang_up() {
    if (client_ >= 0) close(client_);
    client_ = -1;
  }

  int port = 0;

 private:
  static bool readable(int fd) {
    pollfd wanted{fd, POLLIN, 0};
    return poll(&wanted, 1, 1) == 1;
  }
  const int listener_;
  int client_ = -1;
};

std::string connack(bool session) { return {'\x20', '\x02', static_cast<char>(session), '\0'}; }
std::string publish(int packet, const std::string& payload) {
  const std::string body = {'\0', '\1', 't', static_cast<char>(packet >> 8), static_cast<char>(packet & 255)};
  return std::string("\x32") + static_cast<char>(body.size() + payload.size()) + body + payload;
}
std::string puback(int packet) {
  return {'\x40', '\x02', static_cast<char>(packet >> 8), static_cast<char>(packet & 255)};
}

struct Stage {
  Broker broker;
  Counters counters;
  std::unique_ptr<Link> link;
  SteadyTime now = std::chrono::steady_clock::now();
  std::vector<std::string> heard;

  Stage() {
    mqtt::LinkConfig config;
    config.port = broker.port;
    config.version = 3;
    config.client_id = "test";
    config.keep_session = true;
    link = Link::create(config, counters).value();
  }

  void round() {
    now += std::chrono::seconds(60);  // whatever it waits for is over
    pollfd wanted = link->descriptor();
    poll(&wanted, 1, 1);
    link->tick(now);
    link->read();
    link->dispatch([this](const mqtt::Message& message) { heard.push_back(message.payload); });
    link->write();
  }
  template <class Done>
  void until(Done done) {
    for (int i = 0; i < 10'000; ++i) {
      if (done()) return;
      round();
    }
    FAIL("in vain");
  }
  void connect(const std::string& first_words) {
    until([&] { return broker.greeted(); });
    broker.send(first_words);
  }
};

using Heard = std::vector<std::string>;

}  // namespace

TEST_CASE("link: what comes again behind a greeting is recognised, also when the connection ends with it") {
  Stage stage;
  stage.connect(connack(false) + publish(1, "a") + publish(2, "b"));
  stage.until([&] { return stage.heard.size() == 2; });
  stage.broker.hang_up();
  // All of it is read at once, with what makes libmosquitto end the connection behind it.
  const std::string no_packet("\0\0", 2);
  stage.connect(connack(true) + publish(1, "a") + publish(2, "b") + publish(3, "c") + no_packet);
  stage.until([&] { return stage.heard.size() >= 3; });
  CHECK(stage.heard == Heard{"a", "b", "c"});
}

TEST_CASE("link: a cut writes nothing, and what was read last comes again") {
  Stage stage;
  stage.connect(connack(false));
  stage.until([&] { return stage.link->connected(); });
  CHECK(stage.broker.received().empty());
  stage.broker.send(publish(1, "a"));
  for (int i = 0; i < 10'000 && stage.heard.empty(); ++i) {
    stage.link->read();
    stage.link->dispatch([&](const mqtt::Message& message) { stage.heard.push_back(message.payload); });
  }
  stage.link->cut("the test says so");
  CHECK(stage.broker.received().empty());  // no acknowledgement
  stage.broker.hang_up();
  for (int i = 0; i < 5; ++i) stage.round();
  CHECK_FALSE(stage.broker.greeted());
  stage.link->resume();
  stage.connect(connack(true) + publish(1, "a") + publish(2, "b"));
  stage.until([&] { return stage.heard.size() >= 2; });
  CHECK(stage.heard == Heard{"a", "b"});
}

TEST_CASE("link: while it is cut, a connection that was being made is given up") {
  Stage stage;
  stage.link->tick(stage.now);
  stage.link->cut("the test says so");
  stage.until([&] { return stage.link->descriptor().fd == -1; });
  CHECK_FALSE(stage.link->connected());
}

TEST_CASE("link: it leaves when the broker has what was said, and acknowledges nothing that comes meanwhile") {
  Stage stage;
  stage.connect(connack(false));
  stage.until([&] { return stage.link->connected(); });
  stage.link->publish("t", "answer");
  stage.link->write();
  stage.until([&] { return stage.broker.received().find("answer") != std::string::npos; });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  const std::string goodbye("\xe0\0", 2);
  SUBCASE("something comes") {
    stage.broker.send(publish(7, "late") + puback(1));
    stage.link->leave(deadline);
    CHECK(stage.broker.received().empty());
  }
  SUBCASE("nothing comes") {
    stage.broker.send(puback(1));
    stage.link->leave(deadline);
    CHECK(stage.broker.received() == goodbye);
  }
  SUBCASE("the broker says nothing in time") {
    stage.link->leave(std::chrono::steady_clock::now());
    CHECK(stage.broker.received() == goodbye);
  }
  CHECK(stage.heard.empty());
}
