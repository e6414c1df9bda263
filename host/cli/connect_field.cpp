#include "cli/connect_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/log.hpp"
#include "cli/text.hpp"

namespace botel::cli {
namespace {

using json::Document;
using json::Kind;
using json::Value;
using FieldKind = ConnectField::Kind;

// Whatever a schema holds, it is read soon.
constexpr std::size_t kLongestSchema = 256 << 10;  // bytes
constexpr std::size_t kMostFields = 200;
constexpr std::size_t kMostOptions = 200;
constexpr std::size_t kMostExamples = 5;
constexpr int kMostReferences = 8;                                // that lead to one another
constexpr int kDeepest = 8;                                       // of what they lead to
constexpr std::size_t kLongestLabel = 100, kLongestText = 1'000;  // bytes

// The inside of a value that is known to be JSON.
Document open(const Value& value) {
  auto document = json::read(value.raw);
  return document ? std::move(*document) : Document();
}

Document inside(const Document& object, std::string_view key) {
  const auto value = object.find(key);
  return value ? open(*value) : Document();
}

bool is_true(const Document& object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->raw == "true";
}

std::string shown(const Document& object, std::string_view key, std::size_t longest) {
  const auto value = object.find(key);
  return value && value->is(Kind::string) ? log::printable(json::text(*value), longest) : "";
}

// RFC 6901.
std::string unescaped(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    const bool escape = token[i] == '~' && i + 1 < token.size();
    text += !escape ? token[i] : token[++i] == '0' ? '~' : '/';
  }
  return text;
}

// What "#/definitions/name" leads to.
Document follow(const Document& root, std::string_view reference) {
  if (!reference.starts_with("#/")) return {};
  reference.remove_prefix(2);
  Document place = root;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const auto end = reference.find('/');
    place = inside(place, unescaped(reference.substr(0, end)));
    if (end == std::string_view::npos) return place;
    reference.remove_prefix(end + 1);
  }
  return {};
}

Document resolved(const Document& root, Document schema) {
  for (int i = 0; i < kMostReferences; ++i) {
    const auto reference = schema.find("$ref");
    if (!reference || !reference->is(Kind::string)) return schema;
    schema = follow(root, json::text(*reference));
  }
  return {};
}

// What `type` allows; null is what an optional field is anyway. Empty: it does not say.
std::set<std::string> types_of(const Document& schema) {
  std::set<std::string> types;
  const auto type = schema.find("type");
  if (type && type->is(Kind::string)) types.insert(json::text(*type));
  if (type && type->is(Kind::array)) {
    for (const auto& one : open(*type).elements) {
      if (one.is(Kind::string)) types.insert(json::text(one));
    }
  }
  types.erase("null");
  return types;
}

FieldKind kind_of(const Document& schema) {
  const auto types = types_of(schema);
  if (types.contains("string")) return FieldKind::text;
  if (types == std::set<std::string>{"integer", "number"}) return FieldKind::number;
  if (types.size() > 1) return FieldKind::json;
  const std::string type = types.empty() ? "" : *types.begin();
  if (type == "integer") return FieldKind::integer;
  if (type == "number") return FieldKind::number;
  if (type == "boolean") return FieldKind::yes_no;
  const bool nested = schema.find("properties") || schema.find("items");
  return type == "object" || type == "array" || (type.empty() && nested) ? FieldKind::json : FieldKind::text;
}

Option option(const Value& value, std::string text) {
  if (text.empty()) text = value.is(Kind::string) ? json::text(value) : std::string(value.raw);
  return {std::string(value.raw), log::printable(text, kLongestText)};
}

// Of `enum` and `const`, and of alternatives that are a const each, which often have titles.
std::vector<Option> options_of(const Document& schema) {
  std::vector<Option> options;
  if (const auto constant = schema.find("const")) options.push_back(option(*constant, ""));
  for (const auto& value : inside(schema, "enum").elements) options.push_back(option(value, ""));
  for (const char* const key : {"oneOf", "anyOf"}) {
    const auto alternatives = inside(schema, key).elements;
    if (!options.empty()) break;
    for (const auto& value : alternatives) {
      const Document alternative = open(value);
      const auto constant = alternative.find("const");
      if (!constant) return {};
      options.push_back(option(*constant, shown(alternative, "title", kLongestText)));
    }
  }
  return options.size() > kMostOptions ? std::vector<Option>() : options;
}

std::string examples_of(const Document& schema) {
  std::string text;
  const auto examples = inside(schema, "examples").elements;
  for (std::size_t i = 0; i < std::min(examples.size(), kMostExamples); ++i) {
    text += (text.empty() ? "" : ", ") + log::printable(json::text(examples[i]), kLongestLabel);
  }
  return text;
}

ConnectField read_field(const std::string& key, const Document& schema) {
  ConnectField field;
  field.key = key;
  field.label = shown(schema, "title", kLongestLabel);
  if (field.label.empty()) field.label = log::printable(key, kLongestLabel);
  field.description = shown(schema, "description", kLongestText);
  field.examples = examples_of(schema);
  field.options = options_of(schema);
  field.kind = field.options.empty() ? kind_of(schema) : FieldKind::choice;
  field.hidden = is_true(schema, "writeOnly") || json::text(schema, "format") == "password";
  if (const auto preset = schema.present("default")) field.preset = preset->raw;
  return field;
}

std::set<std::string> required_of(const Document& schema) {
  std::set<std::string> required;
  for (const auto& name : inside(schema, "required").elements) {
    if (name.is(Kind::string)) required.insert(json::text(name));
  }
  return required;
}

ConnectField whole_object() {
  ConnectField field;
  field.whole = true;
  field.label = "Answer";
  field.kind = FieldKind::json;
  field.required = true;
  return field;
}

std::optional<std::string> read_yes_no(std::string_view line) {
  std::string word;
  for (const char c : line) word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (word == "y" || word == "yes" || word == "true") return "true";
  if (word == "n" || word == "no" || word == "false") return "false";
  return {};
}

}  // namespace

Result<std::vector<ConnectField>> read_connect_fields(std::string_view schema) {
  if (schema.size() > kLongestSchema) return failure("it is too large");
  const auto root = json::read(schema);
  if (!root || !root->root.is(Kind::object)) return failure("it is no JSON object");
  const Document top = resolved(*root, *root);
  const auto required = required_of(top);
  std::vector<ConnectField> fields;
  std::set<std::string> known;
  const auto add = [&](const std::string& key, const std::optional<Value>& property) {
    fields.push_back(read_field(key, resolved(*root, property ? open(*property) : Document())));
    fields.back().required = required.contains(key);
    return fields.size() <= kMostFields;
  };
  const Document properties = inside(top, "properties");
  for (const auto& [key, value] : properties.members) {
    if (known.insert(key).second && !add(key, properties.find(key))) break;
  }
  for (const auto& key : required) {
    if (known.insert(key).second && !add(key, {})) break;
  }
  if (fields.size() > kMostFields) return failure("it has more than {} fields", kMostFields);
  if (fields.empty()) fields.push_back(whole_object());
  return fields;
}

std::vector<std::string> describe_schema(std::string_view schema) {
  std::vector<std::string> lines;
  const auto root = json::read(schema);
  if (!root) return lines;
  const Document top = resolved(*root, *root);
  for (const char* const key : {"title", "description"}) {
    if (auto line = shown(top, key, kLongestText); !line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

std::optional<std::string> read_connect_answer(const ConnectField& field, std::string_view line) {
  // A password may well begin or end with a space.
  if (field.kind == FieldKind::text) return json::quoted(field.hidden ? line : trimmed(line));
  line = trimmed(line);
  if (field.kind == FieldKind::yes_no) return read_yes_no(line);
  if (field.kind == FieldKind::choice) {
    const auto option = find_option(field.options, line);
    return option ? std::optional(option->value) : std::nullopt;
  }
  const auto read = json::read(line);
  if (!read) return {};
  const Value& value = read->root;
  const bool is_number = field.kind == FieldKind::integer || field.kind == FieldKind::number;
  if (is_number && !value.is(Kind::number)) return {};
  if (field.kind == FieldKind::integer && !json::integer(value)) return {};
  if (field.whole && !value.is(Kind::object)) return {};
  return std::string(value.raw);
}

}  // namespace botel::cli
