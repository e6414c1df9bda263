// Who holds which topic filter: counts, and what the broker has said. Knows no connection; Link speaks to the broker.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "mqtt/client.hpp"

namespace botel::mqtt {

class Subscriptions {
 public:
  using Done = Client::Done;

  // One more holder. True: ask the broker for it. `done` is called at once when it is granted already. An empty one: it
  // is kept when it is refused.
  [[nodiscard]] bool add(const std::string& filter, Done done);

  // One holder less. True: it was the last one, tell the broker.
  [[nodiscard]] bool remove(const std::string& filter);

  // The broker was asked for `filter` in the packet `id`, which is not 0: only the answer to the last packet counts.
  void asked(int id, const std::string& filter);

  // A filter that is refused, but kept, in case that it is granted later.
  struct Lost {
    std::string filter;
    bool is_news;  // it was not refused before
  };
  // The broker's answer: an empty reason is a grant, anything else a refusal. Calls the holders that wait. Returns what
  // is lost: it was granted before, or somebody keeps it all the same.
  [[nodiscard]] std::optional<Lost> answered(int id, const std::string& reason);

  // The connection is gone: nothing is granted, and all() must be asked for again.
  void forget_answers();

  [[nodiscard]] bool holds(const std::string& filter) const { return entries_.contains(filter); }

  // Whether the broker has answered everything.
  [[nodiscard]] bool settled() const { return packets_.empty(); }
  [[nodiscard]] std::size_t unanswered() const { return packets_.size(); }

  [[nodiscard]] bool grants(const std::string& filter) const;
  // Whether it is held, but neither granted nor asked for.
  [[nodiscard]] bool misses(const std::string& filter) const;

  // In the order in which they were added.
  [[nodiscard]] std::vector<std::string> all() const;

 private:
  struct Entry {
    std::uint64_t order = 0;
    unsigned holders = 0;
    bool granted = false;
    bool kept = false;  // also when it is refused
    bool lost = false;  // it was refused last time, and is kept
    int packet = 0;     // that asks for it now
    std::vector<Done> waiting;
  };
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<int, std::string> packets_;
  std::uint64_t added_ = 0;
};

}  // namespace botel::mqtt
