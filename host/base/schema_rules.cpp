#include "base/schema_rules.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <compare>
#include <limits>
#include <map>
#include <memory>
#include <set>

#include "base/json.hpp"
#include "base/schema_formats.hpp"

// valijson has all of these as well. Its own take 1.0 for no integer and 2^64-1 for -1, see the end of a string in a
// NUL, round 5.5 before they divide it, divide by zero, compare big integers as doubles, compare each item with each
// other, and match patterns with std::regex.
namespace botel::schema {
namespace {

using Made = Result<std::optional<Rule>>;
using Value = rapidjson::Value;

constexpr std::int64_t kPatternMemory = std::int64_t{2} * 1'024 * 1'024;
constexpr std::size_t kPatternShown = 100;  // bytes; a longer one helps nobody

std::optional<std::int64_t> integer(const Value& value) {
  if (value.IsInt64()) return value.GetInt64();
  if (!value.IsDouble()) return {};
  const double number = value.GetDouble();
  if (std::trunc(number) != number || number < -0x1p63 || number >= 0x1p63) return {};
  return static_cast<std::int64_t>(number);
}

bool is_integer(const Value& value) {
  return value.IsNumber() && (!value.IsDouble() || std::trunc(value.GetDouble()) == value.GetDouble());
}

std::partial_ordering compare(const Value& a, const Value& b) {
  const auto whole_a = integer(a);
  const auto whole_b = integer(b);
  if (whole_a && whole_b) return *whole_a <=> *whole_b;
  return a.GetDouble() <=> b.GetDouble();
}

std::string written(const Value& number) {
  const auto whole = integer(number);
  return whole ? fmt::format("{}", *whole) : fmt::format("{}", number.GetDouble());
}

// Equal values have one text, and others have others.
void normalize(std::string& to, const Value& value) {
  if (value.IsString()) return json::quote(to, view(value));
  if (value.IsNumber()) {
    to += written(value);
  } else if (value.IsArray()) {
    to += '[';
    for (const auto& element : value.GetArray()) {
      normalize(to, element);
      to += ',';
    }
    to += ']';
  } else if (value.IsObject()) {
    std::map<std::string_view, const Value*> members;
    for (const auto& member : value.GetObject()) members.emplace(view(member.name), &member.value);
    to += '{';
    for (const auto& [name, member] : members) {
      json::quote(to, name);
      to += ':';
      normalize(to, *member);
      to += ',';
    }
    to += '}';
  } else {
    to += value.IsNull() ? "null" : value.IsTrue() ? "true" : "false";
  }
}

std::string normalized(const Value& value) {
  std::string text;
  normalize(text, value);
  return text;
}

struct Type {
  std::string_view name;
  bool (*fits)(const Value&);
  std::string_view words;
};

constexpr Type kTypes[] = {
    {"null", [](const Value& value) { return value.IsNull(); }, "null"},
    {"boolean", [](const Value& value) { return value.IsBool(); }, "true or false"},
    {"number", [](const Value& value) { return value.IsNumber(); }, "a number"},
    {"integer", is_integer, "an integer"},
    {"string", [](const Value& value) { return value.IsString(); }, "a string"},
    {"array", [](const Value& value) { return value.IsArray(); }, "an array"},
    {"object", [](const Value& value) { return value.IsObject(); }, "an object"},
};

Made type(const Value& value) {
  std::vector<const Type*> types;
  std::string sentence = "is not ";
  const auto add = [&](const Value& name) {
    const auto* const known = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& type) {
      return name.IsString() && view(name) == type.name;
    });
    if (known == std::end(kTypes)) return false;
    if (!types.empty()) sentence += " or ";
    sentence += known->words;
    types.push_back(known);
    return true;
  };
  bool good = true;
  if (value.IsArray()) {
    for (const auto& name : value.GetArray()) good = good && add(name);
  } else {
    good = add(value);
  }
  if (!good || types.empty()) return failure("must be the name of a type, or a list of them");
  const auto fits = [types](const Value& seen) {
    return std::any_of(types.begin(), types.end(), [&](const Type* type) { return type->fits(seen); });
  };
  return Rule{fits, std::move(sentence), false, true};
}

Made one_of(const Value& value) {
  if (!value.IsArray()) return failure("must be a list of values");
  std::set<std::string> allowed;
  for (const auto& element : value.GetArray()) allowed.insert(normalized(element));
  return Rule{[allowed = std::move(allowed)](const Value& seen) { return allowed.contains(normalized(seen)); },
              "is none of the allowed values", true};
}

Made constant(const Value& value) {
  return Rule{[allowed = normalized(value)](const Value& seen) { return normalized(seen) == allowed; },
              "is not the one allowed value", true};
}

Made unique(const Value& value) {
  if (!value.IsBool()) return failure("must be true or false");
  if (value.IsFalse()) return std::nullopt;
  const auto fits = [](const Value& seen) {
    std::set<std::string> texts;
    if (!seen.IsArray()) return true;
    for (const auto& element : seen.GetArray()) {
      if (!texts.insert(normalized(element)).second) return false;
    }
    return true;
  };
  return Rule{fits, "has the same item twice", true};
}

// A rule of numbers. The bound is held by value: a rapidjson::Value of a number needs no allocator, but cannot be
// copied.
template <class Fits>
Made bound(const Value& value, const char* words, Fits fits) {
  if (!value.IsNumber()) return failure("must be a number");
  auto limit = std::make_shared<Value>();
  rapidjson::MemoryPoolAllocator<> none;
  limit->CopyFrom(value, none);
  return Rule{[limit, fits](const Value& seen) { return !seen.IsNumber() || fits(compare(seen, *limit)); },
              fmt::format("is {} {}", words, written(value))};
}

Made multiple_of(const Value& value) {
  if (!value.IsNumber() || value.GetDouble() <= 0) return failure("must be a number above 0");
  const auto fits = [whole = integer(value), divisor = value.GetDouble()](const Value& seen) {
    if (!seen.IsNumber()) return true;
    if (const auto number = integer(seen); whole && number) return *number % *whole == 0;
    const double quotient = seen.GetDouble() / divisor;
    // 0.3 is a multiple of 0.1, although none of them is what it says.
    return std::abs(quotient - std::round(quotient)) <= std::abs(quotient) * 4 * std::numeric_limits<double>::epsilon();
  };
  return Rule{fits, fmt::format("is not a multiple of {}", written(value))};
}

Made length(const Value& value, bool longest) {
  const auto count = as_count(value);
  if (!count) return failure("must be an integer of at least 0");
  const auto fits = [longest, limit = static_cast<std::size_t>(*count)](const Value& seen) {
    if (!seen.IsString()) return true;
    const std::size_t characters = count_characters(view(seen));
    return longest ? characters <= limit : characters >= limit;
  };
  return Rule{fits, fmt::format("is {} than {} characters", longest ? "longer" : "shorter", *count)};
}

Made pattern(const Value& value) {
  if (!value.IsString()) return failure("must be a string");
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  const auto pattern =
      std::make_shared<const RE2>(re2::StringPiece(value.GetString(), value.GetStringLength()), options);
  if (!pattern->ok()) return failure("is no regular expression that RE2 knows: {}", pattern->error());
  const auto fits = [pattern](const Value& seen) {
    return !seen.IsString() || RE2::PartialMatch(re2::StringPiece(seen.GetString(), seen.GetStringLength()), *pattern);
  };
  const bool shown = value.GetStringLength() <= kPatternShown;
  return Rule{fits, shown ? fmt::format("does not match the pattern {}", view(value)) : "does not match the pattern"};
}

Made format(const Value& value) {
  if (!value.IsString()) return failure("must be a string");
  const Format* const known = find_format(view(value));
  if (known == nullptr) return std::nullopt;
  return Rule{[known](const Value& seen) { return !seen.IsString() || known->fits(view(seen)); },
              std::string(known->sentence)};
}

const std::map<std::string_view, Made (*)(const Value&)> kMakers = {
    {"type", type},
    {"enum", one_of},
    {"const", constant},
    {"uniqueItems", unique},
    {"multipleOf", multiple_of},
    {"pattern", pattern},
    {"format", format},
    {"minLength", [](const Value& value) { return length(value, false); }},
    {"maxLength", [](const Value& value) { return length(value, true); }},
    {"minimum", [](const Value& value) { return bound(value, "less than", std::is_gteq); }},
    {"maximum", [](const Value& value) { return bound(value, "more than", std::is_lteq); }},
    {"exclusiveMinimum", [](const Value& value) { return bound(value, "not more than", std::is_gt); }},
    {"exclusiveMaximum", [](const Value& value) { return bound(value, "not less than", std::is_lt); }},
};

}  // namespace

Result<std::optional<Rule>> make_rule(std::string_view keyword, const Value& value) {
  const auto maker = kMakers.find(keyword);
  if (maker == kMakers.end()) return std::nullopt;
  return maker->second(value);
}

std::optional<std::int64_t> as_count(const Value& value) {
  const auto count = integer(value);
  return count && *count >= 0 ? count : std::nullopt;
}

std::size_t count_characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace botel::schema
