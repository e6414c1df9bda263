// The host that is killed and started again, with one data directory for all its lives.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "chaos/ledger.hpp"
#include "harness/world.hpp"

namespace chaos {

class Victim {
 public:
  // `folder`: a folder of each life's own is made in it, with its log.
  Victim(std::filesystem::path folder, harness::HostOptions options);

  // Does not wait until it is ready.
  void start();
  // Waits until it is, and starts it again when it ends meanwhile.
  void wait_ready();
  // SIGKILL, and it is gone when this returns.
  void kill();
  // SIGTERM; the exit code.
  int stop();
  void signal(int number) { host_->process().signal(number); }
  [[nodiscard]] pid_t pid() { return host_->process().pid(); }
  // Starts it again when it has ended by itself.
  void watch();

  [[nodiscard]] const std::filesystem::path& data() const { return data_; }
  // How long it took to be ready the first time.
  [[nodiscard]] std::chrono::milliseconds start_up() const { return start_up_; }
  [[nodiscard]] const std::vector<Clock::time_point>& kills() const { return kills_; }
  // Exit codes, or signals, negative: of the ends that nobody asked for.
  [[nodiscard]] const std::vector<int>& own_ends() const { return own_ends_; }
  // All that it logged, in all lives.
  [[nodiscard]] std::string log() const;
  // The last lines of its log, for a message.
  [[nodiscard]] std::string last_words() const;

 private:
  [[nodiscard]] std::filesystem::path life(int number) const { return folder_ / ("life-" + std::to_string(number)); }

  const std::filesystem::path folder_, data_;
  const harness::HostOptions options_;
  std::optional<harness::Host> host_;
  bool ready_ = false;      // in this life
  bool shall_run_ = false;  // nobody has ended it
  int lives_ = 0;
  std::chrono::milliseconds start_up_{0};
  std::vector<Clock::time_point> kills_;
  std::vector<int> own_ends_;
};

}  // namespace chaos
