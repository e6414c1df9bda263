// JSON pointers (RFC 6901), written.
#pragma once

#include <string>
#include <string_view>

namespace botel::schema {

// `pointer`, one step further.
inline std::string step(std::string pointer, std::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

}  // namespace botel::schema
