// What a function that can fail returns: its value, or the reason as a sentence for people.
#pragma once

#include <fmt/core.h>

#include <string>
#include <tl/expected.hpp>

namespace botel {

template <class T = void>
using Result = tl::expected<T, std::string>;

// return failure("{}: built for ABI {}, this host speaks {}", path, theirs, ours);
template <class... Args>
[[nodiscard]] tl::unexpected<std::string> failure(fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace botel
