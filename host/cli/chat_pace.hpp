// Whose turn it is: when it is the user's again, after the bot has had its say.
#pragma once

#include <chrono>

#include "base/clock.hpp"

namespace botel::cli {

class ChatPace {
 public:
  // An answer may be several messages, which come close together.
  static constexpr std::chrono::milliseconds kQuiet{100};
  // Longer than this nobody waits for a bot that gives no sign of life.
  static constexpr std::chrono::milliseconds kPatience{2000};

  // The user has said something, or the room was opened: the bot's turn.
  void sent(SteadyTime now) { *this = {false, false, now}; }
  // The bot has said something, or is known to say nothing.
  void heard(SteadyTime now) { *this = {true, false, now}; }
  void typing(bool on, SteadyTime now) { *this = {answered_, on, now}; }

  [[nodiscard]] bool bot_typing() const { return typing_; }
  // From when on it is the user's turn, if nothing more comes.
  [[nodiscard]] SteadyTime due() const { return since_ + (answered_ && !typing_ ? kQuiet : kPatience); }

  ChatPace() = default;

 private:
  ChatPace(bool answered, bool typing, SteadyTime since) : answered_(answered), typing_(typing), since_(since) {}

  bool answered_ = false;
  bool typing_ = false;
  SteadyTime since_{};
};

}  // namespace botel::cli
