#include "cli/fresh_id.hpp"

#include <random>

namespace botel::cli {

std::uint64_t fresh_id() {
  static std::random_device random;
  return std::uniform_int_distribution<std::uint64_t>(1'000'000'000, 1'000'000'000'000'000)(random);
}

}  // namespace botel::cli
