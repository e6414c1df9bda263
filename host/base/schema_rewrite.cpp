#include "base/schema_rewrite.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/schema.hpp"
#include "base/schema_survey.hpp"

// What is changed, and why:
//
// - A schema that some `$ref` leads to moves to /definitions/N, and each place of it gets a `$ref`. valijson knows
//   schemas by their paths, which it writes without escapes, and some (of `propertyNames`, of `dependencies`) wrongly:
//   it takes one for another.
// - `anyOf` and the like become {"if": {"anyOf": ...}, "else": {a rule that says no}}: valijson says nothing about what
//   fails inside an "if", and we say one sentence instead.
// - `false` is a rule that says no: valijson says nothing of it.
// - `allOf` and everything that several schemas come of becomes a tree of allOf and if-then of one schema each:
// valijson
//   leaves `allOf` at the first that fails, and we want to know of all.
// - `items` with `additionalItems` become two: after an item that fails, valijson counts wrongly where the additional
//   ones begin.
// - Keywords that concern one value become rules (schema_rules.cpp).
namespace botel::schema {
namespace {

using Value = rapidjson::Value;

rapidjson::GenericStringRef<char> constant(std::string_view text) {
  return {text.data(), static_cast<rapidjson::SizeType>(text.size())};
}

class Rewriter {
 public:
  explicit Rewriter(const Survey& survey) : survey_(survey) {}

  Result<Rewritten> run(const Value& root) {
    std::size_t size = 0;
    Value top = schema(root, 1, size);
    if (!error_.empty()) return tl::unexpected(std::move(error_));
    if (!top.IsObject()) top.SetObject();
    top.AddMember("definitions", definitions_, pool());
    static_cast<Value&>(result_.document) = top;
    return std::move(result_);
  }

 private:
  // A schema that references lead to.
  struct Moved {
    rapidjson::SizeType index = 0;
    bool done = false;
    std::size_t size = 0;  // schemas in it, references followed
    int height = 0;        // of the deepest of them
  };

  rapidjson::Document::AllocatorType& pool() { return result_.document.GetAllocator(); }

  Value text(const std::string& copied) {
    return Value(copied.data(), static_cast<rapidjson::SizeType>(copied.size()), pool());
  }

  void refuse(std::string what) {
    if (error_.empty()) error_ = std::move(what);
  }

  // Counts, and says whether to go on.
  bool grow(std::size_t& size, std::size_t by) {
    size += by;
    if (size > Schema::kMaxExpanded) {
      refuse(fmt::format("more than {} schemas, references followed", Schema::kMaxExpanded));
    }
    return error_.empty();
  }

  void descend(int depth) {
    deepest_ = std::max(deepest_, depth);
    if (depth > Schema::kMaxDepth) {
      refuse(fmt::format("schemas are nested deeper than {} levels, references followed", Schema::kMaxDepth));
    }
  }

  // What `from` becomes; adds the schemas in it to `size`.
  Value schema(const Value& from, int depth, std::size_t& size) {
    descend(depth);
    if (!error_.empty()) return Value(true);
    return survey_.at(&from).referenced ? reference(from, depth, size) : body(from, depth, size);
  }

  Value reference(const Value& to, int depth, std::size_t& size) {
    const auto [entry, fresh] = moved_.try_emplace(&to);
    Moved& target = entry->second;
    if (fresh) {
      target.index = definitions_.Size();
      definitions_.PushBack(Value(), pool());
      move(to, target, depth);
    } else if (!target.done) {
      refuse("a \"$ref\" leads back to a schema that it is part of");
    }
    descend(depth + target.height);
    grow(size, target.size);
    Value out(rapidjson::kObjectType);
    out.AddMember("$ref", text(fmt::format("#/definitions/{}", target.index)), pool());
    return out;
  }

  void move(const Value& from, Moved& to, int depth) {
    const int outer = std::exchange(deepest_, depth);
    Value moved = body(from, depth, to.size);
    definitions_[to.index] = moved;
    to.height = deepest_ - depth;
    to.done = true;
    deepest_ = std::max(outer, deepest_);
  }

  Value body(const Value& from, int depth, std::size_t& size) {
    if (!grow(size, 1)) return Value(true);
    if (from.IsBool()) return from.IsTrue() ? Value(true) : refusal("is not allowed");
    unused(from, depth);
    const Surveyed& known = survey_.at(&from);
    if (known.target != nullptr) return schema(*known.target, depth + 1, size);
    Value out(rapidjson::kObjectType);
    std::vector<Value> all;
    for (const auto& member : from.GetObject()) {
      if (const Shape* const shape = find_shape(view(member.name))) {
        keyword(from, view(member.name), *shape, member.value, out, all, depth + 1, size);
      }
    }
    if (!all.empty()) out.AddMember("allOf", only(together(all.begin(), all.end())), pool());
    add_rules(out, known.rules);
    return out;
  }

  Value only(Value&& element) {
    Value out(rapidjson::kArrayType);
    out.PushBack(element, pool());
    return out;
  }

  // A schema that asks all that these ask, at least one.
  Value together(std::vector<Value>::iterator begin, std::vector<Value>::iterator end) {
    if (end - begin == 1) return std::move(*begin);
    const auto middle = begin + (end - begin) / 2;
    Value out(rapidjson::kObjectType);
    out.AddMember("allOf", only(together(begin, middle)), pool());
    out.AddMember("if", Value(true), pool());
    out.AddMember("then", together(middle, end), pool());
    return out;
  }

  // Definitions are checked, whether something refers to them or not.
  void unused(const Value& from, int depth) {
    for (const char* const name : {"definitions", "$defs"}) {
      const auto found = from.FindMember(name);
      if (found == from.MemberEnd()) continue;
      for (const auto& member : found->value.GetObject()) {
        std::size_t size = 0;
        schema(member.value, depth + 1, size);
      }
    }
  }

  void keyword(const Value& from, std::string_view name, Shape shape, const Value& value, Value& out,
               std::vector<Value>& all, int depth, std::size_t& size) {
    const auto key = constant(name);
    const auto keep = [&](Value&& kept) { out.AddMember(key, kept, pool()); };
    const auto instead = [&](Value&& inside, const char* branch, std::string sentence) {
      Value test(rapidjson::kObjectType);
      test.AddMember(key, inside, pool());
      all.push_back(conditional(test, branch, std::move(sentence)));
    };
    if (name == "definitions" || name == "$defs") return;
    // They go with "if" and "items".
    if (name == "then" || name == "else" || name == "additionalItems") return;
    if (name == "allOf") {
      for (const auto& element : value.GetArray()) all.push_back(schema(element, depth, size));
    } else if (name == "anyOf") {
      instead(list(value, depth, size), "else", "has none of the forms that are allowed");
    } else if (name == "oneOf") {
      instead(list(value, depth, size), "else", "does not have exactly one of the forms that are allowed");
    } else if (name == "contains") {
      instead(schema(value, depth, size), "else", "has no item of the form that one must have");
    } else if (name == "propertyNames") {
      instead(schema(value, depth, size), "else", "has a member whose name is not allowed");
    } else if (name == "not") {
      Value test = schema(value, depth, size);
      all.push_back(conditional(test, "then", "has a form that is not allowed"));
    } else if (name == "if") {
      all.push_back(branches(from, depth, size));
    } else if (shape == Shape::items) {
      items(from, value, all, depth, size);
    } else if (shape == Shape::schema) {
      keep(schema(value, depth, size));
    } else if (shape == Shape::count) {
      keep(Value(*as_count(value)));
    } else if (shape == Shape::names) {
      keep(Value(value, pool()));
    } else {
      keep(map(value, depth, size));
    }
  }

  Value list(const Value& from, int depth, std::size_t& size) {
    Value out(rapidjson::kArrayType);
    for (const auto& element : from.GetArray()) out.PushBack(schema(element, depth, size), pool());
    return out;
  }

  Value branches(const Value& from, int depth, std::size_t& size) {
    Value out(rapidjson::kObjectType);
    for (const char* const name : {"if", "then", "else"}) {
      const auto found = from.FindMember(name);
      if (found != from.MemberEnd()) out.AddMember(constant(name), schema(found->value, depth, size), pool());
    }
    return out;
  }

  // Of properties or dependencies.
  Value map(const Value& from, int depth, std::size_t& size) {
    Value out(rapidjson::kObjectType);
    for (const auto& member : from.GetObject()) {
      Value value = member.value.IsArray() ? Value(member.value, pool()) : schema(member.value, depth, size);
      out.AddMember(Value(member.name, pool()), value, pool());
    }
    return out;
  }

  void items(const Value& from, const Value& value, std::vector<Value>& all, int depth, std::size_t& size) {
    Value first(rapidjson::kObjectType);
    first.AddMember("items", value.IsArray() ? list(value, depth, size) : schema(value, depth, size), pool());
    all.push_back(std::move(first));
    const auto additional = from.FindMember("additionalItems");
    if (!value.IsArray() || additional == from.MemberEnd()) return;
    Value anything(rapidjson::kArrayType);
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) anything.PushBack(Value(true), pool());
    Value second(rapidjson::kObjectType);
    second.AddMember("items", anything, pool());
    second.AddMember("additionalItems", schema(additional->value, depth, size), pool());
    all.push_back(std::move(second));
  }

  Value conditional(Value& test, const char* branch, std::string sentence) {
    Value out(rapidjson::kObjectType);
    out.AddMember("if", test, pool());
    out.AddMember(constant(branch), refusal(std::move(sentence)), pool());
    return out;
  }

  Value refusal(std::string sentence) {
    Rule never{[](const Value&) { return false; }, std::move(sentence)};
    Value out(rapidjson::kObjectType);
    add_rules(out, std::make_shared<const Rules>(Rules{std::move(never)}));
    return out;
  }

  void add_rules(Value& out, std::shared_ptr<const Rules> rules) {
    out.AddMember(kRulesKeyword, Value(static_cast<std::uint64_t>(result_.rules.size())), pool());
    result_.rules.push_back(std::move(rules));
  }

  const Survey& survey_;
  Rewritten result_;
  Value definitions_{rapidjson::kArrayType};  // an array, because valijson looks for members one by one
  std::unordered_map<const Value*, Moved> moved_;
  int deepest_ = 0;
  std::string error_;
};

}  // namespace

Result<Rewritten> rewrite(const Value& root) {
  const auto found = survey(root);
  if (!found) return tl::unexpected(found.error());
  return Rewriter(*found).run(root);
}

}  // namespace botel::schema
