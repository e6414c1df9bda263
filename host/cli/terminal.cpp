#include "cli/terminal.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/signals.hpp"

namespace botel::cli {

Terminal::Terminal() : signals_(open_signals({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT})) {}

std::string Terminal::lead(Conversation& conversation, mqtt::Link& link) {
  open_keyboard();
  conversation.open(std::chrono::steady_clock::now());
  while (!conversation.over()) round(conversation, link);
  screen_.leave_line();
  keys_.end();
  std::string trouble = conversation.trouble();
  if (!trouble.empty() && !link.trouble().empty()) trouble += " (" + link.trouble() + ")";
  link.leave(std::chrono::steady_clock::now() + std::chrono::seconds(1));
  return trouble;
}

void Terminal::round(Conversation& conversation, mqtt::Link& link) {
  wait(conversation, link);
  const Time now = Time::now();
  look_for_signals(conversation, now.steady);
  link.tick(now.steady);
  link.read();
  link.dispatch([&](const mqtt::Message& message) { conversation.receive(message, now); });
  take_lines(conversation, now);
  conversation.advance(now.steady);
  link.write();
}

void Terminal::wait(const Conversation& conversation, const mqtt::Link& link) {
  std::array<pollfd, 3> descriptors{pollfd{signals_, POLLIN, 0}, link.descriptor(), {-1, POLLIN, 0}};
  if (conversation.listens() && input_.wants_more()) descriptors[2].fd = STDIN_FILENO;
  SteadyTime until = std::min(link.next_tick(), conversation.due());
  const SteadyTime now = std::chrono::steady_clock::now();
  // Once it is the user's turn it stays so: there is nothing to wake up for.
  if (conversation.users_turn(now)) until = link.next_tick();
  if (link.has_more()) until = now;
  const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  poll(descriptors.data(), descriptors.size(), static_cast<int>(std::clamp<long>(timeout, 0, 1000)));
  if (descriptors[2].revents != 0) read_keys(conversation);
}

void Terminal::look_for_signals(Conversation& conversation, SteadyTime now) {
  signalfd_siginfo info{};
  if (read(signals_, &info, sizeof info) != sizeof info) return;
  if (info.ssi_signo == SIGTSTP) return stop_for_a_while();
  if (info.ssi_signo == SIGCONT) return open_keyboard();
  signal_ = static_cast<int>(info.ssi_signo);
  conversation.end(now);
}

// The shell gets the terminal as it was.
void Terminal::stop_for_a_while() {
  screen_.leave_line();
  keys_.end();
  raise(SIGSTOP);
  open_keyboard();
}

// At the beginning, and when it goes on after a stop, by whatever signal.
void Terminal::open_keyboard() {
  if (keyboard_ && keys_.begin()) input_.edit(keys_.keys());
}

void Terminal::read_keys(const Conversation& conversation) {
  const std::string before = input_.unfinished(), echo = input_.read_some();
  if (echo.empty() || hides_) return;
  // Whatever has been shown since, what is typed stands after a prompt.
  if (screen_.prompt(conversation.prompt())) keys_.show(before);
  keys_.show(echo);
}

// Somebody at a keyboard may speak whenever he likes; a script waits for its turn.
void Terminal::take_lines(Conversation& conversation, Time now) {
  const auto may_speak = [&] { return keyboard_ ? conversation.listens() : conversation.users_turn(now.steady); };
  while (may_speak()) {
    if (conversation.hides()) hide();
    if (input_.at_end()) return conversation.end(now.steady);
    const auto line = input_.take_line();
    if (!line) break;
    entered();
    conversation.enter(*line, now);
  }
  const bool is_new = conversation.users_turn(now.steady) && screen_.prompt(conversation.prompt());
  if (is_new && !hides_) keys_.show(input_.unfinished());
}

// What was typed before has been seen.
void Terminal::hide() {
  if (!keyboard_ || std::exchange(hides_, true)) return;
  input_.forget();
}

// The cursor is on a new line, by what was typed; where that was hidden, it still is behind the prompt.
void Terminal::entered() {
  if (std::exchange(hides_, false)) {
    screen_.leave_line();
  } else {
    screen_.entered();
  }
}

}  // namespace botel::cli
