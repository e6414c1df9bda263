#include "cli/hidden.hpp"

namespace botel::cli {

void Hidden::begin() {
  termios settings{};
  if (is_on() || tcgetattr(descriptor_, &settings) != 0) return;
  before_ = settings;
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
  tcsetattr(descriptor_, TCSAFLUSH, &settings);
}

void Hidden::end() {
  if (before_) tcsetattr(descriptor_, TCSANOW, &*before_);
  before_.reset();
}

}  // namespace botel::cli
