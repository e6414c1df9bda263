// MQTT topic names and filters (MQTT 5, section 4.7). Pure functions.
#pragma once

#include <string_view>
#include <vector>

namespace botel::mqtt {

// Whether one may publish to `topic` on any broker: UTF-8 without control characters, no wildcard, not empty, at most
// 65,535 bytes and 200 levels (mosquitto ends the connection of whoever uses more).
[[nodiscard]] bool valid_topic(std::string_view topic);

// Whether one may subscribe `filter`: the same, with wildcards where they may stand.
[[nodiscard]] bool valid_filter(std::string_view filter);

// Whether `filter` takes in `topic`; both valid.
[[nodiscard]] bool matches(std::string_view filter, std::string_view topic);

// Whether some topic is taken in by both filters; both valid.
[[nodiscard]] bool overlap(std::string_view a, std::string_view b);

// The levels of `topic`, borrowed from it.
[[nodiscard]] std::vector<std::string_view> levels(std::string_view topic);

}  // namespace botel::mqtt
