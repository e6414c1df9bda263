// Lines from a descriptor that is polled.
#pragma once

#include <optional>
#include <string>

#include "cli/typed_line.hpp"

namespace botel::cli {

class Input {
 public:
  explicit Input(int descriptor) : descriptor_(descriptor) {}

  // From now on it gives keys, which have to be put together to lines.
  void edit(EditingKeys keys);

  // To poll for: there is no line yet, and more may come.
  [[nodiscard]] bool wants_more() const { return !ended_ && !has_line(); }
  // Reads what is there; blocks where nothing is. Returns what shows the keys that were typed.
  std::string read_some();
  // How the line is seen that is being typed.
  [[nodiscard]] std::string unfinished() const { return typed_ ? typed_->shown() : ""; }

  [[nodiscard]] bool has_line() const;
  // All has been taken, and no more comes.
  [[nodiscard]] bool at_end() const { return ended_ && text_.empty(); }
  // The next line, without its end. The last one may have none; one that is far too long is cut into several, between
  // two characters.
  std::optional<std::string> take_line();
  // Forgets what has been read and not been taken.
  void forget();

 private:
  const int descriptor_;
  std::string text_;
  std::optional<TypedLine> typed_;  // at a keyboard
  bool ended_ = false;
};

}  // namespace botel::cli
