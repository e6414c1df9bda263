// Requests of the last minute, so that one that comes again is not done again. [driver]
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"

namespace botel::moca {

class Recent {
 public:
  explicit Recent(std::chrono::milliseconds time) : time_(time) {}

  struct Entry {
    std::string address;                // of its connector
    std::optional<std::string> answer;  // nothing: it is under way
  };
  // The request with this key, if it is there.
  [[nodiscard]] const Entry* find(std::uint64_t key, SteadyTime now) {
    forget_old(now);
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  void begin(std::uint64_t key, std::string address, SteadyTime now) {
    if (entries_.try_emplace(key, Entry{std::move(address), {}}).second) order_.emplace_back(now + time_, key);
  }
  void answered(std::uint64_t key, std::string answer) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    bytes_ += answer.size();
    found->second.answer = std::move(answer);
    while (bytes_ > kMostBytes && !order_.empty()) forget_first();
  }
  // It may be done again.
  void forget(std::uint64_t key) { remove(key); }
  void forget(std::string_view address) {
    std::erase_if(entries_, [&](const auto& entry) {
      const bool gone = entry.second.address == address;
      if (gone && entry.second.answer) bytes_ -= entry.second.answer->size();
      return gone;
    });
  }

 private:
  static constexpr std::size_t kMostBytes = 16 << 20;  // of answers

  void remove(std::uint64_t key) {
    const auto entry = entries_.extract(key);
    if (!entry.empty() && entry.mapped().answer) bytes_ -= entry.mapped().answer->size();
  }
  void forget_first() {
    remove(order_.front().second);
    order_.pop_front();
  }
  void forget_old(SteadyTime now) {
    while (!order_.empty() && order_.front().first <= now) forget_first();
  }

  const std::chrono::milliseconds time_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::deque<std::pair<SteadyTime, std::uint64_t>> order_;  // when they are forgotten; some may be already
  std::size_t bytes_ = 0;
};

}  // namespace botel::moca
