#include "mqtt/subscriptions.hpp"

#include <utility>

namespace botel::mqtt {

bool Subscriptions::add(const std::string& filter, Done done) {
  Entry& entry = entries_[filter];
  const bool first = entry.holders++ == 0;
  if (entry.granted) {
    done({});
  } else {
    entry.waiting.push_back(std::move(done));
  }
  return first;
}

bool Subscriptions::remove(const std::string& filter) {
  const auto found = entries_.find(filter);
  if (found == entries_.end() || --found->second.holders > 0) return false;
  entries_.erase(found);
  return true;
}

void Subscriptions::asked(int id, std::vector<std::string> filters) {
  for (const auto& filter : filters) entries_[filter].packet = id;
  packets_[id] = std::move(filters);
}

std::vector<std::string> Subscriptions::answered(int id, const std::vector<std::string>& reasons) {
  std::vector<std::string> lost;
  const auto packet = packets_.extract(id);
  if (packet.empty()) return lost;
  for (std::size_t i = 0; i < packet.mapped().size(); ++i) {
    const std::string& filter = packet.mapped()[i];
    const auto found = entries_.find(filter);
    if (found == entries_.end() || found->second.packet != id) continue;
    const auto waiting = std::exchange(found->second.waiting, {});
    const bool granted = i < reasons.size() && reasons[i].empty();
    if (granted) {
      found->second.granted = true;
    } else if (found->second.granted) {
      lost.push_back(filter);
    } else {
      entries_.erase(found);
    }
    // Last, as a holder may add or remove filters.
    for (const Done& done : waiting) {
      if (granted) {
        done({});
      } else {
        done(failure("{}", i < reasons.size() ? reasons[i] : "the broker's answer is too short"));
      }
    }
  }
  return lost;
}

void Subscriptions::forget_answers() { packets_.clear(); }

std::vector<std::string> Subscriptions::all() const {
  std::vector<std::string> filters;
  filters.reserve(entries_.size());
  for (const auto& [filter, entry] : entries_) filters.push_back(filter);
  return filters;
}

}  // namespace botel::mqtt
