#include "cli/typed_line.hpp"

#include <clocale>
#include <cwchar>

namespace botel::cli {
namespace {

constexpr std::string_view kBack = "\b \b";

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7F; }
bool goes_on(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// How a byte is shown: a control character as ^X, so that nothing that is pasted moves the cursor.
std::string shown(char c) {
  if (c == '\t') return " ";
  return is_control(c) ? std::string{'^', static_cast<char>(c ^ 0x40)} : std::string(1, c);
}

// Where the last character of a line begins.
std::size_t last_character(std::string_view line) {
  std::size_t at = line.size() - 1;
  while (at > 0 && goes_on(line[at])) --at;
  return at;
}

// The code point of one character in UTF-8; 0: it is cut off.
wchar_t decode(std::string_view character) {
  const auto lead = static_cast<unsigned char>(character[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (character.size() != size) return 0;
  auto point = static_cast<wchar_t>(size == 1 ? lead : lead & (0xFF >> (size + 1)));
  for (const char c : character.substr(1)) point = point << 6 | (c & 0x3F);
  return point;
}

// In cells of a terminal: two for Hangul, none for what stands above another character.
std::size_t width(std::string_view character) {
  if (is_control(character[0])) return shown(character[0]).size();
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (!utf8) return 1;
  const locale_t before = uselocale(utf8);
  const int cells = wcwidth(decode(character));
  uselocale(before);
  return cells < 0 ? 1 : static_cast<std::size_t>(cells);
}

}  // namespace

std::string TypedLine::type(std::string_view bytes) {
  std::string echo;
  for (const char c : bytes) {
    if (ended_) break;
    echo += edit(c);
  }
  return echo.substr(0, echo.rfind('\n') == std::string::npos ? echo.size() : echo.rfind('\n') + 1);
}

std::string TypedLine::edit(char key) {
  const auto is = [key](char wanted) { return wanted != '\0' && key == wanted; };
  if (key == '\n') {
    entered_ += std::exchange(line_, {}) + key;
    return "\n";
  }
  if (is(keys_.end)) {
    ended_ = line_.empty();
    entered_ += std::exchange(line_, {});
    return "";
  }
  std::string echo;
  if (is(keys_.erase)) return erase();
  if (is(keys_.kill)) {
    while (!line_.empty()) echo += erase();
    return echo;
  }
  if (is(keys_.word)) {
    while (line_.ends_with(' ')) echo += erase();
    while (!line_.empty() && !line_.ends_with(' ')) echo += erase();
    return echo;
  }
  line_ += key;
  return cli::shown(key);
}

// Takes the last character away.
std::string TypedLine::erase() {
  if (line_.empty()) return "";
  const std::size_t at = last_character(line_);
  std::string echo;
  for (auto cells = width(std::string_view(line_).substr(at)); cells > 0; --cells) echo += kBack;
  line_.erase(at);
  return echo;
}

std::string TypedLine::shown() const {
  std::string all;
  for (const char c : line_) all += cli::shown(c);
  return all;
}

}  // namespace botel::cli
