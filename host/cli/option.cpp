#include "cli/option.hpp"

#include "cli/text.hpp"

namespace botel::cli {

std::optional<Option> find_option(const std::vector<Option>& options, std::string_view line) {
  if (const auto number = number_up_to(options.size(), line)) return options[number - 1];
  for (const auto& option : options) {
    if (line == option.text || line == option.value) return option;
  }
  return {};
}

}  // namespace botel::cli
