// A schema in the part of draft-07 that valijson does well, with the rest of it as rules of our own.
#pragma once

#include <rapidjson/document.h>

#include <memory>
#include <vector>

#include "base/result.hpp"
#include "base/schema_rules.hpp"

namespace botel::schema {

// Each schema of the document that is an object holds kRulesKeyword, an index into `rules`. Borrows what it was made
// of.
struct Rewritten {
  rapidjson::Document document;
  std::vector<std::shared_ptr<const Rules>> rules;
};
inline constexpr char kRulesKeyword[] = "rules";

// Or why the schema is refused; `root` has been read by json::read().
[[nodiscard]] Result<Rewritten> rewrite(const rapidjson::Value& root);

}  // namespace botel::schema
