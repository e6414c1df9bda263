// What the black box knows, in memory.
#include "base/black_box_memory.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace botel::black_box {
namespace {

constexpr std::size_t kLongestNumber = sizeof "0xffffffff" - 1;
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace

bool Slot::take() noexcept {
  std::uint64_t run = run_.load();
  return (run & kAllStates) == kNobodys && run_.compare_exchange_strong(run, run | kIdle);
}

void Slot::leave() noexcept { set(kNobodys); }

void Slot::begin(std::uint64_t task, std::initializer_list<std::string_view> name, std::uint32_t number) noexcept {
  const std::uint64_t next = (run_.load(std::memory_order_relaxed) | kAllStates) + 1;
  run_.store(next | kIdle, std::memory_order_relaxed);

  std::array<char, sizeof(Record::name)> text;
  char* to = text.data();
  char* const end = text.data() + text.size();
  for (const std::string_view piece : name) to += piece.copy(to, static_cast<std::size_t>(end - kLongestNumber - to));
  to = std::copy_n("0x", 2, to);
  to = std::to_chars(to, end, number, 16).ptr;

  const auto length = static_cast<std::size_t>(to - text.data());
  std::fill_n(to, std::min<std::ptrdiff_t>(end - to, sizeof(Word)), '\0');
  for (std::size_t i = 0; i * sizeof(Word) < length; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i * sizeof word, sizeof word);
    name_[i].store(word, std::memory_order_release);
  }
  task_.store(task, std::memory_order_release);
  length_.store(length, std::memory_order_release);
  run_.store(next | kBusy, std::memory_order_release);
}

std::uint64_t Slot::run() const noexcept {
  const std::uint64_t run = run_.load(std::memory_order_acquire);
  return (run & kAllStates) == kBusy ? run : 0;
}

bool Slot::read(std::uint64_t run, Record& to) const noexcept {
  to = {};
  to.state = kRunning;
  to.task = task_.load(std::memory_order_acquire);
  to.length = static_cast<std::uint32_t>(length_.load(std::memory_order_acquire));
  for (std::size_t i = 0; i * sizeof(Word) < to.length; ++i) {
    const std::uint64_t word = name_[i].load(std::memory_order_acquire);
    std::memcpy(to.name + i * sizeof word, &word, sizeof word);
  }
  return run_.load(std::memory_order_relaxed) == run;
}

Record Memory::suspect(std::size_t i) const noexcept {
  return forgotten[i].load(std::memory_order_relaxed) ? Record{} : suspects[i];
}

}  // namespace botel::black_box
