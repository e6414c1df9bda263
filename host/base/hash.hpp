// A 64-bit hash that is the same in every run and on every machine, so that it may be stored.
#pragma once

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace botel {

// `seed`: the hash of what stands before, to hash several texts as one.
[[nodiscard]] inline std::uint64_t hash(std::string_view text, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace botel
