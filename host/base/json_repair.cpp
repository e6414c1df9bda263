#include "base/json_repair.hpp"

#include <charconv>
#include <optional>

namespace botel::json {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // U+FEFF, the byte order mark
constexpr std::size_t kEscape = 6;                  // bytes of \uXXXX

std::string_view without_ends(std::string_view text) {
  while (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  for (;;) {
    if (text.ends_with(kMark)) {
      text.remove_suffix(kMark.size());
    } else if (!text.empty() && std::string_view("\0 \t\r\n", 5).find(text.back()) != std::string_view::npos) {
      text.remove_suffix(1);
    } else {
      return text;
    }
  }
}

// The UTF-16 unit that the escape \uXXXX at `at` stands for; nothing when it is another escape, or none.
std::optional<unsigned> unit_at(std::string_view text, std::size_t at) {
  if (text.size() < at + kEscape || text[at] != '\\' || text[at + 1] != 'u') return {};
  unsigned unit = 0;
  const char* const end = text.data() + at + kEscape;
  const auto [stop, error] = std::from_chars(text.data() + at + 2, end, unit, 16);
  return stop == end && error == std::errc() ? std::optional(unit) : std::nullopt;
}

bool is_first_half(std::optional<unsigned> unit) { return unit && *unit >= 0xD800 && *unit < 0xDC00; }
bool is_second_half(std::optional<unsigned> unit) { return unit && *unit >= 0xDC00 && *unit < 0xE000; }

// Where the next half of a pair stands alone, from `at` on. A backslash has a meaning only in strings, and outside of
// them the reader refuses it.
std::size_t find_half(std::string_view text, std::size_t at) {
  while ((at = text.find('\\', at)) != std::string_view::npos) {
    const auto unit = unit_at(text, at);
    if (!unit) {
      at += 2;
    } else if (is_first_half(unit) && is_second_half(unit_at(text, at + kEscape))) {
      at += 2 * kEscape;
    } else if (is_first_half(unit) || is_second_half(unit)) {
      return at;
    } else {
      at += kEscape;
    }
  }
  return at;
}

}  // namespace

Repaired::Repaired(std::string_view text) : original_(without_ends(text)), text_(original_) {
  for (auto at = find_half(original_, 0); at != std::string_view::npos; at = find_half(original_, at + kEscape)) {
    if (copy_.empty()) copy_ = original_;
    // As long as what it replaces, so that everything stays where it is.
    copy_.replace(at, kEscape, "\\ufffd");
  }
  if (!copy_.empty()) text_ = copy_;
}

std::string_view Repaired::original(std::string_view part) const {
  return original_.substr(static_cast<std::size_t>(part.data() - text_.data()), part.size());
}

}  // namespace botel::json
