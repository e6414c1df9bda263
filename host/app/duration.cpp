#include "app/duration.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace botel::app {
namespace {

// By how many seconds it has.
constexpr std::array<std::pair<std::string_view, double>, 5> kUnits{
    {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};

}  // namespace

std::optional<std::chrono::duration<double>> read_duration(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return {};
  double number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return {};
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  const auto unit = std::ranges::find(kUnits, text, &std::pair<std::string_view, double>::first);
  if (unit == kUnits.end()) return {};
  return std::chrono::duration<double>(number * unit->second);
}

}  // namespace botel::app
