// Data from outside, read for a schema to check.
#pragma once

#include <rapidjson/document.h>

#include <string_view>
#include <vector>

#include "base/schema.hpp"

namespace botel::schema {

// Reads JSON into `document`, and says what is wrong with it. A number that is no int64 is a double.
[[nodiscard]] Result<> parse(std::string_view text, rapidjson::Document& document);

// Reads data into `document`, and says what no schema may allow: text that is not JSON, names that are there twice,
// what is beyond the limits of Schema. `document` is for use only when there are no faults.
[[nodiscard]] std::vector<Schema::Fault> read_data(std::string_view text, rapidjson::Document& document);

}  // namespace botel::schema
