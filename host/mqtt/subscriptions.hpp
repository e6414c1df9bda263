// Who holds which topic filter: counts, and what the broker has said. Knows no connection; Link speaks to the broker.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "mqtt/client.hpp"

namespace botel::mqtt {

class Subscriptions {
 public:
  using Done = Client::Done;

  // One more holder. True: the filter is new, ask the broker. `done` is called at once when it is granted already.
  [[nodiscard]] bool add(const std::string& filter, Done done);

  // One holder less. True: it was the last one, tell the broker.
  [[nodiscard]] bool remove(const std::string& filter);

  // The broker was asked for `filters` in the packet `id`: only the answer to the last packet counts.
  void asked(int id, std::vector<std::string> filters);

  // The broker's answer: an empty reason is a grant, anything else a refusal, in the order of the packet.
  // Calls the holders that wait. Returns filters that were granted once, and that their holders now have lost.
  [[nodiscard]] std::vector<std::string> answered(int id, const std::vector<std::string>& reasons);

  // The connection is gone: what was asked is unanswered, and all() must be asked for again.
  void forget_answers();

  [[nodiscard]] std::vector<std::string> all() const;

 private:
  struct Entry {
    unsigned holders = 0;
    bool granted = false;  // once at least
    int packet = 0;        // that asked last
    std::vector<Done> waiting;
  };
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<int, std::vector<std::string>> packets_;
};

}  // namespace botel::mqtt
