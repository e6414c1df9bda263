// A mosquitto of the test's own, on a free port of loopback.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/process.hpp"

namespace harness {

struct BrokerOptions {
  std::string lines = "";       // more lines for its configuration
  bool anonymous = true;        // clients need no name
  bool keeps_sessions = false;  // over a stop() and start()
};

class Broker {
 public:
  // `folder`: for its files, must exist.
  Broker(std::filesystem::path folder, BrokerOptions options = {});

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

  void stop();
  // At once, and nothing is saved.
  void kill();
  // It takes no more notice of anybody.
  void freeze();
  // Again, on the same port.
  void start();

  // What it logs: connections, and each packet. The way to see what a client does that nobody is told of.
  [[nodiscard]] std::string log() const { return process_->log(); }
  // Waits until the client that asked last for `filter` has been granted it, by this start() and in its connection.
  void wait_for_subscription(const std::string& filter) const;
  // Whether a client has taken `filter` back.
  [[nodiscard]] bool was_unsubscribed(const std::string& filter) const;
  void wait_for_unsubscription(const std::string& filter) const;
  void wait_for_log(const std::string& text, int times = 1) { process_->wait_for_log(text, times); }

 private:
  bool try_start();
  [[nodiscard]] std::string last_words() const;

  const std::filesystem::path folder_;
  const BrokerOptions options_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

// A port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] int free_port();
// Whether somebody accepts connections there.
[[nodiscard]] bool accepts(int port);

// Keeps a port of 127.0.0.1 taken, or sees that somebody else has it already.
class TakenPort {
 public:
  explicit TakenPort(int port);
  ~TakenPort();
  TakenPort(const TakenPort&) = delete;
  TakenPort& operator=(const TakenPort&) = delete;
  [[nodiscard]] int port() const { return port_; }

 private:
  const int port_;
  const int socket_;
};

}  // namespace harness
