// What is to be done later, by time and then by order of setting. Knows no clock: it is told what time it is. [driver]
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/clock.hpp"

namespace botel::runtime {

class Timers {
 public:
  using Id = std::uint64_t;  // never 0

  Id set(SteadyTime due, std::function<void()> action) {
    const Id id = ++last_;
    queue_.emplace(std::pair(due, id), std::move(action));
    due_.emplace(id, due);
    return id;
  }

  // Nothing happens when it has fired already, or for 0.
  void cancel(Id id) {
    const auto found = due_.find(id);
    if (found == due_.end()) return;
    queue_.erase({found->second, id});
    due_.erase(found);
  }

  // Does what is due at `now`. An action may set and cancel others; what it sets for `now` is done, too.
  void advance(SteadyTime now) {
    while (!queue_.empty() && queue_.begin()->first.first <= now) {
      auto first = queue_.extract(queue_.begin());
      due_.erase(first.key().second);
      first.mapped()();
    }
  }

  [[nodiscard]] std::optional<SteadyTime> next() const {
    if (queue_.empty()) return {};
    return queue_.begin()->first.first;
  }

 private:
  Id last_ = 0;
  std::map<std::pair<SteadyTime, Id>, std::function<void()>> queue_;
  std::unordered_map<Id, SteadyTime> due_;
};

}  // namespace botel::runtime
