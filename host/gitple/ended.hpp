// The conversations that have ended lately: an `end` that comes again is answered like the first one.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"

namespace botel::gitple {

class Ended {
 public:
  static constexpr std::chrono::seconds kMemory{60};

  void add(const std::string& address, const std::string& session, SteadyTime now) {
    forget(now);
    remember(address + "/" + session, now);
    if (!session.empty()) remember(address + "/", now);
  }

  // Whether the conversation ended within kMemory. An empty session stands for any.
  [[nodiscard]] bool has(const std::string& address, const std::string& session, SteadyTime now) {
    forget(now);
    return last_.contains(address + "/" + session);
  }

  // What is not to be remembered any more, also where nobody asks.
  void forget(SteadyTime now) {
    for (; !order_.empty() && now - order_.front().first >= kMemory; order_.pop_front()) {
      const auto found = last_.find(order_.front().second);
      if (found != last_.end() && found->second == order_.front().first) last_.erase(found);
    }
    if (last_.empty() && last_.bucket_count() > 1000) last_ = {};
  }

 private:
  void remember(const std::string& conversation, SteadyTime now) {
    order_.emplace_back(now, conversation);
    last_[conversation] = now;
  }

  std::deque<std::pair<SteadyTime, std::string>> order_;
  std::unordered_map<std::string, SteadyTime> last_;  // when each conversation, "address/session", ended
};

}  // namespace botel::gitple
