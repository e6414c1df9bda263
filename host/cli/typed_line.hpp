// A line that is being typed: what a terminal's own line mode does, which ends a line at 4,095 bytes, for any length.
// Pure: keys in, lines and what is to be seen out.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace botel::cli {

// That do something, as the terminal is set. NUL: none does.
struct EditingKeys {
  char erase = '\0';  // the last character
  char word = '\0';   // the last word
  char kill = '\0';   // all of the line
  char end = '\0';    // the end of the input, or of this part of a line
};

class TypedLine {
 public:
  explicit TypedLine(EditingKeys keys = {}) : keys_(keys) {}

  // Takes bytes as they were typed or pasted; characters may come in pieces. Returns what shows that: nothing of what
  // stands behind the end of a line, which is for the next prompt.
  std::string type(std::string_view bytes);

  // What has been entered: lines with their ends, and what was ended without one.
  std::string take() { return std::exchange(entered_, {}); }
  // The end has been typed: no more comes.
  [[nodiscard]] bool has_ended() const { return ended_; }
  // What stands behind the last end of a line, and how it is seen.
  [[nodiscard]] const std::string& unfinished() const { return line_; }
  [[nodiscard]] std::string shown() const;
  void forget() { line_.clear(); }

 private:
  std::string edit(char key);
  std::string erase();

  EditingKeys keys_;
  std::string line_, entered_;
  bool ended_ = false;
};

}  // namespace botel::cli
