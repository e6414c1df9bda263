// An MQTT client on libmosquitto alone: what is said about the host here, somebody else has seen.
//
// It has no thread: the network is looked at while something is expected. All that arrives is kept, in order.
#pragma once

#include <mosquitto.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/process.hpp"

namespace harness {

struct Received {
  std::size_t index = 0;  // among all that arrived: tells what came first
  std::string topic, payload;
  bool retained = false;
  bool taken = false;  // by an expect()
};

struct ClientOptions {
  std::string id = "";  // empty: made up, and nothing outlives the connection; otherwise the broker keeps its session
  std::string user = "", password = "";
  std::string ca = "", cert = "", key = "";  // files; an empty ca: no TLS
  int qos = 1;                               // of what it publishes
};

class Client {
 public:
  using Wanted = std::function<bool(const std::string& payload)>;

  explicit Client(int port, ClientOptions options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Waits for the grant. What the client publishes itself does not come back.
  void subscribe(const std::string& filter);
  void publish(const std::string& topic, const std::string& payload, bool retain = false);
  // After an outage.
  void reconnect();

  // The first message under `filter` that satisfies `wanted` and that nobody has expected yet; throws when none comes.
  Received expect(const std::string& filter, const Wanted& wanted = {}, const std::string& what = "");
  // Those that are there and that nobody has expected. It does not wait: publish what must come later, expect that,
  // and then look whether something came before.
  [[nodiscard]] std::vector<Received> unexpected(const std::string& filter, const Wanted& wanted = {}) const;

  // Lets a moment pass, in which something may arrive.
  void look() { turn(); }

  // Nobody expects any more what has arrived.
  void forget();

  // All that has arrived, in order.
  [[nodiscard]] const std::deque<Received>& received() const { return received_; }
  [[nodiscard]] std::size_t count() const { return received_.size(); }

 private:
  void connect();
  void turn();

  const int port_;
  const ClientOptions options_;
  std::unique_ptr<mosquitto, void (*)(mosquitto*)> client_;
  std::deque<Received> received_;
  bool connected_ = false;
  int last_granted_ = 0;
};

}  // namespace harness
