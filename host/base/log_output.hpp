// The way of lines to stdout and stderr, on which nobody waits for whoever reads them: neither for a pipe that is full,
// nor for a terminal that is stopped, nor for a disk. The descriptors may be shared with other processes, so they stay
// as they are, and a thread that may block writes to them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/counters.hpp"

namespace botel::log {

class Output {
 public:
  // The line that says how many are missing in its place. Called by the thread.
  using Notice = std::function<std::string(std::uint64_t lines)>;

  // So many bytes may wait, and one line more. `log`: the descriptor on which is said what is missing.
  Output(int log, std::size_t most, Notice notice);
  // Waits until what the thread is writing is written.
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // From here on the thread writes. Without one, as before, and where the system has none to give, who calls write()
  // does. Once; [any thread].
  void start();

  // `line` ends with a line break. Where too many wait it is dropped, as are those after it until half of the room is
  // free. [any thread]
  void write(int fd, std::string line);

  // Waits until nothing waits any more; false: not within `time`. [any thread]
  bool flush(std::chrono::milliseconds time);
  // The same, for a signal handler.
  void flush_in_signal_handler(std::chrono::milliseconds time) const noexcept;

  // Counts the lines that are dropped, or cannot be written, until another one is given; null: nothing does.
  void count_dropped(Counter* counter);

 private:
  struct Line {
    int fd;
    std::string text;       // empty: there is only to be said what is missing
    std::uint64_t missing;  // lines that were dropped before it
  };

  void work();
  Line take();
  bool write_out(const Line& line);
  bool write_all(int fd, std::string_view text);
  void drop();

  const int log_;
  const std::size_t most_;
  const Notice notice_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Line> lines_;
  std::size_t bytes_ = 0;      // of lines_
  bool dropping_ = false;      // until there is room again
  std::uint64_t missing_ = 0;  // dropped since the last of lines_
  bool writing_ = false;
  bool stopped_ = false;
  Counter* counter_ = nullptr;
  std::atomic<std::uint64_t> waiting_{0};  // lines, with the one that is being written
  std::thread thread_;

  // Of whoever writes.
  std::uint64_t unsaid_ = 0;  // missing lines that nobody has been told of
  int torn_ = -1;             // a descriptor that has got only a part of its last line
};

}  // namespace botel::log
