// Connectors for tests of the MOCA side, made of functions: what they emit, and one that acts like a service.
#pragma once

#include <botel/ext/connector.h>

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/json.hpp"
#include "runtime/fake_bot.hpp"

namespace does {

inline std::int32_t emit(const botel_call& call, std::int32_t kind, std::uint64_t reply, std::string_view payload,
                         std::int32_t format = BOTEL_FORMAT_JSON, std::string_view detail = {},
                         std::int32_t status = 0) {
  botel_effect effect = FakeBot::effect(kind, payload);
  effect.reply = reply;
  effect.format = format;
  effect.detail = {detail.data(), detail.size()};
  effect.status = status;
  return FakeBot::emit(call, effect);
}
inline std::int32_t answer(const botel_call& call, std::uint64_t reply, std::string_view json, int status = 0) {
  return emit(call, BOTEL_EFFECT_REPLY, reply, json, BOTEL_FORMAT_JSON, {}, status);
}
inline std::int32_t step(const botel_call& call, std::uint64_t reply, std::string_view name, std::string_view schema) {
  return emit(call, BOTEL_CONNECTOR_STEP, reply, schema, BOTEL_FORMAT_JSON, fmt::format(R"({{"step":"{}"}})", name));
}
inline std::int32_t finish(const botel_call& call, std::uint64_t reply, std::string_view contact) {
  return emit(call, BOTEL_CONNECTOR_FINISHED, reply, contact);
}
inline std::int32_t push(const botel_call& call, std::int32_t kind, std::string_view list) {
  return emit(call, kind, 0, list);
}
inline std::int32_t work(const botel_call& call, std::uint64_t reply) {
  return emit(call, BOTEL_CONNECTOR_WORKING, reply, {}, BOTEL_FORMAT_TEXT);
}
inline std::int32_t look_up(const botel_call& call, std::uint64_t reply) {
  return emit(call, BOTEL_CONNECTOR_FROM_DIRECTORY, reply, {}, BOTEL_FORMAT_TEXT);
}
inline std::int32_t media(const botel_call& call, std::uint64_t reply, std::string_view bytes, bool more,
                          std::string_view detail = {}) {
  return emit(call, BOTEL_CONNECTOR_MEDIA, reply, bytes, BOTEL_FORMAT_BYTES, detail, more ? 1 : 0);
}
inline std::int32_t keep_secret(const botel_call& call, std::string_view name, std::string_view value) {
  return emit(call, BOTEL_CONNECTOR_SECRET, 0, value, BOTEL_FORMAT_BYTES, fmt::format(R"({{"name":"{}"}})", name));
}
inline std::string member(botel_str json, std::string_view key) {
  const auto object = botel::json::read(FakeBot::view(json));
  return object ? botel::json::text(*object, key) : std::string();
}

}  // namespace does

// Of the text, to the letter.
inline constexpr std::string_view kPhoneSchema =
    R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"phone.schema.json","title":"Phone",)"
    R"("description":"A phone number to start configuration of the moca demo service","type":"object",)"
    R"("properties":{"phone":{"title":"Phone number","description":"Phone number in international format",)"
    R"("type":"string","examples":["+491711234567","+442071838750"]}},"required":["phone"]})";
inline constexpr std::string_view kCodeSchema =
    R"({"type":"object","properties":{"code":{"type":"string","pattern":"^[0-9]{5}$"}},"required":["code"]})";
inline constexpr std::string_view kJonDoe =
    R"({"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+491711234567"})";
inline constexpr std::string_view kContacts =
    R"([{"contact_id":1,"name":"Ada","username":"ada","phone":null,"avatar":null},{"id":2,"name":"Bob"}])";
inline constexpr std::string_view kChats =
    R"([{"chat_id":7,"name":"Ada","chat_type":"ChatType.single","participants":[192168,1]}])";
inline constexpr std::string_view kMessages =
    R"([{"message_id":70,"contact_id":1,"chat_id":7,"sent_datetime":"2024-05-01T09:01:00+00:00",)"
    R"("message":{"type":"text","content":"first"}},)"
    R"({"message_id":71,"contact_id":192168,"chat_id":7,"sent_datetime":"2024-05-01T09:02:00+00:00",)"
    R"("message":{"type":"image","content":null}}])";

inline constexpr std::string_view kGroups =
    R"([{"chat_id":7,"name":"Us","chat_type":"ChatType.group","participants":[192168,1,2]}])";

// Done at once; +442071838750 has something to tell, +2 the same with a group, +1 wants a code.
inline std::int32_t configure_like_the_text(const botel_call& call, const botel_event& event) {
  const std::string step = does::member(event.detail, "step");
  if (step.empty()) return does::step(call, event.reply, "phone", kPhoneSchema);
  const std::string phone = does::member(event.payload, "phone");
  if (phone == "+1") return does::step(call, event.reply, "code", kCodeSchema);
  does::finish(call, event.reply, kJonDoe);
  if (phone != "+442071838750" && phone != "+2") return BOTEL_OK;
  does::push(call, BOTEL_CONNECTOR_PUSH_CONTACTS, kContacts);
  does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, phone == "+2" ? kGroups : kChats);
  return does::push(call, BOTEL_CONNECTOR_PUSH_MESSAGES, kMessages);
}

// What is sent comes back as a whole message, and is pushed; "fail" and "never" are what they say.
inline std::int32_t send_like_a_service(const botel_call& call, const botel_event& event) {
  const std::string text = does::member(event.payload, "content");
  if (text == "fail") return does::answer(call, event.reply, R"({"message":"the service is down"})", 503);
  if (text == "never") return BOTEL_OK;
  if (text == "throw") return BOTEL_E_FAILED;
  const std::string message = fmt::format(
      R"({{"message_id":72,"contact_id":192168,"chat_id":{},"sent_datetime":"2024-05-01T09:03:00+00:00","message":{}}})",
      botel::json::quoted(does::member(event.detail, "chat_id")), FakeBot::view(event.payload));
  does::answer(call, event.reply, message);
  return does::push(call, BOTEL_CONNECTOR_PUSH_MESSAGES, "[" + message + "]");
}

// "hello", in two pieces.
inline std::int32_t show_media(const botel_call& call, const botel_event& event) {
  if (does::member(event.detail, "message_id") == "404") {
    return does::answer(call, event.reply, R"({"message":"no such message"})", 404);
  }
  if (does::member(event.detail, "offset") == "0") return does::media(call, event.reply, "hel", true);
  return does::media(call, event.reply, "lo", false, R"({"filename":"hello.txt","mime":"text/plain"})");
}

// The connector of the transcripts (see tests/transcripts/README.md).
inline std::int32_t transcript_connector(const botel_call& call, const botel_event& event) {
  switch (event.kind) {
    case BOTEL_CONNECTOR_CONFIGURE: return configure_like_the_text(call, event);
    case BOTEL_CONNECTOR_SEND_MESSAGE: return send_like_a_service(call, event);
    case BOTEL_CONNECTOR_GET_MEDIA: return show_media(call, event);
    case BOTEL_CONNECTOR_GET_CONTACTS:
    case BOTEL_CONNECTOR_GET_CONTACT:
    case BOTEL_CONNECTOR_GET_CHATS:
    case BOTEL_CONNECTOR_GET_CHAT:
    case BOTEL_CONNECTOR_GET_MESSAGES: return does::look_up(call, event.reply);
    default: return BOTEL_OK;
  }
}
