// What a bot or a connector did for one event, as lines to compare and to read in a test's report.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace botel::testing {

struct Lines : std::vector<std::string> {
  using std::vector<std::string>::vector;

  // The lines as one text, for a short comparison: CHECK(talk.message("hi") == "typing\nsay hello").
  std::string text() const {
    std::string text;
    for (const std::string& line : *this) text += text.empty() ? line : "\n" + line;
    return text;
  }
  friend bool operator==(const Lines& lines, const char* text) { return lines.text() == text; }
  friend bool operator==(const Lines& lines, const std::string& text) { return lines.text() == text; }
  friend std::ostream& operator<<(std::ostream& out, const Lines& lines) { return out << lines.text(); }
};

}  // namespace botel::testing
