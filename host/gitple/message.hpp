// What goes to and fro in a room: messages, events of the user, and what a bot says and asks for. Pure functions on
// bytes; docs/gitple.md is the format. What comes in is read as json::Repaired has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "runtime/event.hpp"

namespace botel::gitple {

// Whether `c`, of an item or of an answer, is what the older shape has there: {"l":link,"e":echo,"r":response}. It says
// what the item does, and is no command.
[[nodiscard]] bool is_item_choice(const json::Value& c);

// A user's message: events (`e` beside `m`), and the session it belongs to (empty: it does not say).
struct Incoming {
  std::string session;
  // A hash of `t`, `m`, `c` and `e`, by which a message that was sent again is known; none without a `t`.
  std::optional<std::uint64_t> content = {};
  std::vector<runtime::Event> events;
};
[[nodiscard]] Result<Incoming> decode_message(std::string_view payload);

// Who speaks: what every message of a bot carries. JSON, as it was written at the start; `session` may be empty.
struct Speaker {
  std::string_view context, session;
};

// `m` is text, or JSON (a rich message); `options` is JSON or empty.
[[nodiscard]] std::string encode_say(const Speaker& speaker, std::int64_t time_ms, const runtime::Effect& say);
[[nodiscard]] std::string encode_typing(const Speaker& speaker, std::int64_t time_ms, bool typing);

// A bot's own requests. `res_pub` may be empty.
[[nodiscard]] std::string encode_end(const Speaker& speaker, std::string_view id, std::string_view res_pub);
// `target`: a bot's id; empty: to an agent.
[[nodiscard]] std::string encode_transfer(const Speaker& speaker, std::string_view id, std::string_view res_pub,
                                          std::string_view target);

// gitple's answer to a bot's own request.
struct Answer {
  std::string id;      // text
  int status = 0;      // 0, or the error's code
  std::string detail;  // JSON: the result or the error
};
[[nodiscard]] Result<Answer> decode_answer(std::string_view payload);

}  // namespace botel::gitple
