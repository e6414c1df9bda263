// The account of one room: what was sent to it, what came from it, and what its bot says that it saw (numbers.hpp,
// plugins/counting.cpp). It decides what is lost, doubled and out of order.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace chaos {

using Clock = std::chrono::steady_clock;

struct Counts {
  long long sent = 0, handled = 0, lost = 0, doubled = 0, reordered = 0;  // messages to the bot
  long long answers = 0;                                                  // what the bot must have said, once each
  long long missing = 0;                                                  // of these
  long long overtaken = 0;                                                // out of order, by their first occurrence
  long long repeats = 0;                                                  // said again, which is allowed
  long long differing = 0;                                                // of these: not the same bytes
  long long timers = 0, timers_lost = 0, timers_doubled = 0;
  long long timers_missing = 0;  // that fired, and what the bot said then did not arrive

  Counts& operator+=(const Counts& more);
};

struct Balance {
  Counts counts;
  std::map<std::string, std::vector<long long>> lost;  // numbers, by room
  std::vector<std::string> complaints;                 // one sentence a fault

  Balance& operator+=(const Balance& more);
};

// Nothing lost, doubled or out of order, in either direction.
[[nodiscard]] bool is_clean(const Counts& counts);

class Ledger {
 public:
  explicit Ledger(std::string room) : room_(std::move(room)) {}

  // The next numbered message: 1, 2, 3, ...
  long long send_number(bool with_timer);
  void send_tick() { ++ticks_; }
  // What came from the bot: a payload as in docs/gitple.md.
  void hear(const std::string& payload);

  [[nodiscard]] long long last_number() const { return last_number_; }
  [[nodiscard]] bool has_heard(const std::string& name) const { return first_.contains(name); }
  [[nodiscard]] std::size_t timers_waited_for() const { return timers_.size() - timers_heard_; }
  // How many names were heard, without repeats.
  [[nodiscard]] std::size_t heard() const { return first_.size(); }
  // The state that the bot gave with report `number`; empty until all of it has come.
  [[nodiscard]] std::string report(int number) const;

  // `state`: the bot's last report.
  [[nodiscard]] Balance balance(const std::string& state) const;

 private:
  void judge_order(const std::string& payload, const std::string& name);

  std::string room_;
  long long last_number_ = 0, ticks_ = 0;
  std::set<long long> timers_;  // the numbers that set one
  std::size_t timers_heard_ = 0;
  std::map<std::string, std::string> first_;  // payloads by the name of what was said
  long long highest_said_ = 0, highest_time_ = 0;
  Counts outgoing_;
  std::vector<std::string> complaints_;
};

}  // namespace chaos
