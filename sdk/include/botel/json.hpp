// The little JSON that a bot or a connector in C++ needs, on RapidJSON: reading a payload and writing a value.
#pragma once

#include "rapidjson.hpp"  // before RapidJSON's own

#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <span>
#include <string>
#include <string_view>

#include "error.hpp"

namespace botel::json {

// Parses `text`; a document that is null when it is not JSON. Never recurses, so that no nesting can overflow the
// stack.
inline rapidjson::Document parse(std::string_view text) {
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  rapidjson::Document document;
  document.Parse<flags>(text.data(), text.size());
  if (document.HasParseError()) document.SetNull();
  return document;
}

// The member `name` of an object; null when there is none, or `value` is no object. Valid as long as `value`, as is all
// that the following functions give.
inline const rapidjson::Value* find(const rapidjson::Value& value, const char* name) {
  if (!value.IsObject()) return nullptr;
  const auto member = value.FindMember(name);
  return member == value.MemberEnd() ? nullptr : &member->value;
}

// The member `name`, when it is a text; otherwise empty.
inline std::string_view text(const rapidjson::Value& value, const char* name) {
  const auto* const member = find(value, name);
  return member && member->IsString() ? std::string_view(member->GetString(), member->GetStringLength())
                                      : std::string_view();
}

// The member `name`, when it is a whole number; otherwise `otherwise`.
inline long long number(const rapidjson::Value& value, const char* name, long long otherwise = 0) {
  const auto* const member = find(value, name);
  return member && member->IsInt64() ? member->GetInt64() : otherwise;
}

// The member `name`, when it is a number, whole or not.
inline double real(const rapidjson::Value& value, const char* name, double otherwise = 0) {
  const auto* const member = find(value, name);
  return member && member->IsNumber() ? member->GetDouble() : otherwise;
}

// The member `name`, when it is true or false.
inline bool flag(const rapidjson::Value& value, const char* name, bool otherwise = false) {
  const auto* const member = find(value, name);
  return member && member->IsBool() ? member->GetBool() : otherwise;
}

// The items of a list; none when `value` is no list.
inline std::span<const rapidjson::Value> items(const rapidjson::Value& value) {
  return value.IsArray() ? std::span(value.Begin(), value.Size()) : std::span<const rapidjson::Value>();
}
// Those of the member `name`.
inline std::span<const rapidjson::Value> items(const rapidjson::Value& value, const char* name) {
  const auto* const member = find(value, name);
  return member ? items(*member) : std::span<const rapidjson::Value>();
}

// `value` as JSON text.
inline std::string write(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

// Whether `text` is UTF-8: no overlong forms, no surrogates, nothing cut off.
inline bool is_utf8(std::string_view text) {
  struct Nowhere {
    void Put(char) {}
  } nowhere;
  rapidjson::MemoryStream in(text.data(), text.size());
  while (in.Tell() < text.size()) {
    if (!rapidjson::UTF8<>::Validate(in, nowhere)) return false;
  }
  return true;
}

namespace detail {

// Stops the parser at what it lets pass, but the host does not.
struct Strict : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Strict> {
  static constexpr int kMaxDepth = 64;
  int depth = 0;
  bool StartObject() { return ++depth <= kMaxDepth; }
  bool StartArray() { return ++depth <= kMaxDepth; }
  bool EndObject(rapidjson::SizeType) { return --depth >= 0; }
  bool EndArray(rapidjson::SizeType) { return --depth >= 0; }
  bool Key(const char* text, rapidjson::SizeType size, bool copied) { return String(text, size, copied); }
  // An escape like \udc00 alone is no character.
  bool String(const char* text, rapidjson::SizeType size, bool) { return is_utf8({text, size}); }
};

}  // namespace detail

// Whether `text` is one JSON value, in UTF-8, that may stand in other JSON as it is. Never recurses.
inline bool is_json(std::string_view text) {
  // RapidJSON takes a NUL for the end, and would not look at what follows it.
  if (text.empty() || text.find('\0') != text.npos) return false;
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  rapidjson::MemoryStream in(text.data(), text.size());
  rapidjson::Reader reader;
  detail::Strict strict;
  return !reader.Parse<flags>(in, strict).IsError();
}

// `text` as a JSON string. Throws Error when it is not UTF-8.
inline std::string quoted(const std::string& text) {
  using Utf8 = rapidjson::UTF8<>;
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer, Utf8, Utf8, rapidjson::CrtAllocator, rapidjson::kWriteValidateEncodingFlag>
      writer(buffer);
  if (!writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()))) throw Error("a text is not UTF-8");
  return {buffer.GetString(), buffer.GetSize()};
}

// A JSON object in the making, such as a small state. Its members stand in the order in which they came.
class Object {
 public:
  Object& text(std::string_view name, const std::string& value) { return raw(name, quoted(value)); }
  // Text that is left out when it is empty.
  Object& optional(std::string_view name, const std::string& value) {
    return value.empty() ? *this : text(name, value);
  }
  Object& number(std::string_view name, long long value) { return raw(name, std::to_string(value)); }
  // Throws Error when it is not finite: JSON knows no such number.
  Object& real(std::string_view name, double value) {
    if (!std::isfinite(value)) throw Error("a number is not finite");
    return raw(name, write(rapidjson::Value(value)));
  }
  Object& flag(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  // `json` is taken as it is.
  Object& raw(std::string_view name, std::string_view json) {
    members_.append(members_.empty() ? "\"" : ",\"").append(name).append("\":").append(json);
    return *this;
  }
  // All members of another one.
  Object& add(const Object& other) {
    if (!other.empty()) members_.append(members_.empty() ? "" : ",").append(other.members_);
    return *this;
  }
  bool empty() const { return members_.empty(); }
  std::string json() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// A JSON list of what has a json() of its own.
template <class Parts>
std::string list(const Parts& parts) {
  std::string text = "[";
  for (const auto& part : parts) {
    if (text.size() > 1) text += ',';
    text += part.json();
  }
  return text + "]";
}

}  // namespace botel::json
