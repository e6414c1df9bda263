// A client whose session the broker keeps and that comes back by itself: what stands for Gitple when brokers die, too.
// Not harness::Client, which is for tests where a lost connection is a failure.
//
// It has no thread: wait() waits for the network, turn() looks at it. An exception of the listener leaves turn().
#pragma once

#include <mosquitto.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace chaos {

class Connection {
 public:
  using Listener = std::function<void(const std::string& topic, const std::string& payload)>;

  Connection(int port, std::string id, std::vector<std::string> filters, Listener listener);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // QoS 1. What is on its way when the connection is lost, libmosquitto sends again.
  void publish(const std::string& topic, const std::string& payload);
  // At most so long; touches nothing that the other functions change.
  void wait(std::chrono::milliseconds most) const;
  // Reads and writes what can be, and connects again where the connection was lost.
  void turn();
  // Connected, and granted all that it asked for.
  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] int losses() const { return losses_; }
  // Messages that the broker has not acknowledged.
  [[nodiscard]] std::size_t unacknowledged() const { return unacknowledged_; }

 private:
  void connect();
  void take(const mosquitto_message& message) noexcept;

  const int port_;
  const std::vector<std::string> filters_;
  const Listener listener_;
  std::unique_ptr<mosquitto, void (*)(mosquitto*)> client_;
  bool connected_ = false, ready_ = false;
  int losses_ = 0;
  std::size_t unacknowledged_ = 0;
  std::exception_ptr failure_;
};

}  // namespace chaos
