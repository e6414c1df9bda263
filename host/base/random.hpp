// Numbers that nobody can guess.
#pragma once

#include <cstdint>
#include <random>

namespace botel {

[[nodiscard]] inline std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

}  // namespace botel
