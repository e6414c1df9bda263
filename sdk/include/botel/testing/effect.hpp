// What a bot asked for, for its test to look at, and the checks that every host makes before it agrees.
#pragma once

#include <botel/abi.h>
#include <botel/ext/room.h>
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
  std::chrono::milliseconds delay{0};
  std::int32_t format = 0;
  std::int32_t status = 0;
  std::string payload;
  std::string detail;
};

namespace detail {

inline bool readable(botel_str text) { return text.ptr != nullptr || text.len == 0; }
inline std::string own(botel_str text) { return text.len == 0 ? std::string() : std::string(text.ptr, text.len); }

inline bool json_object_or_list(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && (text[first] == '{' || text[first] == '[') && json::is_json(text);
}

inline bool as_format_says(const Effect& effect) {
  switch (effect.format) {
    case BOTEL_FORMAT_BYTES: return true;
    case BOTEL_FORMAT_TEXT: return json::is_utf8(effect.payload);
    case BOTEL_FORMAT_JSON: return json::is_json(effect.payload);
    default: return false;
  }
}

// Whether a room takes the effect: BOTEL_OK, or why not.
inline std::int32_t check(const Effect& effect) {
  if (effect.delay < std::chrono::milliseconds(0) || effect.delay > kLongestDelay) return BOTEL_E_INVALID;
  if (!as_format_says(effect)) return BOTEL_E_INVALID;
  if (!effect.detail.empty() && !json::is_json(effect.detail)) return BOTEL_E_INVALID;
  bool valid = true;
  switch (effect.kind) {
    case BOTEL_ROOM_SAY:
      valid = effect.format == BOTEL_FORMAT_TEXT ||
              (effect.format == BOTEL_FORMAT_JSON && json_object_or_list(effect.payload));
      break;
    case BOTEL_ROOM_DO_TRANSFER: valid = effect.payload.empty() || effect.format == BOTEL_FORMAT_TEXT; break;
    case BOTEL_EFFECT_STATE:
    case BOTEL_ROOM_TYPING:
    case BOTEL_ROOM_DO_END:
    case BOTEL_TIMER_SET:
    case BOTEL_TIMER_CANCEL: break;
    default: return BOTEL_E_UNSUPPORTED;  // BOTEL_EFFECT_REPLY, too: no event of a room wants an answer
  }
  return valid ? BOTEL_OK : BOTEL_E_INVALID;
}

// Copies what a plugin wrote into `to`: BOTEL_OK, or an error.
inline std::int32_t take(const botel_effect* from, Effect& to) {
  // The first version's members are there in every one.
  if (from == nullptr || from->size < BOTEL_EFFECT_SIZE_1) return BOTEL_E_INVALID;
  if (!readable(from->payload) || !readable(from->detail)) return BOTEL_E_INVALID;
  to = {from->kind,         from->tag,        std::chrono::milliseconds(from->delay_ms), from->format, from->status,
        own(from->payload), own(from->detail)};
  return check(to);
}

}  // namespace detail

// An effect as a line to read: "say hello", "after 1000 ms: end", "timer 3 in 500 ms". Empty for a new state.
inline std::string line(const Effect& effect) {
  const std::string tag = std::to_string(effect.tag);
  const std::string delay = std::to_string(effect.delay.count()) + " ms";
  const std::string after = effect.delay.count() > 0 ? "after " + delay + ": " : "";
  switch (effect.kind) {
    case BOTEL_ROOM_SAY:
      return after + "say " + effect.payload + (effect.detail.empty() ? "" : " with options " + effect.detail);
    case BOTEL_ROOM_TYPING: return after + (effect.status != 0 ? "typing" : "typing stops");
    case BOTEL_ROOM_DO_END: return after + "end";
    case BOTEL_ROOM_DO_TRANSFER:
      return after + (effect.payload.empty() ? "transfer" : "transfer to bot " + effect.payload);
    case BOTEL_TIMER_SET: return "timer " + tag + " in " + delay;
    case BOTEL_TIMER_CANCEL: return "cancel timer " + tag;
    default: return {};
  }
}

}  // namespace botel::testing
