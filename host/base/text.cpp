#include "base/text.hpp"

#include <fmt/core.h>

#include "base/json.hpp"

namespace botel {
namespace {

constexpr std::string_view kReplacement = "\uFFFD";

// How many bytes at `at` are a control character of more than one byte: U+0080 to U+009F, the line separators, and what
// turns the direction of writing. `text` is UTF-8.
std::size_t long_control(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool general = byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE;
  const bool isolate = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return general || isolate ? 3 : 0;
}

}  // namespace

std::string clean(std::string_view text) {
  if (!json::valid_utf8(text)) {
    const std::string repaired = json::quoted(text);
    return clean(json::text({json::Kind::string, repaired}));
  }
  std::string line;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '\t' || byte == '\n' || byte == '\r') {
      line += ' ';
    } else if (byte < 0x20 || byte == 0x7F) {
      line += kReplacement;
    } else if (const auto size = long_control(text, at)) {
      line += kReplacement;
      at += size - 1;
    } else {
      line += text[at];
    }
  }
  return line;
}

std::string counted(std::size_t number, std::string_view noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

}  // namespace botel
