// Leads a conversation on stdin and stdout: by somebody at a keyboard, or for a script.
#pragma once

#include <unistd.h>

#include <string>

#include "cli/conversation.hpp"
#include "cli/input.hpp"
#include "cli/keyboard.hpp"
#include "cli/screen.hpp"
#include "mqtt/link.hpp"

namespace botel::cli {

// Of one thread, the first one of the process.
class Terminal {
 public:
  // Takes the signals that end a program.
  Terminal();

  [[nodiscard]] View& view() { return screen_; }
  // Somebody sits at it, and sees what is shown.
  [[nodiscard]] bool is_interactive() const { return keyboard_ && isatty(STDOUT_FILENO) == 1; }

  // Until the conversation is over: the broker's messages, the user's lines and the clock, round after round. Why it
  // did not end well; else nothing.
  std::string lead(Conversation& conversation, mqtt::Link& link);
  // The signal by which the user has left; 0: none.
  [[nodiscard]] int signal() const { return signal_; }

 private:
  void round(Conversation& conversation, mqtt::Link& link);
  void wait(const Conversation& conversation, const mqtt::Link& link);
  void look_for_signals(Conversation& conversation, SteadyTime now);
  void stop_for_a_while();
  void open_keyboard();
  void read_keys(const Conversation& conversation);
  void take_lines(Conversation& conversation, Time now);
  void hide();
  void entered();

  const int signals_;
  int signal_ = 0;
  const bool keyboard_ = isatty(STDIN_FILENO) == 1;
  Input input_{STDIN_FILENO};
  Screen screen_{is_interactive()};
  Keyboard keys_{STDIN_FILENO};
  bool hides_ = false;  // what is typed
};

}  // namespace botel::cli
