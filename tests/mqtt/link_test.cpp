// Link against a broker of the test's own, which sends what no real one sends at a chosen moment.
#include "mqtt/link.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <future>
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
  // Whether the connection goes on.
  [[nodiscard]] bool is_there() const {
    char byte = 0;
    const ssize_t count = client_ < 0 ? 0 : recv(client_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return count > 0 || (count < 0 && errno == EAGAIN);
  }
  // As much as there is room for.
  std::size_t send_some(const std::string& bytes) {
    const ssize_t count = ::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return static_cast<std::size_t>(std::max<ssize_t>(count, 0));
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

std::string unsuback(const std::string& packet) { return std::string("\xb0\x02", 2) + packet.substr(0, 2); }

struct Stage {
  Broker broker;
  Counters counters;
  std::unique_ptr<Link> link;
  SteadyTime now = std::chrono::steady_clock::now();
  std::vector<std::string> heard;
  bool hurries = true;  // whatever it waits for is over with the next round

  Stage() {
    mqtt::LinkConfig config;
    config.port = broker.port;
    config.version = 3;
    config.client_id = "test";
    config.keep_session = true;
    link = Link::create(config, counters).value();
  }

  void round() {
    now = hurries ? now + std::chrono::seconds(60) : std::chrono::steady_clock::now();
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
    FAIL("in vain, after " << heard.size() << " messages: " << link->trouble());
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

namespace {

const std::string kGoodbye("\xe0\0", 2);

// A broker that takes in all that comes, and hangs up at a goodbye or where the connection ends. Returns what came.
std::string serve_to_the_end(Broker& broker) {
  std::string all;
  while (!all.ends_with(kGoodbye) && broker.is_there()) all += broker.received();
  broker.hang_up();
  return all;
}

// The packet id of an UNSUBSCRIBE that has come, after whatever else.
std::string wait_for_question(Broker& broker, std::string& all) {
  const auto question = [&] { return all.find(std::string("\xa2\x0e", 2)); };
  while (question() == std::string::npos && broker.is_there()) all += broker.received();
  return all.substr(question() + 2, 2);
}

}  // namespace

TEST_CASE("link: it leaves when the broker has what was said, and acknowledges nothing that comes meanwhile") {
  Stage stage;
  stage.connect(connack(false));
  stage.until([&] { return stage.link->connected(); });
  stage.link->publish("t", "answer");
  stage.link->write();
  stage.until([&] { return stage.broker.received().find("answer") != std::string::npos; });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  SUBCASE("something comes") {
    stage.broker.send(publish(7, "late") + puback(1));
    stage.link->leave(deadline);
    CHECK(stage.broker.received().empty());
  }
  SUBCASE("nothing comes") {
    stage.broker.send(puback(1));
    auto broker = std::async([&] { return serve_to_the_end(stage.broker); });
    stage.link->leave(deadline);
    CHECK(broker.get() == kGoodbye);
  }
  SUBCASE("the broker says nothing in time") {
    stage.link->leave(std::chrono::steady_clock::now());
    CHECK(stage.broker.received() == kGoodbye);
  }
  CHECK(stage.heard.empty());
}

TEST_CASE("link: before it leaves, it waits until the broker has confirmed what was acknowledged") {
  Stage stage;
  stage.connect(connack(false) + publish(1, "a"));
  stage.until([&] { return stage.heard.size() == 1; });
  store::Batch batch;
  stage.link->save(batch);
  CHECK(batch.received.size() == 1);
  CHECK_FALSE(stage.link->has_gone());
  auto broker = std::async([&] {
    std::string all;
    stage.broker.send(unsuback(wait_for_question(stage.broker, all)));
    return all + serve_to_the_end(stage.broker);
  });
  stage.link->leave(std::chrono::steady_clock::now() + std::chrono::hours(1));
  CHECK(broker.get().starts_with(puback(1)));
  CHECK(stage.link->has_gone());
}

TEST_CASE("link: a broker that was asked, and has answered, hands over no acknowledged message again") {
  Stage stage;
  stage.connect(connack(false) + publish(1, "a"));
  stage.until([&] { return stage.heard.size() == 1; });
  std::string received;
  const std::string packet = wait_for_question(stage.broker, received);
  CHECK(received.starts_with(puback(1)));
  stage.broker.send(unsuback(packet));
  store::Batch batch;
  stage.link->save(batch);
  stage.until([&] { return stage.link->has_gone(); });
  stage.broker.hang_up();
  stage.connect(connack(true) + publish(1, "a"));
  stage.until([&] { return stage.heard.size() == 2; });
}

namespace {

// Sends `messages`, as the host reads them, until it says goodbye.
void send_until_goodbye(Stage& stage, std::string messages) {
  std::string received;
  const auto said_goodbye = [&] { return received.ends_with(kGoodbye); };
  while (!messages.empty() && !said_goodbye()) {
    messages.erase(0, stage.broker.send_some(messages));
    stage.round();
    received += stage.broker.received();
  }
  stage.until([&] {
    received += stage.broker.received();
    return said_goodbye();
  });
}

}  // namespace

TEST_CASE("link: while the broker confirms nothing, no more is taken in than it has packet ids for") {
  constexpr int kFull = mqtt::Redeliveries::kMost;
  Stage stage;
  stage.hurries = false;
  std::string messages;
  for (int i = 1; i <= kFull + 5000; ++i) messages += publish(i, std::to_string(i));
  for (int i = 0; i < 1000; ++i) stage.link->publish("t", "own");
  stage.connect(connack(false));
  for (std::uint64_t losses = 1; losses <= 3; ++losses) {
    send_until_goodbye(stage, messages);
    CHECK(stage.broker.is_there());  // a proxy may close both sides with one, and drop what is on its way
    CHECK(stage.heard.size() == kFull);
    stage.broker.hang_up();
    stage.until([&] { return stage.link->losses() == losses; });
    stage.connect(connack(true));
  }
}

TEST_CASE("link: a broker that sends on and on without an answer gets a goodbye, and goes on in another connection") {
  constexpr int kFull = mqtt::Redeliveries::kMost;
  Stage stage;
  stage.hurries = false;
  stage.connect(connack(false));
  stage.until([&] { return stage.link->connected(); });
  std::string received;
  const auto said_goodbye = [&] { return received.ends_with(kGoodbye); };
  const auto send = [&](std::string messages) {
    while (!messages.empty() && !said_goodbye()) {
      messages.erase(0, stage.broker.send_some(messages));
      stage.round();
      received += stage.broker.received();
    }
  };
  std::string full;
  for (int i = 1; i <= kFull; ++i) full += publish(i, std::to_string(i));
  SUBCASE("in the midst of much") {
    for (int i = kFull + 1; i < 65'535; ++i) full += publish(i, std::to_string(i));
    send(full);
  }
  SUBCASE("in pieces that are all acknowledged") {
    for (std::size_t at = 0; at < full.size(); at += 1000) {
      send(full.substr(at, 1000));
      stage.round();
    }
  }
  stage.until([&] {
    received += stage.broker.received();
    return said_goodbye();
  });
  stage.broker.hang_up();
  const auto taken = stage.heard.size();
  CHECK(taken >= kFull);
  CHECK(taken <= kFull + 1000);
  stage.until([&] { return stage.link->losses() == 1; });
  // The broker has taken in all acknowledgements, and has the rest.
  const int last = static_cast<int>(taken);
  stage.connect(connack(true) + publish(last + 1, std::to_string(last + 1)) + publish(last, "another one"));
  stage.until([&] { return stage.heard.size() == taken + 2; });
  CHECK(stage.heard.back() == "another one");
}

TEST_CASE("link: while it is open where the new messages begin, few are taken in at once") {
  Stage stage;
  stage.hurries = false;
  stage.connect(connack(false));
  stage.until([&] { return stage.link->connected(); });
  // libmosquitto reads as many packets at once as it has messages of its own under way.
  for (int i = 0; i < 1000; ++i) stage.link->publish("t", "own");
  stage.broker.send(publish(1, "a") + publish(2, "b"));
  stage.until([&] { return stage.heard.size() == 2; });
  stage.broker.hang_up();
  std::string fresh;
  for (int i = 3; i <= 5000; ++i) fresh += publish(i, "new");
  SUBCASE("behind a greeting") { stage.connect(connack(true) + publish(1, "a") + publish(2, "b") + fresh); }
  SUBCASE("behind what comes again") {
    stage.connect(connack(true) + publish(1, "a"));
    stage.until([&] { return stage.link->connected(); });
    stage.broker.send(publish(2, "b") + fresh);
  }
  std::size_t before = stage.heard.size();
  stage.until([&] { return stage.heard.size() > before; });
  CHECK(stage.heard.size() <= 2 + 2000);
  stage.until([&] { return stage.heard.size() == 5000; });
}
