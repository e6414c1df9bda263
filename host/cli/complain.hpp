// How a command fails.
#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string_view>

#include "base/text.hpp"

namespace botel::cli {

// Says why on stderr; the exit code.
inline int complain(std::string_view why, int code = 1) {
  fmt::print(stderr, "botel: {}\n", clean(why));
  return code;
}

}  // namespace botel::cli
