// A mosquitto of the host's own, on loopback, for whoever has no broker. It ends with the host, also when that is
// killed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace botel::mqtt {

class PrivateBroker {
 public:
  // Starts it and waits until it accepts connections. Its files are kept in `folder`. `port`: nothing for 1883 or the
  // next free one. Call it on the main thread: the signal that ends an orphan follows the thread that forked.
  static Result<std::unique_ptr<PrivateBroker>> start(const std::filesystem::path& folder, std::optional<int> port);

  // Ends it and waits for it, so that it has saved what it holds.
  ~PrivateBroker();

  [[nodiscard]] int port() const { return port_; }

  // Whether it has ended by itself.
  [[nodiscard]] bool has_ended();

 private:
  static Result<std::unique_ptr<PrivateBroker>> spawn(const std::string& program,
                                                      const std::filesystem::path& configuration, int port);
  PrivateBroker(pid_t pid, int port) : pid_(pid), port_(port) {}
  pid_t pid_;  // 0: has ended
  const int port_;
};

}  // namespace botel::mqtt
