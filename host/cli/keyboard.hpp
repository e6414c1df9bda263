// The terminal that somebody types at, without the line mode of its own: it gives each key at once, and shows none. The
// keys that send signals still do.
#pragma once

#include <termios.h>

#include <optional>
#include <string_view>

#include "cli/typed_line.hpp"

namespace botel::cli {

class Keyboard {
 public:
  // `descriptor`: of the terminal; nothing happens where it is none.
  explicit Keyboard(int descriptor) : descriptor_(descriptor) {}
  ~Keyboard() { end(); }
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;

  // Whether it is so from now on. Once more: also where somebody else has changed the terminal meanwhile.
  bool begin();
  // The terminal is as it was.
  void end();

  // What it was set to.
  [[nodiscard]] EditingKeys keys() const;
  // Shows it at the terminal, also where the output goes elsewhere.
  void show(std::string_view text) const;

 private:
  const int descriptor_;
  std::optional<termios> before_;
};

}  // namespace botel::cli
