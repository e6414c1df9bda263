// Where gitple's answers to the bots' own requests are to come: what Botel gives out as resPub. [driver]
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "gitple/filters.hpp"
#include "mqtt/client.hpp"

namespace botel::gitple {

class AnswerTopics {
 public:
  // `filters` are subscribed already; both outlive this.
  AnswerTopics(mqtt::Client& client, const std::vector<std::string>& filters) : client_(client), filters_(filters) {}

  // A room gives the topic out, until it is removed as often. What the filters do not take in is subscribed. An empty
  // topic: it gives out none.
  void add(const std::string& topic) {
    if (topic.empty() || ++rooms_[topic] > 1 || takes_in(filters_, topic)) return;
    client_.subscribe(topic, {});
  }
  void remove(const std::string& topic) {
    const auto found = rooms_.find(topic);
    if (found == rooms_.end() || --found->second > 0) return;
    rooms_.erase(found);
    if (!takes_in(filters_, topic)) client_.unsubscribe(topic);
  }

  [[nodiscard]] bool has(const std::string& topic) const { return rooms_.contains(topic); }

 private:
  mqtt::Client& client_;
  const std::vector<std::string>& filters_;
  std::unordered_map<std::string, std::size_t> rooms_;  // how many give it out, by topic
};

}  // namespace botel::gitple
