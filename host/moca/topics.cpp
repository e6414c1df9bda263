#include "moca/topics.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "mqtt/topics.hpp"

namespace botel::moca {
namespace {

using Levels = std::vector<std::string_view>;

constexpr std::array<std::pair<Command, std::string_view>, 10> kNames{{{Command::configure, "configure"},
                                                                       {Command::get_contacts, "get_contacts"},
                                                                       {Command::get_contact, "get_contact"},
                                                                       {Command::get_chats, "get_chats"},
                                                                       {Command::get_chat, "get_chat"},
                                                                       {Command::get_messages, "get_messages"},
                                                                       {Command::get_old_messages, "get_old_messages"},
                                                                       {Command::send_message, "send_message"},
                                                                       {Command::remove, "delete"},
                                                                       {Command::get_media, "get_media"}}};

bool is_reserved(std::string_view id) { return id == "users" || id == "configure"; }

// Commands that stand alone, and those that have an id behind them.
struct Shape {
  std::string_view name;
  Command command;
  bool alone, with_id;
};

constexpr std::array<Shape, 6> kUsersShapes{{{"get_contacts", Command::get_contacts, true, false},
                                             {"get_contact", Command::get_contact, false, true},
                                             {"get_chats", Command::get_chats, true, false},
                                             {"get_messages", Command::get_old_messages, false, true},
                                             {"send_message", Command::send_message, true, false},
                                             {"delete", Command::remove, true, false}}};

constexpr std::array<Shape, 8> kUniqueShapes{{{"configure", Command::configure, true, false},
                                              {"get_contacts", Command::get_contacts, true, false},
                                              {"get_contact", Command::get_contact, false, true},
                                              {"get_chats", Command::get_chats, true, false},
                                              {"get_chat", Command::get_chat, false, true},
                                              {"get_messages", Command::get_messages, false, true},
                                              {"send_message", Command::send_message, true, true},
                                              {"delete_connector", Command::remove, true, false}}};

// `rest`: the command, and perhaps an id.
void read_command(const Levels& rest, const auto& shapes, Topic& topic) {
  const auto shape = std::ranges::find(shapes, rest[0], &Shape::name);
  if (shape == shapes.end() || rest.size() > 2) return;
  if (rest.size() == 2) topic.argument = rest[1];
  const bool fits = rest.size() == 1 ? shape->alone : shape->with_id && valid_id(rest[1]);
  if (fits) topic.command = shape->command;
}

// chats/CHAT/messages/MESSAGE/get_media, or get_media_file/URI, where the URI may have levels of its own.
void read_media(const Levels& rest, std::string_view whole, Topic& topic) {
  if (rest.size() == 5 && rest[0] == "chats" && rest[2] == "messages" && rest[4] == "get_media" && valid_id(rest[1]) &&
      valid_id(rest[3])) {
    topic.command = Command::get_media;
    topic.chat = rest[1];
    topic.argument = rest[3];
  } else if (rest.size() >= 2 && rest[0] == "get_media_file") {
    topic.uri = whole.substr(static_cast<std::size_t>(rest[1].data() - whole.data()));
    if (!topic.uri.empty() && topic.uri.size() <= 8 * kLongestId) topic.command = Command::get_media;
  }
}

}  // namespace

std::string_view name(Command command) {
  return std::ranges::find(kNames, command, &std::pair<Command, std::string_view>::first)->second;
}

std::optional<Command> command_of(std::string_view name) {
  const auto found = std::ranges::find(kNames, name, &std::pair<Command, std::string_view>::second);
  if (found == kNames.end()) return {};
  return found->first;
}

bool valid_id(std::string_view id) {
  return id.size() <= kLongestId && id.find('/') == std::string_view::npos && mqtt::valid_topic(id);
}

bool valid_type(std::string_view type) { return valid_id(type) && type != "s" && type != "moca" && type[0] != '$'; }

bool is_echo(std::string_view topic) { return topic.ends_with("/response") || topic.ends_with("/keepalive"); }

Topic parse_topic(std::string_view text) {
  const Levels levels = mqtt::levels(text);
  Topic topic{.type = std::string(levels[0]), .id = {}, .command = {}};
  if (levels.size() == 3 && levels[1] == "configure") {
    topic.id = levels[2];
    topic.has_answers = true;
    topic.form = Form::configure;
    if (valid_id(topic.id) && !is_reserved(topic.id)) topic.command = Command::configure;
  } else if (levels.size() >= 4 && levels[1] == "users") {
    topic.id = levels[2];
    topic.has_answers = true;
    topic.form = Form::users;
    if (valid_id(topic.id) && !is_reserved(topic.id)) {
      read_command({levels.begin() + 3, levels.end()}, kUsersShapes, topic);
    }
  } else if (levels.size() >= 4 && !is_reserved(levels[1])) {
    topic.id = levels[1];
    topic.has_answers = true;
    const Levels rest(levels.begin() + 3, levels.end());
    if (!valid_id(topic.id) || levels[2].empty()) return topic;
    read_command(rest, kUniqueShapes, topic);
    if (!topic.command) read_media(rest, text, topic);
  }
  return topic;
}

}  // namespace botel::moca
