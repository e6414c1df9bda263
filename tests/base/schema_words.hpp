// What the tests of schemas have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/schema.hpp"

inline std::string told(const std::vector<botel::Schema::Fault>& faults) {
  std::string text;
  for (const auto& fault : faults) text += (text.empty() ? "" : "; ") + fault.pointer + " " + fault.message;
  return text;
}

// What is wrong with the data: "/phone is not a string; /name ...".
inline std::string faults(std::string_view schema, std::string_view data) {
  const auto compiled = botel::Schema::compile(schema);
  return compiled ? told(compiled->check(data)) : "refused: " + compiled.error();
}

inline std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}
