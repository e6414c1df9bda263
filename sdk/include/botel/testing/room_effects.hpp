// What a bot may ask of a room, and how it reads.
#pragma once

#include <botel/ext/room.h>

#include <cstdint>
#include <string>

#include "effect.hpp"

namespace botel::testing::detail {

inline std::int32_t check_room_effect(const Effect& effect) {
  bool valid = true;
  switch (effect.kind) {
    case BOTEL_ROOM_SAY:
      valid = effect.format == BOTEL_FORMAT_TEXT ||
              (effect.format == BOTEL_FORMAT_JSON && json_object_or_list(effect.payload));
      break;
    case BOTEL_ROOM_DO_TRANSFER: valid = effect.payload.empty() || effect.format == BOTEL_FORMAT_TEXT; break;
    case BOTEL_ROOM_TYPING:
    case BOTEL_ROOM_DO_END: break;
    default: return BOTEL_E_UNSUPPORTED;  // BOTEL_EFFECT_REPLY, too: no event of a room wants an answer
  }
  return valid ? BOTEL_OK : BOTEL_E_INVALID;
}

// "say hello", "after 1000 ms: end", "transfer to bot 7".
inline std::string room_line(const Effect& effect) {
  const std::string after =
      effect.delay.count() > 0 ? "after " + std::to_string(effect.delay.count()) + " ms: " : std::string();
  switch (effect.kind) {
    case BOTEL_ROOM_SAY:
      return after + "say " + effect.payload + (effect.detail.empty() ? "" : " with options " + effect.detail);
    case BOTEL_ROOM_TYPING: return after + (effect.status != 0 ? "typing" : "typing stops");
    case BOTEL_ROOM_DO_END: return after + "end";
    case BOTEL_ROOM_DO_TRANSFER:
      return after + (effect.payload.empty() ? "transfer" : "transfer to bot " + effect.payload);
    default: return timer_line(effect);
  }
}

}  // namespace botel::testing::detail
