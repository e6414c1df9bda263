// A TCP proxy between the host and its broker that tears connections apart, and sees each packet before it goes on.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chaos/packets.hpp"

namespace chaos {

// Called in the proxy's thread, before the first byte of the packet goes on.
struct Watch {
  std::function<void(const Packet&)> from_host, from_broker;
};

class Proxy {
 public:
  explicit Proxy(int broker_port, Watch watch = {});
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }

  // Ends all connections with a TCP RST to both sides, in the midst of what is being sent. Returns when it is done.
  void reset();
  // How many the host has.
  [[nodiscard]] int connections() const { return connections_; }
  // Nothing goes on, nothing is accepted, and nobody is told.
  void freeze(bool frozen);
  // What the host sends does not go on, and what the broker sends does.
  void hold_host(bool held);

 private:
  struct Stream {  // one direction of a connection
    int from, to;
    bool from_host;
    std::string unread = "";  // no whole packet yet
    std::string unsent = "";  // whole packets
    bool ended = false;       // no more will come, or is wanted
  };
  struct Link {
    int host, broker;
    bool mqtt5 = true;
    bool over = false;
    Stream up{host, broker, true}, down{broker, host, false};
  };

  void run();
  void turn(int most_ms);
  void accept_one();
  void serve(Link& link, Stream& stream, short received, short sendable);
  void read(Link& link, Stream& stream);
  void close(Link& link, bool with_reset);
  void wake() const;

  const int broker_port_;
  const Watch watch_;
  const int listener_, wake_;
  const int port_;
  std::vector<std::unique_ptr<Link>> links_;
  std::atomic<int> resets_wanted_ = 0, resets_done_ = 0, connections_ = 0;
  std::atomic<bool> frozen_ = false, host_held_ = false, stopped_ = false;
  std::thread thread_;
};

}  // namespace chaos
