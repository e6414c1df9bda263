// Times as an operator writes them.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace botel::app {

// A number with a unit: "500ms", "1.5s", "5m", "1h", "7d". Nothing when it is anything else, or negative.
[[nodiscard]] std::optional<std::chrono::duration<double>> read_duration(std::string_view text);

}  // namespace botel::app
