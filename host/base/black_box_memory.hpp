// What the black box knows, in memory: threads note their tasks here, and never wait for anybody.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "base/black_box.hpp"
#include "base/black_box_file.hpp"

namespace botel::black_box {

// A thread's place. Who reads a task that its thread is changing meanwhile gets nothing. [owner]: the thread which has
// taken it.
class alignas(64) Slot {
 public:
  // Whether the slot was free, and is this thread's now. [any thread]
  [[nodiscard]] bool take() noexcept;
  void leave() noexcept;  // [owner]

  // `name` as for BlackBox::begin(). [owner]
  void begin(std::uint64_t task, std::initializer_list<std::string_view> name, std::uint32_t number) noexcept;
  void end() noexcept { set(kIdle); }  // [owner]

  // A number for what is running, which no other task in this slot gets, not even the same one once more. 0: nothing
  // is. [any thread], also in a signal handler
  [[nodiscard]] std::uint64_t run() const noexcept;

  // What is running as `run`, as the record of a thread. False where it is not any more. As above.
  [[nodiscard]] bool read(std::uint64_t run, Record& to) const noexcept;

 private:
  // In the lowest bits of run_; the others count the tasks.
  enum State : std::uint64_t { kNobodys = 0, kIdle = 1, kBusy = 2, kAllStates = 3 };

  void set(State state) noexcept {
    run_.store((run_.load(std::memory_order_relaxed) & ~kAllStates) | state, std::memory_order_release);
  }

  // A reader that sees a word of another task than the one it looks for sees that run_ has changed, too: each word is
  // stored with "release" after that, and loaded with "acquire" before. (A fence would do it, but tsan knows none.)
  using Word = std::atomic<std::uint64_t>;
  Word run_{};
  Word task_{};
  Word length_{};
  std::array<Word, sizeof(Record::name) / sizeof(Word)> name_{};
};

class Memory {
 public:
  explicit Memory(std::size_t threads) : slots(threads) {}

  // The record of a suspect; of a free place where it is forgotten. [any thread], also in a signal handler
  [[nodiscard]] Record suspect(std::size_t i) const noexcept;

  std::array<Record, BlackBox::kMostSuspects> suspects{};  // changed only before others see it
  std::array<std::atomic<bool>, BlackBox::kMostSuspects> forgotten{};
  std::atomic<std::int64_t> alive_ms{};
  std::atomic<bool> ended_well{false};
  std::vector<Slot> slots;
  std::unique_ptr<const File> file;
};

}  // namespace botel::black_box
