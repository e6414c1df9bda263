// The messages that a room's user has sent lately, by their content: a publisher that sends again after a lost
// connection cannot know whether the first one has arrived. [driver]
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace botel::gitple {

class Repeats {
 public:
  // Beyond these the oldest ones are forgotten early.
  static constexpr std::size_t kMost = 100;

  // Whether a message with this content was taken within `memory`, and otherwise remembers that it is now.
  [[nodiscard]] bool has_or_add(std::uint64_t content, std::int64_t host_ms, std::chrono::milliseconds memory);

  [[nodiscard]] bool empty() const { return taken_.empty(); }
  // A JSON list, for the next run.
  [[nodiscard]] std::string json() const;
  // What is no such list is forgotten.
  [[nodiscard]] static Repeats read(std::string_view json);

 private:
  struct Taken {
    std::uint64_t content;
    std::int64_t host_ms;
  };
  std::deque<Taken> taken_;  // in order
};

}  // namespace botel::gitple
