#include "moca/items.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>

#include "moca/times.hpp"
#include "moca/topics.hpp"

namespace botel::moca {
namespace {

using json::Document;
using json::Kind;
using json::Value;

constexpr std::int64_t kLargestNumber = (std::int64_t{1} << 53) - 1;
constexpr std::size_t kMostLimit = 1000;

// An object in the making, whose members stand in the order in which they came.
class Object {
 public:
  Object& add(std::string_view key, std::string_view json) {
    text_ += text_.empty() ? "{" : ",";
    json::quote(text_, key);
    text_ += ":";
    text_ += json;
    return *this;
  }
  [[nodiscard]] std::string json() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string text_;
};

// The members that are not among `known`, so that nothing is lost of what a later MOCA understands.
void add_rest(Object& to, const Document& from, std::initializer_list<std::string_view> known) {
  for (const auto& [key, value] : from.members) {
    if (std::ranges::find(known, key) == known.end()) to.add(key, value.raw);
  }
}

// Below 2^53, and not -0, which is 0 by another text.
bool is_id_number(const Value& value) {
  const auto number = json::integer(value);
  return number && *number <= kLargestNumber && *number >= -kLargestNumber && (*number != 0 || value.raw == "0");
}

// An id is a string that may stand in a topic, or an integer below 2^53: as text.
Result<std::string> read_id(const std::optional<Value>& value, std::string_view what) {
  if (!value) return failure("{} is missing", what);
  const std::string text = json::text(*value);
  if (is_id_number(*value) || (value->is(Kind::string) && valid_id(text))) return text;
  return failure("{} is neither a fitting string nor an integer below 2^53", what);
}

Result<Document> read_object(std::string_view json) {
  auto object = json::read(json);
  if (!object) return tl::unexpected(object.error());
  if (!object->root.is(Kind::object)) return failure("it is no object");
  return object;
}

// A string, or null, which a missing one becomes.
Result<std::string_view> text_or_null(const Document& object, std::string_view key) {
  const auto value = object.find(key);
  if (!value || value->is(Kind::null)) return "null";
  if (!value->is(Kind::string)) return failure("{} is neither a string nor null", key);
  return value->raw;
}

Result<std::string_view> needed_text(const Document& object, std::string_view key) {
  const auto value = object.find(key);
  if (!value || !value->is(Kind::string)) return failure("{} is missing, or no string", key);
  return value->raw;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> all) {
  return std::ranges::find(all, text) != all.end();
}

bool is_geo_point(const std::optional<Value>& value) {
  const auto point = value ? json::read(value->raw) : failure("");
  if (!point) return false;
  const auto is_number = [&](std::string_view key) {
    const auto number = point->find(key);
    return number && number->is(Kind::number);
  };
  return is_number("lon") && is_number("lat");
}

}  // namespace

Result<Item> read_contact(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return tl::unexpected(object.error());
  const auto id = object->present(object->present("contact_id") ? "contact_id" : "id");
  auto text = read_id(id, "contact_id");
  if (!text) return tl::unexpected(text.error());
  Object contact;
  contact.add("contact_id", id->raw).add("id", id->raw);
  const auto name = needed_text(*object, "name");
  if (!name) return tl::unexpected(name.error());
  contact.add("name", *name);
  for (const char* key : {"username", "phone", "avatar"}) {
    const auto value = text_or_null(*object, key);
    if (!value) return tl::unexpected(value.error());
    contact.add(key, *value);
  }
  add_rest(contact, *object, {"contact_id", "id", "name", "username", "phone", "avatar"});
  return Item{std::move(*text), "", 0, contact.json()};
}

Result<Item> read_chat(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return tl::unexpected(object.error());
  const auto id = object->find("chat_id");
  auto text = read_id(id, "chat_id");
  if (!text) return tl::unexpected(text.error());
  const auto name = needed_text(*object, "name");
  if (!name) return tl::unexpected(name.error());
  const std::string type = json::text(*object, "chat_type");
  if (!is_one_of(type, {"ChatType.single", "ChatType.group"})) return failure("chat_type is none of the two");
  const auto participants = object->find("participants");
  const auto all = participants ? json::read(participants->raw) : failure("");
  if (!all || !all->root.is(Kind::array) || all->elements.empty()) return failure("participants are missing");
  for (const Value& participant : all->elements) {
    if (auto known = read_id(participant, "a participant"); !known) return tl::unexpected(known.error());
  }
  Object chat;
  chat.add("chat_id", id->raw).add("name", *name).add("chat_type", json::quoted(type));
  chat.add("participants", participants->raw);
  if (const auto last = object->present("last_message")) {
    const auto message = read_message(last->raw);
    if (!message) return failure("last_message: {}", message.error());
    chat.add("last_message", message->json);
  }
  add_rest(chat, *object, {"chat_id", "name", "chat_type", "participants", "last_message"});
  return Item{std::move(*text), "", 0, chat.json()};
}

Result<Item> read_message(std::string_view json) {
  const auto object = read_object(json);
  if (!object) return tl::unexpected(object.error());
  Object message;
  std::array<std::string, 3> ids;
  constexpr std::array<std::string_view, 3> kKeys{"message_id", "contact_id", "chat_id"};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto value = object->find(kKeys[i]);
    auto id = read_id(value, kKeys[i]);
    if (!id) return tl::unexpected(id.error());
    ids[i] = std::move(*id);
    message.add(kKeys[i], value->raw);
  }
  const auto time = read_time(json::text(*object, "sent_datetime"));
  if (!time) return failure("sent_datetime is no time as in 2024-05-01T09:01:00+00:00");
  message.add("sent_datetime", json::quoted(time_as_text(*time)));
  const auto content = object->find("message");
  if (!content) return failure("message is missing");
  const auto read = read_content(content->raw, fmt::format("/chats/{}/messages/{}/media", ids[2], ids[0]));
  if (!read) return failure("message: {}", read.error());
  message.add("message", *read);
  add_rest(message, *object, {"message_id", "contact_id", "chat_id", "sent_datetime", "message"});
  return Item{std::move(ids[0]), std::move(ids[2]), *time, message.json()};
}

// A bare message that MOCA sends has its chat beside the content: it is no part of that.
Result<std::string> read_content(std::string_view json, std::string_view place) {
  const auto object = read_object(json);
  if (!object) return tl::unexpected(object.error());
  const std::string type = json::text(*object, "type");
  Object content;
  content.add("type", json::quoted(type));
  if (is_one_of(type, {"image", "audio", "voice", "video", "gif", "document"})) {
    auto url = text_or_null(*object, "url"), caption = text_or_null(*object, "content");
    if (!url || !caption) return tl::unexpected((url ? caption : url).error());
    content.add("url", *url == "null" ? json::quoted(place) : std::string(*url));
    content.add("content", *caption == "null" ? R"("")" : *caption);
    add_rest(content, *object, {"type", "url", "content", "chat_id"});
    return content.json();
  }
  if (is_one_of(type, {"text", "contact"})) {
    const auto text = needed_text(*object, "content");
    if (!text) return tl::unexpected(text.error());
  } else if (type == "geo") {
    if (!is_geo_point(object->find("geo_point"))) return failure("geo_point has no lon and lat");
  } else if (type != "unsupported") {
    return failure("type is none that MOCA knows");
  }
  add_rest(content, *object, {"type", "chat_id"});
  return content.json();
}

Result<Outgoing> read_outgoing(std::string_view payload, std::string_view chat) {
  const auto object = read_object(payload);
  if (!object) return tl::unexpected(object.error());
  Outgoing outgoing{std::string(chat), ""};
  if (const auto id = object->present("chat_id")) {
    auto text = read_id(id, "chat_id");
    if (!text) return tl::unexpected(text.error());
    if (!chat.empty() && *text != chat) return failure("chat_id is not the chat of the topic");
    outgoing.chat = std::move(*text);
  }
  if (outgoing.chat.empty()) return failure("chat_id is missing");
  // {"message":{...}}, {"message":"hi"}, {"type":...}, or {"content":"hi"}.
  const auto message = object->present("message");
  if (message && message->is(Kind::string)) {
    outgoing.content = fmt::format(R"({{"type":"text","content":{}}})", message->raw);
    return outgoing;
  }
  const bool is_bare = !message && !object->find("type");
  const std::string bare = is_bare ? fmt::format(R"({{"type":"text","content":{}}})",
                                                 object->find("content") ? object->find("content")->raw : "null")
                                   : std::string();
  auto content = read_content(is_bare ? bare : message ? message->raw : payload, "");
  if (!content) return failure("message: {}", content.error());
  outgoing.content = std::move(*content);
  return outgoing;
}

Result<Page> read_page(std::string_view payload) {
  Page page;
  if (payload.empty()) return page;
  const auto object = read_object(payload);
  if (!object) return tl::unexpected(object.error());
  if (const auto before = object->present("before")) {
    auto id = read_id(before, "before");
    if (!id) return tl::unexpected(id.error());
    page.before = std::move(*id);
  }
  if (const auto limit = object->present("limit")) {
    const auto number = json::integer(*limit);
    if (!number || *number < 1) return failure("limit is no number above 0");
    page.limit = std::min(static_cast<std::size_t>(*number), kMostLimit);
  }
  return page;
}

std::string id_as_json(std::string_view text) {
  const auto value = json::read(text);
  return value && value->root.raw == text && is_id_number(value->root) ? std::string(text) : json::quoted(text);
}

std::string error_as_json(int code, std::string_view message) {
  return fmt::format(R"({{"error":{{"code":{},"message":{}}}}})", code, json::quoted(message));
}

std::string base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // with the NUL that it writes
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace botel::moca
