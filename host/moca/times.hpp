// Times as services write them, and as MOCA reads them. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace botel::moca {

// Unix milliseconds of an RFC 3339 time, such as 2024-05-01T11:01:00.25+02:00. Nothing: it is none.
[[nodiscard]] std::optional<std::int64_t> read_time(std::string_view text);

// In UTC, in the one form that every reader of ISO 8601 knows: 2024-05-01T09:01:00.250+00:00, without a fraction of
// nothing.
[[nodiscard]] std::string time_as_text(std::int64_t unix_ms);

}  // namespace botel::moca
