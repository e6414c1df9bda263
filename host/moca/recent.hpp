// Requests of the last minute, so that one that comes again is not done again. [driver]
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
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
    SteadyTime until{};
    std::uint64_t number = 0;  // in the order of beginning
  };
  // The request with this key, if it is there.
  [[nodiscard]] const Entry* find(std::uint64_t key, SteadyTime now) {
    forget_old(now);
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  void begin(std::uint64_t key, std::string address, SteadyTime now) {
    const auto [entry, is_new] = entries_.try_emplace(key, Entry{std::move(address), {}, now + time_, last_ + 1});
    if (!is_new) return;
    order_.emplace(++last_, key);
    of_connector_.emplace(std::pair(entry->second.address, last_), key);
    bytes_ += bytes_of(entry->second);
  }
  void answered(std::uint64_t key, std::string answer) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    bytes_ -= bytes_of(found->second);
    found->second.answer = std::move(answer);
    bytes_ += bytes_of(found->second);
    make_room();
  }
  // It may be done again.
  void forget(std::uint64_t key) {
    const auto entry = entries_.extract(key);
    if (entry.empty()) return;
    order_.erase(entry.mapped().number);
    of_connector_.erase({entry.mapped().address, entry.mapped().number});
    bytes_ -= bytes_of(entry.mapped());
  }
  // All of a connector.
  void forget(const std::string& address) {
    auto place = of_connector_.lower_bound({address, 0});
    while (place != of_connector_.end() && place->first.first == address) forget(place++->second);
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kMostBytes = 16 << 20;
  static constexpr std::size_t kEntryBytes = 300;  // of one without its answer, in all maps

  static std::size_t bytes_of(const Entry& entry) {
    return kEntryBytes + 2 * entry.address.size() + (entry.answer ? entry.answer->size() : 0);
  }
  // The oldest go, but for those that are under way: how many those are is not for this to say.
  void make_room() {
    for (auto place = order_.begin(); bytes_ > kMostBytes && place != order_.end();) {
      const std::uint64_t key = place++->second;
      if (entries_.at(key).answer) forget(key);
    }
  }
  void forget_old(SteadyTime now) {
    while (!order_.empty() && entries_.at(order_.begin()->second).until <= now) forget(order_.begin()->second);
  }

  const std::chrono::milliseconds time_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::map<std::uint64_t, std::uint64_t> order_;                                 // key by number,
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> of_connector_;  // and by address and number
  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace botel::moca
