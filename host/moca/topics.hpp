// What MOCA asks for, by its topic. Pure functions; docs/moca.md is the format.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace botel::moca {

enum class Command {
  configure,
  get_contacts,
  get_contact,
  get_chats,
  get_chat,
  get_messages,      // of the chat `argument`
  get_old_messages,  // of the chat, or the message, `argument`
  send_message,      // to the chat `argument`; empty: the payload says it
  remove,
  get_media
};

// The name that a command has in topics and in the log.
[[nodiscard]] std::string_view name(Command command);
[[nodiscard]] std::optional<Command> command_of(std::string_view name);

// How a topic is written, in which the published servers differ.
enum class Form {
  configure,  // T/configure/ID
  users,      // T/users/ID/...: the older server's
  unique      // T/ID/U/...: the newer server's, where U is another one for each request
};

struct Topic {
  std::string type, id;            // of the connector
  std::optional<Command> command;  // nothing: it is none that anybody knows
  std::string argument{};          // an id; of media: a message's
  std::string chat{};              // of media
  std::string uri{};               // of media, instead of the ids
  bool has_answers = false;        // errors are answered, too
  Form form = Form::unique;
};

// The longest id of a connector, contact, chat or message, in bytes.
inline constexpr std::size_t kLongestId = 256;

// Whether `id` may be the id of a connector, a contact, a chat or a message: it may stand in a topic.
[[nodiscard]] bool valid_id(std::string_view id);

// Whether a service may be called so.
[[nodiscard]] bool valid_type(std::string_view type);

// Of our own making: `TOPIC/response` and `TOPIC/keepalive`.
[[nodiscard]] bool is_echo(std::string_view topic);

[[nodiscard]] Topic parse_topic(std::string_view topic);

}  // namespace botel::moca
