// Text from outside, made fit for a terminal and a transcript.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace botel::cli {

// `text` as one line: white space and line ends as spaces, control characters, what turns the direction of writing and
// what is no UTF-8 as U+FFFD. An escape sequence loses its power, as a terminal takes some from U+0080 on, too.
[[nodiscard]] std::string clean(std::string_view text);

// The same, keeping the lines.
[[nodiscard]] std::vector<std::string> clean_lines(std::string_view text);

[[nodiscard]] std::string_view trimmed(std::string_view text);

// The number that `text` is, from 1 to `most`; 0: it is none.
[[nodiscard]] std::size_t number_up_to(std::size_t most, std::string_view text);

}  // namespace botel::cli
