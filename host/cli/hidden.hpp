// A terminal that does not show what is typed.
#pragma once

#include <termios.h>

#include <optional>

namespace botel::cli {

class Hidden {
 public:
  // `descriptor`: of the terminal; nothing happens where it is none.
  explicit Hidden(int descriptor) : descriptor_(descriptor) {}
  ~Hidden() { end(); }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

  // Forgets what was typed before and is not read yet: it has been seen.
  void begin();
  // Shows again what is typed, if it was so before.
  void end();
  [[nodiscard]] bool is_on() const { return before_.has_value(); }

 private:
  const int descriptor_;
  std::optional<termios> before_;
};

}  // namespace botel::cli
