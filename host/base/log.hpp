// The log, on stderr: text for people or one JSON object a line. No secret and no payload belongs there at info. What
// is written may be dropped where nobody reads it (log_output.hpp).
// [any thread]
#pragma once

#include <fmt/core.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/counters.hpp"

namespace botel::log {

enum class Level { debug, info, warning, error };
enum class Format { text, json };

// Once, before the first line; info and text until then.
void set_up(Level level, Format format);

// From here on nobody waits for whoever reads stdout and stderr: a thread writes to them. What is left at exit() is
// written then, where that takes no longer than half a second.
void start_thread();

// The same wait, for an end that is no exit().
void flush();
void flush_in_signal_handler(std::chrono::milliseconds time) noexcept;

// A line of a command on stdout or stderr, in order with those of the log.
void print(int fd, std::string_view line);

// While it lives, lines that are dropped are counted.
class DroppedLines {
 public:
  explicit DroppedLines(Counters& counters);
  ~DroppedLines();
  DroppedLines(const DroppedLines&) = delete;
  DroppedLines& operator=(const DroppedLines&) = delete;
};

[[nodiscard]] bool enabled(Level level);
void write(Level level, std::string_view line);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

// `text` from outside as it may stand in a line: clean(), and cut at `longest` bytes.
[[nodiscard]] std::string printable(std::string_view text, std::size_t longest = 80);

// Warnings about what comes from outside, where somebody may send a flood of it: at most 100 lines a second, and then
// how many were left out. Of one thread.
class Throttle {
 public:
  template <class... Args>
  void warning(fmt::format_string<Args...> format, Args&&... args) {
    if (allow()) log::warning(format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) {
    if (allow()) log::error(format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) {
    if (allow()) log::info(format, std::forward<Args>(args)...);
  }

 private:
  bool allow();

  std::chrono::steady_clock::time_point second_{};  // when the one began that is counted
  unsigned lines_ = 0;                              // since then
};

}  // namespace botel::log
