#include "cli/screen.hpp"

#include <cstdio>

#include "cli/text.hpp"

namespace botel::cli {

void Screen::show(std::string_view line) {
  leave_line();
  write(clean(line) + "\n");
}

void Screen::sent(std::string_view line) {
  if (terminal_) return;
  for (const auto& part : clean_lines(line)) write("> " + part + "\n");
}

void Screen::typing(bool on) {
  if (!terminal_ || on == (at_ == At::typing)) return;
  leave_line();
  if (!on) return;
  write("...");
  at_ = At::typing;
}

bool Screen::prompt(const std::string& text) {
  if (!terminal_ || at_ == At::prompt) return false;
  leave_line();
  write(text);
  at_ = At::prompt;
  return true;
}

// A notice of typing goes away. A prompt stays, as there may be half a line after it.
void Screen::leave_line() {
  if (at_ == At::typing) write("\r\033[K");
  if (at_ == At::prompt) write("\n");
  at_ = At::start;
}

void Screen::write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace botel::cli
