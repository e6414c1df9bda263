// The schemas inside a JSON document: which of its objects are schemas at all (a property may be called "pattern"),
// what each asks, and where its `$ref` leads.
#pragma once

#include <rapidjson/document.h>

#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/result.hpp"
#include "base/schema_rules.hpp"

namespace botel::schema {

struct Surveyed {
  std::shared_ptr<Rules> rules = std::make_shared<Rules>();  // the gates first
  const rapidjson::Value* target = nullptr;                  // of its `$ref`; the rest of it is then of no meaning
  bool referenced = false;                                   // by some `$ref`
};

// Borrows the document.
using Survey = std::unordered_map<const rapidjson::Value*, Surveyed>;

// What each keyword of a schema is made of, for those that hold schemas or concern several values.
enum class Shape { schema, map, list, items, dependencies, names, count };
[[nodiscard]] const Shape* find_shape(std::string_view keyword);

// The survey, or what is wrong with the document but for cycles and sizes. It has been read by json::read().
[[nodiscard]] Result<Survey> survey(const rapidjson::Value& root);

}  // namespace botel::schema
