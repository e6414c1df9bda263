// A room as gitple has it: its topics, and what gitple and the user send. Pure functions; docs/gitple.md is the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cli/chat_message.hpp"

namespace botel::cli {

struct ChatRoom {
  std::string bot;
  std::uint64_t user = 0, room = 0, session = 0;

  // A room that nobody else has. An error: `bot` is no id.
  static Result<ChatRoom> fresh(const std::string& bot);

  [[nodiscard]] std::string requests() const;   // to the bot manager
  [[nodiscard]] std::string responses() const;  // its answers
  [[nodiscard]] std::string from_bot() const;   // messages
  [[nodiscard]] std::string from_user() const;
  [[nodiscard]] std::string commands() const;  // the bot's own requests

  [[nodiscard]] std::string encode_start(std::string_view id) const;
  [[nodiscard]] std::string encode_end(std::string_view id) const;
  [[nodiscard]] std::string encode_text(std::int64_t time_ms, std::string_view text) const;
  [[nodiscard]] std::string encode_choice(std::int64_t time_ms, const ChatChoice& choice) const;
  [[nodiscard]] std::string encode_read(std::int64_t time_ms, std::int64_t read) const;
};

// The bot's own request: that the room ends, or goes to somebody else.
struct ChatCommand {
  std::string id;       // JSON, as it was written; empty: a notification
  std::string res_pub;  // where to answer; empty: nowhere
  std::string method;
  std::string heir;  // of a transfer, for people: "an agent", "bot 7"
};
[[nodiscard]] Result<ChatCommand> read_chat_command(std::string_view payload);

}  // namespace botel::cli
