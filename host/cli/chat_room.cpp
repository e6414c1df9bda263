#include "cli/chat_room.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/json_repair.hpp"
#include "cli/fresh_id.hpp"
#include "gitple/request.hpp"
#include "mqtt/topics.hpp"

namespace botel::cli {
namespace {

using json::Document;
using json::Kind;

constexpr std::size_t kLongestBot = 200;

std::string in_room(const ChatRoom& room, std::string_view rest) {
  return fmt::format("s/1/a/1/u/{}/r/{}/{}", room.user, room.room, rest);
}

std::string context(const ChatRoom& room) {
  return fmt::format(R"({{"sp":1,"app":1,"user":{},"room":{},"session":{},"bot":{}}})", room.user, room.room,
                     room.session, json::quoted(room.bot));
}

std::string call(std::string_view id, std::string_view method, const std::string& params) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{}}})", json::quoted(id), method, params);
}

std::string message(const ChatRoom& room, std::int64_t time_ms, std::string_view members) {
  return fmt::format(R"({{"t":{},{},"_sid":{}}})", time_ms, members, room.session);
}

}  // namespace

Result<ChatRoom> ChatRoom::fresh(const std::string& bot) {
  if (bot.size() > kLongestBot || !mqtt::valid_topic(bot) || bot.find('/') != std::string::npos) {
    return failure("a bot id can stand in a topic: not empty, at most {} bytes, without / + # and control characters",
                   kLongestBot);
  }
  return ChatRoom{bot, fresh_id(), fresh_id(), fresh_id()};
}

std::string ChatRoom::requests() const { return fmt::format("s/1/a/1/t/{0}/req/t/{0}/i/app", bot); }
std::string ChatRoom::responses() const { return fmt::format("s/1/a/1/t/{}/res", bot); }
std::string ChatRoom::from_bot() const { return in_room(*this, "t/" + bot); }
std::string ChatRoom::from_user() const { return in_room(*this, fmt::format("u/{}", user)); }
std::string ChatRoom::commands() const { return in_room(*this, "req/t/" + bot); }

std::string ChatRoom::encode_start(std::string_view id) const {
  const std::string who =
      fmt::format(R"({{"id":{},"identifier":"botel-chat","role":"endUser","info":{{}},"anonymous":true}})", user);
  // cmdResPub is the newer programs' addition to the text: the published bot library needs it.
  return call(
      id, "start",
      fmt::format(R"({{"_context":{},"user":{},"resPub":{},"msgSub":{},"msgPub":{},"cmdPub":{},"cmdResPub":{}}})",
                  context(*this), who, json::quoted(responses()), json::quoted(in_room(*this, "u/+")),
                  json::quoted(from_bot()), json::quoted(commands()),
                  json::quoted(in_room(*this, "res/t/" + bot + "/i/app"))));
}

std::string ChatRoom::encode_end(std::string_view id) const {
  return call(id, "end",
              fmt::format(R"({{"_context":{},"user":null,"resPub":{}}})", context(*this), json::quoted(responses())));
}

std::string ChatRoom::encode_text(std::int64_t time_ms, std::string_view text) const {
  return message(*this, time_ms, R"("m":)" + json::quoted(text));
}

std::string ChatRoom::encode_choice(std::int64_t time_ms, const ChatChoice& choice) const {
  return message(*this, time_ms, fmt::format(R"("m":{},"c":{})", json::quoted(choice.echo), choice.command));
}

std::string ChatRoom::encode_read(std::int64_t time_ms, std::int64_t read) const {
  return message(*this, time_ms, fmt::format(R"("e":{{"read":{}}})", read));
}

Result<ChatCommand> read_chat_command(std::string_view payload) {
  const json::Repaired repaired(payload);
  const auto request = json::read(repaired.text());
  if (!request) return tl::unexpected(request.error());
  const auto inside = request->find("params");
  const auto params = json::read(inside ? inside->raw : "{}");
  if (!params) return tl::unexpected(params.error());

  ChatCommand command;
  command.method = json::text(*request, "method");
  if (command.method.empty()) return failure("a request without a method");
  if (const auto id = request->find("id")) {
    command.id = id->is(Kind::string) || id->is(Kind::number) ? repaired.original(id->raw) : "null";
  }
  // What stands in a payload is not to make the chat publish anywhere else.
  const std::string res_pub = json::text(*params, "resPub");
  if (gitple::check_topic({"1", "1", {}}, res_pub)) command.res_pub = res_pub;
  const std::string target = json::text(*params, "targetId");
  command.heir = json::text(*params, "type") != "bot" ? "an agent" : target.empty() ? "another bot" : "bot " + target;
  return command;
}

}  // namespace botel::cli
