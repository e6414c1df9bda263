// A program on a terminal of its own, at which the test sits.
#pragma once

#include <sys/types.h>
#include <termios.h>

#include <string>
#include <vector>

namespace harness {

class Pty {
 public:
  explicit Pty(const std::vector<std::string>& command);
  ~Pty();
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  // Keys: "\n", "\x03" for Ctrl-C, and so on. Reads meanwhile what is shown.
  void type(const std::string& keys);
  // Waits until `text` has been shown that no see() has seen before; throws when it is not in time.
  void see(const std::string& text);
  // All that was shown so far.
  [[nodiscard]] const std::string& shown() const { return shown_; }
  // Whether the terminal is set as the program has found it.
  [[nodiscard]] bool is_as_before() const;

  void signal(int number) const;
  // Waits until the program is stopped, as by Ctrl-Z.
  void wait_for_stop();
  // Waits for the end: the exit code, or the number of the signal, negative.
  int wait();

 private:
  bool read_some();

  pid_t pid_ = -1;
  int master_ = -1;
  termios before_{};
  std::string shown_;
  std::size_t seen_ = 0;
  bool ended_ = false;
};

}  // namespace harness
