// Contacts, chats and messages as MOCA wants them. Pure functions on JSON; docs/moca.md is the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace botel::moca {

// One of them, checked, with all members that somebody looks for.
struct Item {
  std::string id;            // as text
  std::string chat;          // of a message, as text
  std::int64_t time_ms = 0;  // when a message was sent
  std::string json;
};

[[nodiscard]] Result<Item> read_contact(std::string_view json);
[[nodiscard]] Result<Item> read_chat(std::string_view json);
[[nodiscard]] Result<Item> read_message(std::string_view json);

// What is in a message: {"type":"text","content":"hi"}. `place`: where media are had, unless it says so itself.
[[nodiscard]] Result<std::string> read_content(std::string_view json, std::string_view place);

// What MOCA sends: a message to a chat, in any of its forms. `chat`: from the topic; empty: the payload has it.
struct Outgoing {
  std::string chat;     // as text
  std::string content;  // JSON
};
[[nodiscard]] Result<Outgoing> read_outgoing(std::string_view payload, std::string_view chat);

// Which messages: {"before":"message id","limit":25}, both optional. `before`, as text; empty: from the newest on.
struct Page {
  std::string before{};
  std::size_t limit = 25;
};
[[nodiscard]] Result<Page> read_page(std::string_view payload);

// An id that came as text: an integer where it can be one, or else a string.
[[nodiscard]] std::string id_as_json(std::string_view text);

// {"error":{"code":404,"message":"no such chat"}}
[[nodiscard]] std::string error_as_json(int code, std::string_view message);

// `bytes` in Base64, padded.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace botel::moca
