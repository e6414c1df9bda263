// What is led in a terminal: messages of a broker come in, and lines of the user.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "mqtt/client.hpp"

namespace botel::cli {

// Where a conversation is to be seen. What it is given may come from outside and need cleaning.
class View {
 public:
  virtual ~View() = default;
  virtual void show(std::string_view line) = 0;  // from the other side, or about the conversation
  virtual void sent(std::string_view line) = 0;  // by the user, as it went out
  virtual void typing(bool on) = 0;              // the other side is at work
};

// [driver]
class Conversation {
 public:
  virtual ~Conversation() = default;

  virtual void open(SteadyTime now) = 0;
  // Takes a message of the topics that it subscribed; what does not concern it is ignored.
  virtual void receive(const mqtt::Message& message, Time now) = 0;
  // Looks at the time limits.
  virtual void advance(SteadyTime now) = 0;
  // When something is due: a time limit, or the user's turn.
  [[nodiscard]] virtual SteadyTime due() const = 0;

  // It can take what the user says, and it is the user's turn (before that it can be said as well).
  [[nodiscard]] virtual bool listens() const = 0;
  [[nodiscard]] virtual bool users_turn(SteadyTime now) const = 0;
  // What to ask the user with: "> ", or the name of a field.
  [[nodiscard]] virtual std::string prompt() const = 0;
  // What is asked for is not to be seen.
  [[nodiscard]] virtual bool hides() const { return false; }
  virtual void enter(std::string_view line, Time now) = 0;
  // The user leaves.
  virtual void end(SteadyTime now) = 0;

  [[nodiscard]] virtual bool over() const = 0;
  // Why it is over, where it did not end well.
  [[nodiscard]] virtual const std::string& trouble() const = 0;
};

}  // namespace botel::cli
