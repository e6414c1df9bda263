// JSON from outside, checked as a whole and taken apart without changing a byte of it, and JSON to write.
//
// A value is a slice of the text that it came from: what is kept or sent on (`_context`, an id) stays as it was
// written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace botel::json {

enum class Kind { null, boolean, number, string, array, object };

// A value and its text, borrowed from what was read.
struct Value {
  Kind kind = Kind::null;
  std::string_view raw;

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
};

struct Member {
  std::string key;
  Value value;
};

// A text that is JSON, and its first level. Borrows the text.
struct Document {
  Value root;
  std::vector<Member> members;  // of an object, in order
  std::vector<Value> elements;  // of an array

  // The member `key`, the last one where there are several; nothing when there is none.
  [[nodiscard]] std::optional<Value> find(std::string_view key) const;
  // The same, where null is as good as none.
  [[nodiscard]] std::optional<Value> present(std::string_view key) const;
};

// Nesting beyond this is refused.
inline constexpr int kMaxDepth = 64;

// Checks all of `text`: one value, UTF-8 everywhere, no deeper than kMaxDepth, nothing behind it.
[[nodiscard]] Result<Document> read(std::string_view text);

// What a string value says, decoded. Any other value: as it is written.
[[nodiscard]] std::string text(const Value& value);

// What the member `key` says, where it is a string or a number; else nothing.
[[nodiscard]] std::string text(const Document& object, std::string_view key);

// A number value, when it is an integer that fits.
[[nodiscard]] std::optional<std::int64_t> integer(const Value& value);

// Appends `text` as a JSON string. What is not UTF-8 becomes U+FFFD.
void quote(std::string& to, std::string_view text);
[[nodiscard]] std::string quoted(std::string_view text);

// An array of elements that are JSON.
[[nodiscard]] std::string array(const std::vector<std::string>& elements);

[[nodiscard]] bool valid_utf8(std::string_view text);

}  // namespace botel::json
