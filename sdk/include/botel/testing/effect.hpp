// What a bot or a connector asked for, for its test to look at, and the checks that every host makes before it agrees.
#pragma once

#include <botel/abi.h>
#include <botel/ext/timer.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "../json.hpp"

namespace botel::testing {

// What one event may cause, and how often it is tried.
inline constexpr std::uint32_t kMaxAttempts = 20;
inline constexpr std::size_t kMaxEffects = 1000;
inline constexpr std::size_t kMaxEffectBytes = 16 << 20;
inline constexpr std::chrono::milliseconds kLongestDelay = std::chrono::days(3660);

// A botel_effect that owns what it holds.
struct Effect {
  std::int32_t kind = 0;
  std::uint64_t tag = 0;
  std::uint64_t reply = 0;
  std::chrono::milliseconds delay{0};
  std::int32_t format = 0;
  std::int32_t status = 0;
  std::string payload;
  std::string detail;
};

// Whether an effect of the actor's own kinds is as it should be: BOTEL_OK, or why not.
using Check = std::int32_t (*)(const Effect&);

namespace detail {

inline bool readable(botel_str text) { return text.ptr != nullptr || text.len == 0; }
inline std::string own(botel_str text) { return text.len == 0 ? std::string() : std::string(text.ptr, text.len); }

inline bool begins_with(std::string_view text, std::string_view brackets) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && brackets.find(text[first]) != brackets.npos;
}
inline bool json_object_or_list(std::string_view text) { return begins_with(text, "{[") && json::is_json(text); }

inline bool as_format_says(const Effect& effect) {
  switch (effect.format) {
    case BOTEL_FORMAT_BYTES: return true;
    case BOTEL_FORMAT_TEXT: return json::is_utf8(effect.payload);
    case BOTEL_FORMAT_JSON: return json::is_json(effect.payload);
    default: return false;
  }
}

inline std::int32_t check(const Effect& effect, Check check_own) {
  if (effect.delay < std::chrono::milliseconds(0) || effect.delay > kLongestDelay) return BOTEL_E_INVALID;
  if (!as_format_says(effect)) return BOTEL_E_INVALID;
  if (!effect.detail.empty() && !json::is_json(effect.detail)) return BOTEL_E_INVALID;
  switch (effect.kind) {
    case BOTEL_EFFECT_STATE:
    case BOTEL_TIMER_SET:
    case BOTEL_TIMER_CANCEL: return BOTEL_OK;
    default: return check_own(effect);
  }
}

// Copies what a plugin wrote into `to`: BOTEL_OK, or an error.
inline std::int32_t take(const botel_effect* from, Check check_own, Effect& to) {
  // The first version's members are there in every one.
  if (from == nullptr || from->size < BOTEL_EFFECT_SIZE_1) return BOTEL_E_INVALID;
  if (!readable(from->payload) || !readable(from->detail)) return BOTEL_E_INVALID;
  to = {from->kind,   from->tag,    from->reply,        std::chrono::milliseconds(from->delay_ms),
        from->format, from->status, own(from->payload), own(from->detail)};
  return check(to, check_own);
}

}  // namespace detail

// A timer as a line to read: "timer 3 in 500 ms".
inline std::string timer_line(const Effect& effect) {
  const std::string tag = std::to_string(effect.tag);
  if (effect.kind == BOTEL_TIMER_CANCEL) return "cancel timer " + tag;
  return "timer " + tag + " in " + std::to_string(effect.delay.count()) + " ms";
}

}  // namespace botel::testing
