// The formats of strings that the keyword `format` knows.
#pragma once

#include <string_view>

namespace botel::schema {

struct Format {
  std::string_view name;
  bool (*fits)(std::string_view text);
  std::string_view sentence;  // of a text that does not fit: "is not a date, such as 2024-12-31"
};

// Lives as long as the process; null for a format that is not known.
[[nodiscard]] const Format* find_format(std::string_view name);

}  // namespace botel::schema
