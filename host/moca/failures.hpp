// How MOCA is told that something has failed. The published servers do not look at `error`: what stands beside it makes
// them take an answer for a failure. Pure functions; docs/moca.md says what they make of it.
#pragma once

#include <string>
#include <string_view>

#include "moca/topics.hpp"

namespace botel::moca {

// The answer to this request. `why`: for people.
[[nodiscard]] std::string failure_as_json(const Topic& topic, int code, std::string_view why);

// An object that is JSON, with the error as its first member.
[[nodiscard]] std::string with_error(std::string_view object, int code, std::string_view why);

// A contact of which nothing is known but its id, by which it is called.
[[nodiscard]] std::string unknown_contact(std::string_view id);

}  // namespace botel::moca
