// What connectors and MOCA talk about: contacts, chats and messages, by their ids. See connector.hpp.
//
// They are values. What MOCA would not take throws botel::Error: an id where it is made, all else in json().
#pragma once

#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actor.hpp"
#include "error.hpp"
#include "json.hpp"

namespace botel {

// The id of a contact, a chat or a message: an integer below 2^53, or a text of at most 256 bytes without control
// characters, `/`, `+` and `#`. All contacts of a connector have ids of one kind, and so have chats and messages. No
// other account may have the same ones: see ids.hpp.
class Id {
 public:
  template <std::integral Number>
  Id(Number number) : number_(static_cast<std::int64_t>(number)) {
    constexpr std::int64_t kEnd = std::int64_t{1} << 53;
    if (!std::in_range<std::int64_t>(number) || number_ >= kEnd || number_ <= -kEnd) {
      throw Error("an id is 2^53 or above");
    }
  }
  Id(std::string text) : text_(std::move(text)) {
    if (!fits(text_)) throw Error("an id is empty, too long, or has a character it must not");
  }
  Id(const char* text) : Id(std::string(text)) {}

  bool is_number() const { return text_.empty(); }
  // As topics have it.
  std::string text() const { return is_number() ? std::to_string(number_) : text_; }
  std::string json() const { return is_number() ? text() : json::quoted(text()); }
  friend bool operator==(const Id&, const Id&) = default;

 private:
  static bool fits(std::string_view text) {
    if (text.empty() || text.size() > 256 || !json::is_utf8(text)) return false;
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '/' || c == '+' || c == '#') return false;
    }
    return true;
  }

  std::string text_;  // empty: it is a number
  std::int64_t number_ = 0;
};

// An id that MOCA asks for. It comes as a text, whatever the connector's own ids are; so it becomes an Id only by
// number() or text().
class GivenId {
 public:
  GivenId() = default;
  explicit GivenId(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }
  // `otherwise` when it is no integer below 2^53.
  std::int64_t number(std::int64_t otherwise = -1) const {
    std::int64_t number = 0;
    std::from_chars(text_.data(), text_.data() + text_.size(), number);
    const bool is_small = number < (std::int64_t{1} << 53) && number > -(std::int64_t{1} << 53);
    return is_small && std::to_string(number) == text_ ? number : otherwise;
  }
  friend bool operator==(const GivenId& given, const Id& id) { return given.text_ == id.text(); }

 private:
  std::string text_;
};

// RFC 3339, in UTC, with milliseconds where there are some: 2024-05-01T09:01:00.250+00:00. The years are 1 to 9999.
inline std::string rfc3339(Time time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss<milliseconds> clock(time - day);
  if (date.year() < year(1) || date.year() > year(9999)) throw Error("a time is not in the years 1 to 9999");
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", int(date.year()), unsigned(date.month()),
                unsigned(date.day()), int(clock.hours().count()), int(clock.minutes().count()),
                int(clock.seconds().count()));
  char fraction[16] = "";
  const int milli = int(clock.subseconds().count());
  if (milli != 0) std::snprintf(fraction, sizeof fraction, ".%03d", milli);
  return std::string(text) + fraction + "+00:00";
}

// Somebody at the service.
struct Contact {
  Id id;
  std::string name;
  std::string username{};  // empty: there is none
  std::string phone{};
  std::string avatar{};  // a URL

  std::string json() const { return members(json::Object().raw("contact_id", id.json())); }
  // As it ends a configuration.
  std::string own_json() const { return members(json::Object().raw("id", id.json())); }

 private:
  std::string members(json::Object object) const {
    object.text("name", name).optional("username", username).optional("phone", phone).optional("avatar", avatar);
    return object.json();
  }
};

// What a message holds, made by one of its functions: Content::text("hi"), Content::image("my cat").
struct Content {
  enum class Type { text, image, audio, voice, video, gif, document, contact, geo, unsupported };

  Type type = Type::unsupported;
  std::string body{};  // a text; the caption of media; a contact as a vCard
  std::string url{};   // of media. Empty: MOCA asks the connector for them, in on_get_media; a server may do so anyway
  double lon = 0, lat = 0;

  static Content text(std::string text) { return {.type = Type::text, .body = std::move(text)}; }
  static Content image(std::string caption = {}, std::string url = {}) {
    return media(Type::image, std::move(caption), std::move(url));
  }
  static Content audio(std::string caption = {}, std::string url = {}) {
    return media(Type::audio, std::move(caption), std::move(url));
  }
  static Content voice(std::string caption = {}, std::string url = {}) {
    return media(Type::voice, std::move(caption), std::move(url));
  }
  static Content video(std::string caption = {}, std::string url = {}) {
    return media(Type::video, std::move(caption), std::move(url));
  }
  static Content gif(std::string caption = {}, std::string url = {}) {
    return media(Type::gif, std::move(caption), std::move(url));
  }
  static Content document(std::string caption = {}, std::string url = {}) {
    return media(Type::document, std::move(caption), std::move(url));
  }
  static Content contact(std::string vcard) { return {.type = Type::contact, .body = std::move(vcard)}; }
  static Content geo(double lon, double lat) { return {.type = Type::geo, .lon = lon, .lat = lat}; }
  static Content unsupported() { return {}; }

  bool is_media() const { return type >= Type::image && type <= Type::document; }
  std::string_view type_name() const { return kNames[static_cast<std::size_t>(type)]; }

  std::string json() const {
    json::Object object;
    object.text("type", std::string(type_name()));
    if (type == Type::geo) return object.raw("geo_point", point()).json();
    if (type == Type::unsupported) return object.json();
    if (is_media()) object.optional("url", url);
    return object.text("content", body).json();
  }
  // Reads what json() writes. What MOCA has no name for is unsupported.
  static Content read(std::string_view text) {
    const auto json = json::parse(text);
    Content content{.body = std::string(json::text(json, "content")), .url = std::string(json::text(json, "url"))};
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      if (json::text(json, "type") == kNames[i]) content.type = static_cast<Type>(i);
    }
    if (const auto* const point = json::find(json, "geo_point"); point && content.type == Type::geo) {
      content.lon = json::real(*point, "lon"), content.lat = json::real(*point, "lat");
    }
    return content;
  }

 private:
  static constexpr const char* kNames[] = {"text", "image",    "audio",   "voice", "video",
                                           "gif",  "document", "contact", "geo",   "unsupported"};

  static Content media(Type type, std::string caption, std::string url) {
    return {.type = type, .body = std::move(caption), .url = std::move(url)};
  }
  std::string point() const {
    if (!std::isfinite(lon) || !std::isfinite(lat)) throw Error("a place is not on the globe");
    return json::Object().real("lon", lon).real("lat", lat).json();
  }
};

// A message of a chat. (botel::Message is what a user says to a bot.)
struct ChatMessage {
  Id id;
  Id chat;
  Id contact;  // who has written it
  Time sent;
  Content content;

  std::string json() const {
    return json::Object()
        .raw("message_id", id.json())
        .raw("contact_id", contact.json())
        .raw("chat_id", chat.json())
        .text("sent_datetime", rfc3339(sent))
        .raw("message", content.json())
        .json();
  }
};

struct Chat {
  Id id;
  std::string name;
  bool group = false;
  std::vector<Id> participants{};  // never empty: the user's own contact is one of them
  std::optional<ChatMessage> last_message{};

  std::string json() const {
    if (participants.empty()) throw Error("the chat " + id.text() + " has no participants");
    json::Object object;
    object.raw("chat_id", id.json()).text("name", name);
    object.text("chat_type", group ? "ChatType.group" : "ChatType.single");
    object.raw("participants", json::list(participants));
    if (last_message) object.raw("last_message", last_message->json());
    return object.json();
  }
};

}  // namespace botel
