// Topic filters of the configuration.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/topics.hpp"

namespace botel::gitple {

// Whether one of `filters` takes in `topic`; a shared one is $share/GROUP/FILTER.
[[nodiscard]] inline bool takes_in(const std::vector<std::string>& filters, std::string_view topic) {
  return std::ranges::any_of(filters, [&](std::string_view filter) {
    if (filter.starts_with("$share/")) filter.remove_prefix(filter.find('/', 7) + 1);
    return mqtt::matches(filter, topic);
  });
}

}  // namespace botel::gitple
