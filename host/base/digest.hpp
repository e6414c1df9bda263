// 128 bits by which a text is known again, also in another run: of SHA-256, so that nobody can make another text that
// has the same.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace botel {

struct Digest {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Digest&) const = default;

  // 32 hexadecimal digits, and from there; from anything else comes Digest().
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] static Digest from_hex(std::string_view hex);
};

// Of texts one behind the other. Where one of them ends is a part of it.
[[nodiscard]] Digest digest(std::initializer_list<std::string_view> texts);

}  // namespace botel

template <>
struct std::hash<botel::Digest> {
  std::size_t operator()(const botel::Digest& digest) const noexcept { return digest.low; }
};
