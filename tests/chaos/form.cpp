#include "chaos/form.hpp"

#include <cstdlib>
#include <random>
#include <string>

namespace chaos {
namespace {

std::uint64_t read_seed() {
  const char* const given = std::getenv("BOTEL_CHAOS_SEED");
  return given ? std::strtoull(given, nullptr, 10) : std::random_device()() % 1'000'000;
}

}  // namespace

bool is_long() {
  const char* const form = std::getenv("BOTEL_CHAOS");
  return form && std::string(form) == "long";
}

std::uint64_t seed() {
  static const std::uint64_t value = read_seed();
  return value;
}

}  // namespace chaos
