#include "gitple/repeats.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.hpp"

namespace botel::gitple {

bool Repeats::has_or_add(std::uint64_t content, std::int64_t host_ms, std::chrono::milliseconds memory) {
  std::erase_if(taken_, [&](const Taken& taken) { return host_ms - taken.host_ms >= memory.count(); });
  if (std::ranges::find(taken_, content, &Taken::content) != taken_.end()) return true;
  if (taken_.size() >= kMost) taken_.pop_front();
  taken_.push_back({content, host_ms});
  return false;
}

std::string Repeats::json() const {
  std::string json = "[";
  for (const Taken& taken : taken_) {
    if (json.size() > 1) json += ",";
    // As a signed number, which is what json::integer() reads.
    json += fmt::format("[{},{}]", static_cast<std::int64_t>(taken.content), taken.host_ms);
  }
  return json + "]";
}

Repeats Repeats::read(std::string_view json) {
  Repeats repeats;
  const auto list = json::read(json);
  if (!list) return repeats;
  for (const auto& element : list->elements) {
    const auto pair = json::read(element.raw);
    if (!pair || pair->elements.size() != 2 || repeats.taken_.size() >= kMost) continue;
    const auto content = json::integer(pair->elements[0]), time = json::integer(pair->elements[1]);
    if (content && time) repeats.taken_.push_back({static_cast<std::uint64_t>(*content), *time});
  }
  return repeats;
}

}  // namespace botel::gitple
