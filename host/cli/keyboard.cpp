#include "cli/keyboard.hpp"

#include <unistd.h>

namespace botel::cli {

bool Keyboard::begin() {
  termios settings{};
  if (!before_ && tcgetattr(descriptor_, &settings) == 0) before_ = settings;
  if (!before_) return false;
  settings = *before_;
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ECHONL);
  settings.c_cc[VMIN] = 1;
  settings.c_cc[VTIME] = 0;
  return tcsetattr(descriptor_, TCSANOW, &settings) == 0;
}

void Keyboard::end() {
  if (before_) tcsetattr(descriptor_, TCSANOW, &*before_);
  before_.reset();
}

EditingKeys Keyboard::keys() const {
  if (!before_) return {};
  const auto key = [this](int which) {
    const cc_t set = before_->c_cc[which];
    return set == _POSIX_VDISABLE ? '\0' : static_cast<char>(set);
  };
  return {.erase = key(VERASE), .word = key(VWERASE), .kill = key(VKILL), .end = key(VEOF)};
}

void Keyboard::show(std::string_view text) const {
  const int shown_at = isatty(STDOUT_FILENO) == 1 ? STDOUT_FILENO : descriptor_;
  [[maybe_unused]] const auto written = write(shown_at, text.data(), text.size());
}

}  // namespace botel::cli
