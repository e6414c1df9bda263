#include "base/schema_survey.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/schema_pointer.hpp"

namespace botel::schema {
namespace {

using Value = rapidjson::Value;

const std::map<std::string_view, Shape> kShapes = {
    {"definitions", Shape::map},
    {"$defs", Shape::map},
    {"properties", Shape::map},
    {"dependencies", Shape::dependencies},
    {"items", Shape::items},
    {"allOf", Shape::list},
    {"anyOf", Shape::list},
    {"oneOf", Shape::list},
    {"not", Shape::schema},
    {"if", Shape::schema},
    {"then", Shape::schema},
    {"else", Shape::schema},
    {"contains", Shape::schema},
    {"propertyNames", Shape::schema},
    {"additionalProperties", Shape::schema},
    {"additionalItems", Shape::schema},
    {"required", Shape::names},
    {"minItems", Shape::count},
    {"maxItems", Shape::count},
    {"minProperties", Shape::count},
    {"maxProperties", Shape::count},
};

bool draft_07(const Value& name) {
  if (!name.IsString()) return false;
  std::string_view text = view(name);
  if (text.ends_with('#')) text.remove_suffix(1);
  return text == "http://json-schema.org/draft-07/schema" || text == "https://json-schema.org/draft-07/schema";
}

bool is_names(const Value& value) {
  if (!value.IsArray()) return false;
  std::set<std::string_view> names;
  return std::all_of(value.Begin(), value.End(),
                     [&](const Value& name) { return name.IsString() && names.insert(view(name)).second; });
}

// What "%41" stands for. Anything else is left as it is, and leads nowhere.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned char byte = 0;
    const char* const digits = text.data() + at + 1;
    if (text[at] == '%' && at + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

std::string unescaped(std::string_view token) {
  std::string name;
  for (std::size_t at = 0; at < token.size(); ++at) {
    const auto two = token.substr(at, 2);
    name += two == "~1" ? '/' : token[at];
    if (two == "~0" || two == "~1") ++at;
  }
  return name;
}

std::optional<rapidjson::SizeType> as_index(const std::string& name) {
  rapidjson::SizeType index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  // "01" is no index.
  return error == std::errc() && std::to_string(index) == name ? std::optional(index) : std::nullopt;
}

// Goes on after the first thing that is wrong only as far as it does no harm.
class Surveyor {
 public:
  Result<Survey> run(const Value& root) {
    plain(root, "");
    if (error_.empty()) schema(root, "");
    if (error_.empty()) resolve(root);
    if (!error_.empty()) return tl::unexpected(std::move(error_));
    return std::move(found_);
  }

 private:
  void refuse(const std::string& pointer, std::string_view what) {
    if (error_.empty()) error_ = pointer.empty() ? std::string(what) : fmt::format("at {}: {}", pointer, what);
  }

  // Two members of one name would be one for us and another for the next reader; to valijson, a NUL is the end of a
  // name.
  void plain(const Value& value, const std::string& pointer) {
    if (value.IsString() && view(value).find('\0') != std::string_view::npos) refuse(pointer, "holds a NUL character");
    if (value.IsArray()) {
      for (const auto& element : value.GetArray()) plain(element, pointer);
    }
    if (!value.IsObject()) return;
    std::set<std::string_view> names;
    for (const auto& member : value.GetObject()) {
      const auto name = view(member.name);
      if (!names.insert(name).second) refuse(pointer, fmt::format("\"{}\" is there twice", name));
      plain(member.name, pointer);
      plain(member.value, step(pointer, name));
    }
  }

  void schema(const Value& value, const std::string& pointer) {
    if (!error_.empty()) return;
    if (!value.IsObject() && !value.IsBool()) return refuse(pointer, "a schema must be an object or a boolean");
    found_[&value];
    if (!value.IsObject()) return;
    const bool reference = value.HasMember("$ref");
    for (const auto& member : value.GetObject()) {
      const auto name = view(member.name);
      // Beside a `$ref`, definitions are the one thing that may be of use.
      if (!reference || name == "definitions" || name == "$defs") keyword(value, name, member.value, pointer);
    }
    if (reference) references_.push_back(&value);
  }

  void keyword(const Value& owner, std::string_view name, const Value& value, const std::string& pointer) {
    if (name == "$schema" && !draft_07(value))
      return refuse(pointer, "\"$schema\" is not draft-07, the only one known");
    if (name == "patternProperties") return refuse(pointer, "\"patternProperties\" is not supported");
    if (name == "$id" && !pointer.empty() && !(value.IsString() && view(value).starts_with('#'))) {
      // It would change what the references inside it refer to.
      return refuse(pointer, "an \"$id\" below the root is not supported");
    }
    if (const Shape* const shape = find_shape(name)) return shaped(*shape, name, value, pointer);
    auto rule = make_rule(name, value);
    if (!rule) return refuse(pointer, fmt::format("\"{}\" {}", name, rule.error()));
    if (!*rule) return;
    auto& rules = *found_[&owner].rules;
    rules.insert((*rule)->gate ? rules.begin() : rules.end(), std::move(**rule));
  }

  void shaped(Shape shape, std::string_view name, const Value& value, const std::string& pointer) {
    const auto must = [&](std::string_view what) { refuse(pointer, fmt::format("\"{}\" must be {}", name, what)); };
    const std::string inside = step(pointer, name);
    switch (shape) {
      case Shape::schema: return schema(value, inside);
      case Shape::items: return value.IsArray() ? list(value, inside) : schema(value, inside);
      case Shape::list:
        if (!value.IsArray() || value.Empty()) return must("a list of at least one schema");
        return list(value, inside);
      case Shape::count:
        if (!as_count(value)) must("an integer of at least 0");
        return;
      case Shape::names:
        if (!is_names(value)) must("a list of different strings");
        return;
      case Shape::map:
      case Shape::dependencies:
        if (!value.IsObject()) return must("an object");
        for (const auto& member : value.GetObject()) {
          const bool names = shape == Shape::dependencies && member.value.IsArray();
          if (!names) schema(member.value, step(inside, view(member.name)));
          if (names && !is_names(member.value)) must("made of schemas and lists of different strings");
        }
    }
  }

  void list(const Value& schemas, const std::string& pointer) {
    for (rapidjson::SizeType i = 0; i < schemas.Size(); ++i) schema(schemas[i], step(pointer, std::to_string(i)));
  }

  void resolve(const Value& root) {
    for (const Value* const from : references_) {
      const Value& name = (*from)["$ref"];
      if (!name.IsString()) return refuse("", "a \"$ref\" must be a string");
      const std::string_view text = view(name);
      if (!text.starts_with('#')) return refuse("", fmt::format("\"$ref\": \"{}\" leads to another document", text));
      const auto target = found_.find(follow(root, percent_decoded(text.substr(1))));
      if (target == found_.end()) return refuse("", fmt::format("\"$ref\": \"{}\" leads to no schema", text));
      found_[from].target = target->first;
      target->second.referenced = true;
    }
  }

  // What a JSON pointer leads to; null when it leads nowhere.
  const Value* follow(const Value& root, const std::string& pointer) {
    const Value* at = &root;
    for (std::size_t begin = 0; begin < pointer.size() && at != nullptr;) {
      if (pointer[begin] != '/') return nullptr;
      const auto end = std::min(pointer.find('/', begin + 1), pointer.size());
      at = child(*at, unescaped(std::string_view(pointer).substr(begin + 1, end - begin - 1)));
      begin = end;
    }
    return at;
  }

  const Value* child(const Value& parent, const std::string& name) {
    if (parent.IsArray()) {
      const auto index = as_index(name);
      return index && *index < parent.Size() ? &parent[*index] : nullptr;
    }
    if (!parent.IsObject()) return nullptr;
    auto& members = members_[&parent];
    if (members.empty()) {
      for (const auto& member : parent.GetObject()) members.emplace(view(member.name), &member.value);
    }
    const auto found = members.find(name);
    return found == members.end() ? nullptr : found->second;
  }

  Survey found_;
  std::vector<const Value*> references_;
  // RapidJSON looks for a member one by one, which thousands of references make slow.
  std::unordered_map<const Value*, std::unordered_map<std::string_view, const Value*>> members_;
  std::string error_;
};

}  // namespace

const Shape* find_shape(std::string_view keyword) {
  const auto found = kShapes.find(keyword);
  return found == kShapes.end() ? nullptr : &found->second;
}

Result<Survey> survey(const Value& root) { return Surveyor().run(root); }

}  // namespace botel::schema
