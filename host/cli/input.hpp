// Lines from a descriptor that is polled.
#pragma once

#include <optional>
#include <string>

namespace botel::cli {

class Input {
 public:
  explicit Input(int descriptor) : descriptor_(descriptor) {}

  // To poll for: there is no line yet, and more may come.
  [[nodiscard]] bool wants_more() const { return !ended_ && !has_line(); }
  // Reads what is there; blocks where nothing is.
  void read_some();

  [[nodiscard]] bool has_line() const;
  // All has been taken, and no more comes.
  [[nodiscard]] bool at_end() const { return ended_ && text_.empty(); }
  // The next line, without its end. The last one may have none; one that is far too long is cut into several.
  std::optional<std::string> take_line();
  // What has been read and not been taken.
  void forget() { text_.clear(); }

 private:
  const int descriptor_;
  std::string text_;
  bool ended_ = false;
};

}  // namespace botel::cli
