// What a bot's message means to somebody who reads it in a terminal: lines, numbered choices, a form. Pure functions on
// bytes; docs/gitple.md is the format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/option.hpp"

namespace botel::cli {

// What goes out when a choice is picked.
struct ChatChoice {
  std::string echo;              // `m`
  std::string command = "null";  // `c`, JSON

  bool operator==(const ChatChoice&) const = default;
};

// One thing that a form asks for.
struct ChatField {
  std::string label, key;
  std::string preset;  // taken when nothing is entered
  bool required = false;
  std::vector<Option> options;  // empty: any text will do
};

struct ChatMessage {
  std::optional<std::int64_t> time;  // as the bot gave it
  std::string session;               // `_sid`, as text; empty: it does not say
  std::optional<bool> typing;        // a notice: the bot began to type, or stopped
  bool said = false;                 // there is something to show
  std::vector<std::string> lines;    // clean; the choices stand there with their numbers, from 1
  std::vector<ChatChoice> choices;
  std::vector<ChatField> fields;
};

inline constexpr std::string_view kNotUnderstood = "(a message that is not understood)";

// An error: not even a message. A message whose inside makes no sense says kNotUnderstood.
[[nodiscard]] Result<ChatMessage> read_chat_message(std::string_view payload);

}  // namespace botel::cli
