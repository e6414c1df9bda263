// Text in a terminal, in lines and numbers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace botel::cli {

// clean(), keeping the lines.
[[nodiscard]] std::vector<std::string> clean_lines(std::string_view text);

[[nodiscard]] std::string_view trimmed(std::string_view text);

// The number that `text` is, from 1 to `most`; 0: it is none.
[[nodiscard]] std::size_t number_up_to(std::size_t most, std::string_view text);

}  // namespace botel::cli
