#include "mqtt/subscriptions.hpp"

#include <algorithm>
#include <utility>

namespace botel::mqtt {

bool Subscriptions::add(const std::string& filter, Done done) {
  Entry& entry = entries_[filter];
  if (entry.holders++ == 0) entry.order = ++added_;
  if (entry.granted) {
    if (done) done({});
    return false;
  }
  if (done) {
    entry.waiting.push_back(std::move(done));
  } else {
    entry.kept = true;
  }
  return entry.packet == 0;
}

bool Subscriptions::remove(const std::string& filter) {
  const auto found = entries_.find(filter);
  if (found == entries_.end() || --found->second.holders > 0) return false;
  entries_.erase(found);
  return true;
}

void Subscriptions::asked(int id, const std::string& filter) {
  entries_[filter].packet = id;
  packets_[id] = filter;
}

std::optional<Subscriptions::Lost> Subscriptions::answered(int id, const std::string& reason) {
  const auto packet = packets_.extract(id);
  if (packet.empty()) return {};
  const auto found = entries_.find(packet.mapped());
  if (found == entries_.end() || found->second.packet != id) return {};
  Entry& entry = found->second;
  entry.packet = 0;
  entry.granted = reason.empty();
  const auto waiting = std::exchange(entry.waiting, {});
  const bool lost = !entry.granted && entry.kept;
  const bool is_news = !std::exchange(entry.lost, lost);
  entry.kept |= entry.granted;
  if (!entry.granted) {
    // Those who waited do not hold it; the others do, if there are any.
    entry.holders -= static_cast<unsigned>(waiting.size());
    if (entry.holders == 0) entries_.erase(found);
  }
  // Last, as a holder may add or remove filters.
  for (const Done& done : waiting) done(reason.empty() ? Result<>() : failure("{}", reason));
  if (lost) return Lost{packet.mapped(), is_news};
  return {};
}

void Subscriptions::forget_answers() {
  packets_.clear();
  for (auto& [filter, entry] : entries_) {
    entry.packet = 0;
    entry.granted = false;
  }
}

bool Subscriptions::grants(const std::string& filter) const {
  const auto found = entries_.find(filter);
  return found != entries_.end() && found->second.granted;
}

bool Subscriptions::misses(const std::string& filter) const {
  const auto found = entries_.find(filter);
  return found != entries_.end() && !found->second.granted && found->second.packet == 0;
}

std::vector<std::string> Subscriptions::all() const {
  std::vector<const std::pair<const std::string, Entry>*> entries;
  for (const auto& entry : entries_) entries.push_back(&entry);
  std::ranges::sort(entries, {}, [](const auto* entry) { return entry->second.order; });
  std::vector<std::string> filters;
  for (const auto* entry : entries) filters.push_back(entry->first);
  return filters;
}

}  // namespace botel::mqtt
