// What the keywords of a schema ask of one value alone: its type, its range, its form.
#pragma once

#include <rapidjson/document.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace botel::schema {

struct Rule {
  std::function<bool(const rapidjson::Value& value)> fits;
  std::string sentence;  // of a value that does not fit: "is not a string"
  bool whole = false;    // looks into arrays and objects; other rules may be shown an empty one
  bool gate = false;     // where this one is broken, the others are not worth a word
};

using Rules = std::vector<Rule>;

// The rule that `keyword: value` makes, or why `value` is refused: "must be a number". Nothing for a keyword that asks
// nothing of a value alone. The rule borrows nothing.
[[nodiscard]] Result<std::optional<Rule>> make_rule(std::string_view keyword, const rapidjson::Value& value);

// A number of things, as `minItems` and the like take it.
[[nodiscard]] std::optional<std::int64_t> as_count(const rapidjson::Value& value);

// Unicode code points.
[[nodiscard]] std::size_t count_characters(std::string_view utf8);

[[nodiscard]] inline std::string_view view(const rapidjson::Value& string) {
  return {string.GetString(), string.GetStringLength()};
}

}  // namespace botel::schema
