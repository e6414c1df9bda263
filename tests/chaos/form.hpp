// How much of everything, and by which dice.
#pragma once

#include <cstdint>

namespace chaos {

// BOTEL_CHAOS=long.
[[nodiscard]] bool is_long();
[[nodiscard]] inline int times(int in_short, int in_long) { return is_long() ? in_long : in_short; }
// Of all randomness: BOTEL_CHAOS_SEED, or another one each time.
[[nodiscard]] std::uint64_t seed();

}  // namespace chaos
