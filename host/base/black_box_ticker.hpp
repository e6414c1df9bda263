// The black box's own thread, which notes now and then what is running. It alone waits for the disk.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/black_box_memory.hpp"

namespace botel::black_box {

class Ticker {
 public:
  // Its thread gets no signal but the fatal ones.
  Ticker(std::shared_ptr<const Memory> memory, std::chrono::milliseconds tick);
  ~Ticker();  // notes all once more
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Notes the sign of life at once. Does not wait for it. [any thread]
  void note_life();

 private:
  void run();
  void tick(bool last);
  bool note_places(bool last);
  void note_alive(std::int64_t alive_ms);
  [[nodiscard]] Record lasting(std::size_t slot);

  const std::shared_ptr<const Memory> memory_;
  const std::chrono::milliseconds tick_;

  // The thread's.
  std::vector<std::uint64_t> runs_;  // of the slots, at the tick before
  std::vector<Record> noted_;        // what the file has, by places
  std::int64_t alive_ms_;            // what the file has
  int quiet_ = 0;                    // ticks in which only the time has changed

  std::mutex mutex_;  // nobody who has it waits for the disk
  std::condition_variable wake_;
  bool life_ = false;
  bool closed_ = false;
  std::thread thread_;  // the last, as it uses all the others
};

}  // namespace botel::black_box
