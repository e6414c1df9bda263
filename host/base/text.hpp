// Text from outside, made fit for a terminal, a log or a transcript.
#pragma once

#include <string>
#include <string_view>

namespace botel {

// `text` as one line: white space and line ends as spaces, control characters, what turns the direction of writing and
// what is no UTF-8 as U+FFFD. An escape sequence loses its power, as a terminal takes some from U+0080 on, too.
[[nodiscard]] std::string clean(std::string_view text);

// "1 room", "2 rooms".
[[nodiscard]] std::string counted(std::size_t number, std::string_view noun);

}  // namespace botel
