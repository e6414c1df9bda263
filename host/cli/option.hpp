// One of the things that a field of a form can be.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace botel::cli {

struct Option {
  std::string value, text;
};

// By number from 1, by text, or by value.
[[nodiscard]] std::optional<Option> find_option(const std::vector<Option>& options, std::string_view line);

}  // namespace botel::cli
