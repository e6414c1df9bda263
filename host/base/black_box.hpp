// What each thread is doing, noted in a small mapped file, so that the run after a crash knows what caused it, and does
// not let the same task crash the host for ever.
//
// A task is known by a 64-bit hash of its content, so that it is the same one when it comes again after a restart. It
// is condemned when it was running
// - in two runs on the thread that got a fatal signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, a used-up stack among
//   them) or that called exit(): a crash; or
// - at five ends of another cause: kill -9, no memory left, a power cut, a crash of another thread. It may be the
// cause,
//   as one that eats all memory is.
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

class BlackBox {
 public:
  // A task that was running when a run ended, and has not been done() since.
  struct Suspect {
    std::uint64_t task = 0;
    std::string name;      // fit for a log
    unsigned crashes = 0;  // runs, as are `ends`
    unsigned ends = 0;
    int signal = 0;       // of the last crash; 0: exit()
    bool recent = false;  // it was running when the last run ended

    [[nodiscard]] bool condemned() const;
    // "bot echo, room 1/7: 2 crashes of the host, last by signal 11; running at 0 other ends"
    [[nodiscard]] std::string describe() const;
  };
  static constexpr std::size_t kMostSuspects = 64;
  static constexpr unsigned kMostThreads = 1000;

  // Takes over what the last run left in `file` and replaces it by a new one (0600), which notes the tasks of up to
  // `threads` threads at a time. A file that is damaged is as good as none. From here on a fatal signal is noted, and
  // told on stderr, before what was set for it until now happens. An error where no file can be written or mapped.
  static Result<std::unique_ptr<BlackBox>> open(const std::filesystem::path& file, unsigned threads, Time now);

  // How long ago the last sign of life of earlier runs was; nothing when there was none. A clock that was set back: 0.
  [[nodiscard]] std::optional<std::chrono::milliseconds> away() const { return away_; }

  // At most kMostSuspects, those with crashes first, then the recent ones. Valid until done(). [driver]
  [[nodiscard]] const std::vector<Suspect>& suspects() const { return suspects_; }

  // Why the task is not to be run any more; null when it may. Valid until done(). [driver]
  [[nodiscard]] const Suspect* condemned(std::uint64_t task) const {
    return suspects_.empty() ? nullptr : find_condemned(task);
  }

  // The task went well, or is put away for good: it is no suspect any more. [driver]
  void done(std::uint64_t task) {
    if (!suspects_.empty()) forget(task);
  }

  // A sign of life. [driver]
  void alive(std::int64_t unix_ms);

  // This thread runs a task until end(). `name` is put together from its pieces and `number`, in hexadecimal; it is cut
  // where it is too long: begin(hash, {"bot ", id, ", event "}, kind). Where more threads than agreed have a task,
  // those without a place go unnoted. No system call and no memory, but for a thread's first. [any thread]
  void begin(std::uint64_t task, std::initializer_list<std::string_view> name, std::uint32_t number) noexcept;
  static void end() noexcept;

  struct Image;  // what the file is

 private:
  BlackBox() = default;
  [[nodiscard]] const Suspect* find_condemned(std::uint64_t task) const;
  void forget(std::uint64_t task);
  bool take_place() noexcept;

  std::optional<std::chrono::milliseconds> away_;
  std::vector<Suspect> suspects_;
  std::shared_ptr<Image> image_;  // mapped; a thread keeps it, too, until it ends
  unsigned threads_ = 0;
};

}  // namespace botel
