// A machine whose clock somebody sets: that of a host which is shifted_botel.
#pragma once

#include <chrono>
#include <filesystem>

#include "harness/world.hpp"

namespace harness {

class WrongClock {
 public:
  // `file`: where the host reads it.
  explicit WrongClock(std::filesystem::path file);
  ~WrongClock();
  WrongClock(const WrongClock&) = delete;
  WrongClock& operator=(const WrongClock&) = delete;

  // So far ahead of the system's time, from now on.
  void set(std::chrono::seconds ahead);
  // Makes a host that is started with these options run on it.
  void give_to(HostOptions& options) const;

 private:
  const std::filesystem::path file_;
  void* const mapped_;
};

}  // namespace harness
