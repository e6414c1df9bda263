// RapidJSON for plugins. Wrong use, which ends the host by an assertion otherwise, throws botel::Error and fails the
// event. And values can be compared with numbers and texts: with RapidJSON 1.1 alone, `value == 1` never returns.
//
// Must be included before RapidJSON's own headers. A file of the plugin that includes only those gets other symbols, so
// that the two never mix. Who defines RAPIDJSON_ASSERT gets RapidJSON with that.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "error.hpp"

#ifdef RAPIDJSON_RAPIDJSON_H_
#error "include botel's headers before those of RapidJSON, whose assertions would end the host otherwise"
#endif

namespace botel::json::detail {

// `condition` does not hold in RapidJSON's `function`.
[[noreturn]] inline void wrong_use(std::string_view function, std::string_view condition) {
  std::string what = "wrong use of JSON: ";
  if (function == "operator[]" && condition == "false") throw Error(what + "there is no such member");
  throw Error(what.append(function).append(" needs ").append(condition));
}

}  // namespace botel::json::detail

#ifndef RAPIDJSON_ASSERT
#define RAPIDJSON_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::botel::json::detail::wrong_use(__func__, #condition))
#define RAPIDJSON_HAS_CXX11_NOEXCEPT 0  // what would be noexcept asserts, too
#define RAPIDJSON_NAMESPACE rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN \
  namespace rapidjson {           \
  inline namespace botel_checked {
#define RAPIDJSON_NAMESPACE_END \
  }                             \
  }
#endif

#include <rapidjson/document.h>

namespace botel::json::detail {

template <class T>
concept NoValue = !rapidjson::internal::IsGenericValue<T>::Value;
template <class T>
concept Comparable = std::is_arithmetic_v<T> ||
    (std::is_convertible_v<T, std::string_view> && !std::is_null_pointer_v<T>);

}  // namespace botel::json::detail

RAPIDJSON_NAMESPACE_BEGIN

// Up to g++ 12 and clang 15, RapidJSON's template for `other == value` is also the best match, with its sides changed,
// for the `value == other` in its own body. These are better matches, because they are constrained.
template <botel::json::detail::NoValue Other>
requires botel::json::detail::Comparable<Other>
bool operator==(const Value& value, const Other& other) {
  if constexpr (std::is_same_v<Other, bool> || std::is_floating_point_v<Other>) {
    return value == Value(other);
  } else if constexpr (std::is_arithmetic_v<Other>) {
    return value == Value(static_cast<std::conditional_t<std::is_signed_v<Other>, std::int64_t, std::uint64_t>>(other));
  } else {
    return value.IsString() && std::string_view(value.GetString(), value.GetStringLength()) == std::string_view(other);
  }
}
template <botel::json::detail::NoValue Other>
bool operator==(const Value& value, const Other& other) = delete;

RAPIDJSON_NAMESPACE_END
