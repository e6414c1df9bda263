// Ids that a command makes up.
#pragma once

#include <cstdint>

namespace botel::cli {

// Large enough to be nobody else's, and small enough for JavaScript.
[[nodiscard]] std::uint64_t fresh_id();

}  // namespace botel::cli
