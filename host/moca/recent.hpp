// Requests of the last minute, so that one that comes again is not done again. [driver]
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"
#include "base/digest.hpp"

namespace botel::moca {

class Recent {
 public:
  explicit Recent(std::chrono::milliseconds time) : time_(time) {}

  struct Entry {
    std::string address;                // of its connector
    std::optional<std::string> answer;  // nothing: it is under way
    SteadyTime until{};                 // of one that is answered,
    std::uint64_t number = 0;           // in the order of their answers
  };
  // The request with this key, a digest of its topic and payload, if it is there.
  [[nodiscard]] const Entry* find(Digest key, SteadyTime now) {
    forget_old(now);
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  void begin(Digest key, std::string address) {
    const auto [entry, is_new] = entries_.try_emplace(key, Entry{std::move(address), {}});
    if (!is_new) return;
    of_connector_.emplace(entry->second.address, key);
    bytes_ += bytes_of(entry->second);
  }
  // It is known for its time from now on.
  void answered(Digest key, std::string answer, SteadyTime now) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    bytes_ -= bytes_of(entry);
    order_.erase(entry.number);
    entry.answer = std::move(answer);
    entry.until = now + time_;
    entry.number = ++last_;
    order_.emplace(entry.number, key);
    bytes_ += bytes_of(entry);
    // The oldest go; how many are under way is not for this to say.
    while (bytes_ > kMostBytes && !order_.empty()) forget(order_.begin()->second);
  }
  // It may be done again.
  void forget(Digest key) {
    const auto entry = entries_.extract(key);
    if (entry.empty()) return;
    order_.erase(entry.mapped().number);
    of_connector_.erase({entry.mapped().address, key});
    bytes_ -= bytes_of(entry.mapped());
  }
  // All of a connector.
  void forget(const std::string& address) {
    auto place = of_connector_.lower_bound({address, Digest()});
    while (place != of_connector_.end() && place->first == address) forget(place++->second);
  }
  // Those whose time is over, also where nobody asks.
  void forget_old(SteadyTime now) {
    while (!order_.empty() && entries_.at(order_.begin()->second).until <= now) forget(order_.begin()->second);
  }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kMostBytes = 16 << 20;
  static constexpr std::size_t kEntryBytes = 330;  // of one without its answer, in all maps

  static std::size_t bytes_of(const Entry& entry) {
    return kEntryBytes + 2 * entry.address.size() + (entry.answer ? entry.answer->size() : 0);
  }

  const std::chrono::milliseconds time_;
  std::unordered_map<Digest, Entry> entries_;
  std::map<std::uint64_t, Digest> order_;                  // of those that are answered: key by number
  std::set<std::pair<std::string, Digest>> of_connector_;  // keys by address
  std::uint64_t last_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace botel::moca
