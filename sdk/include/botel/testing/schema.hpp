// Whether an answer satisfies the schema of a step, in a test. The host is stricter: it knows all of draft-07, formats
// and RE2's patterns; this is what RapidJSON knows of draft-04.
#pragma once

#include "../json.hpp"  // before RapidJSON's own

#include <rapidjson/schema.h>

#include <optional>
#include <string>
#include <string_view>

namespace botel::testing::detail {

// What is wrong with it first: "/phone: type". `schema` is JSON.
inline std::optional<std::string> fault(std::string_view schema, std::string_view answer) {
  const auto schema_json = json::parse(schema), answer_json = json::parse(answer);
  const rapidjson::SchemaDocument compiled(schema_json);
  rapidjson::SchemaValidator validator(compiled);
  if (answer_json.Accept(validator)) return {};
  rapidjson::StringBuffer where;
  validator.GetInvalidDocumentPointer().Stringify(where);
  const std::string what = validator.GetInvalidSchemaKeyword();
  return where.GetSize() == 0 ? what : where.GetString() + (": " + what);
}

}  // namespace botel::testing::detail
