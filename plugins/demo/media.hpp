// The media of the demo's history: made, not stored, and the same bytes each time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <botel/items.hpp>

namespace demo {

struct Media {
  std::string filename, mime;
  std::size_t size;
  // At most `limit` bytes from `offset` on.
  std::function<std::string(std::size_t offset, std::size_t limit)> read;
};

// What a message of such a content shows; nothing: it has no media.
std::optional<Media> media_of(botel::Content::Type type);
std::optional<Media> media_named(const std::string& filename);

// The document noise.bin.
inline constexpr std::size_t kNoiseSize = 3'000'000;
// Its byte at `offset`, as splitmix64 makes it: eight from each number, the lowest first.
constexpr std::uint8_t noise(std::size_t offset) {
  std::uint64_t x = (offset / 8 + 1) * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  x ^= x >> 31;
  return static_cast<std::uint8_t>(x >> (offset % 8 * 8));
}

}  // namespace demo
