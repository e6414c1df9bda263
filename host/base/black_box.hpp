// What each thread is doing, noted so that the run after a crash knows what caused it, and does not let the same task
// crash the host for ever.
//
// A task is known by a 64-bit hash of its content, so that it is the same one when it comes again after a restart. It
// is condemned when it was running
// - in two runs on the thread that got a fatal signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, a used-up stack among
//   them) or that called exit(), or at a stop that could not wait for it: a crash; or
// - at five ends of another cause: kill -9, no memory left, a power cut, a crash of another thread. It may be the
//   cause, as one that eats all memory is.
//
// Threads note their tasks in plain memory, and never wait for the disk, not even in a page fault. The file is written
// - by the signal handler, or in exit(): all that is running, before the process ends;
// - by a thread of the box's own at each tick: the tasks that were running at the tick before, too. So it takes a tick
//   or two until a kill -9 is an end for a task, and those that are quick never get one for it;
// - at a clean end.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace botel {

namespace black_box {
class Memory;
class Ticker;
}  // namespace black_box

class BlackBox {
 public:
  // A task that was running when a run ended, and has not been done() since.
  struct Suspect {
    std::uint64_t task = 0;
    std::string name;      // fit for a log
    unsigned crashes = 0;  // runs, as are `ends`
    unsigned ends = 0;
    int signal = 0;       // of the last crash; 0: exit(); or black_box::kLeft
    bool recent = false;  // it was running when the last run ended

    [[nodiscard]] bool condemned() const;
    // "bot echo, room 1/7: cause of 2 ends of the host, last by signal 11; running at 0 other ends"
    [[nodiscard]] std::string describe() const;
  };
  static constexpr std::size_t kMostSuspects = 64;
  static constexpr unsigned kMostThreads = 1000;

  // Takes over what the last run left in `file` and replaces it by a new one (0600), which notes the tasks of up to
  // `threads` threads at a time. A file that is damaged is as good as none. From here on a fatal signal is noted, and
  // told on stderr, before what was set for it until now happens. An error where no file can be written.
  static Result<std::unique_ptr<BlackBox>> open(const std::filesystem::path& file, unsigned threads, Time now,
                                                std::chrono::milliseconds tick = std::chrono::seconds(1));

  // The clean end, which waits for the disk. No task that is running then is to blame. In the process that opened it.
  ~BlackBox();
  BlackBox(const BlackBox&) = delete;
  BlackBox& operator=(const BlackBox&) = delete;

  // How long ago the last sign of life of earlier runs was; nothing when there was none. A clock that was set back: 0.
  // After a kill -9 it may be more by five ticks, as the time alone is written no more often.
  [[nodiscard]] std::optional<std::chrono::milliseconds> away() const { return away_; }

  // Whether the last run said at its end that it had kept all it did.
  [[nodiscard]] bool ended_well() const { return ended_well_; }

  // At most kMostSuspects, those with crashes first, then the recent ones. Valid until done(). [driver]
  [[nodiscard]] const std::vector<Suspect>& suspects() const { return suspects_; }

  // Why the task is not to be run any more; null when it may. Valid until done(). [driver]
  [[nodiscard]] const Suspect* condemned(std::uint64_t task) const {
    return suspects_.empty() ? nullptr : find_condemned(task);
  }

  // The task went well, or is put away for good: it is no suspect any more, from the next tick on in the file, too.
  // [driver]
  void done(std::uint64_t task) {
    if (!suspects_.empty()) forget(task);
  }

  // A sign of life. [driver]
  void alive(std::int64_t unix_ms);

  // All that this run has done is kept, and the clean end follows. [driver]
  void end_well();

  // This process ends without waiting for the tasks that are running. All but the `innocent` ones are to blame: end it
  // before they return. [driver]
  void leave_running(const std::vector<std::uint64_t>& innocent) const;

  // This thread runs a task until end(). `name` is put together from its pieces and `number`, in hexadecimal; it is cut
  // where it is too long: begin(hash, {"bot ", id, ", event "}, kind). Where more threads than agreed have a task,
  // those without a place go unnoted. No system call and no memory, but for a thread's first. [any thread]
  void begin(std::uint64_t task, std::initializer_list<std::string_view> name, std::uint32_t number) noexcept;
  static void end() noexcept;

 private:
  BlackBox() = default;
  [[nodiscard]] const Suspect* find_condemned(std::uint64_t task) const;
  void forget(std::uint64_t task);
  bool take_place() noexcept;

  std::optional<std::chrono::milliseconds> away_;
  bool ended_well_ = false;
  std::vector<Suspect> suspects_;
  std::shared_ptr<black_box::Memory> memory_;  // a thread keeps it, too, until it ends
  std::unique_ptr<black_box::Ticker> ticker_;
  bool lives_ = false;  // there was a sign of life
};

}  // namespace botel
