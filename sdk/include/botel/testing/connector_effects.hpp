// What a connector may do, and how it reads.
#pragma once

#include <botel/ext/connector.h>

#include <cstdint>
#include <string>

#include "effect.hpp"
#include "schema.hpp"

namespace botel::testing::detail {

inline std::string member(const std::string& object, const char* name) {
  return std::string(json::text(json::parse(object), name));
}

// {} always means the beginning, so that no schema may be satisfied by it.
inline bool is_step(const Effect& effect) {
  const std::string step = member(effect.detail, "step");
  if (effect.format != BOTEL_FORMAT_JSON || step.empty() || step.size() > 64 || step == "finished") return false;
  return begins_with(effect.payload, "{") && fault(effect.payload, "{}").has_value();
}

inline bool is_secret(const Effect& effect) {
  const std::string name = member(effect.detail, "name");
  return !name.empty() && name.size() <= 64 && effect.payload.size() <= 64 * 1024;
}

inline std::int32_t check_connector_effect(const Effect& effect) {
  const bool is_json = effect.format == BOTEL_FORMAT_JSON;
  const bool answers = effect.reply != 0;
  bool valid = true;
  switch (effect.kind) {
    case BOTEL_EFFECT_REPLY: valid = is_json && answers; break;
    case BOTEL_CONNECTOR_STEP: valid = answers && is_step(effect); break;
    case BOTEL_CONNECTOR_FINISHED: valid = is_json && answers && begins_with(effect.payload, "{"); break;
    case BOTEL_CONNECTOR_PUSH_CONTACTS:
    case BOTEL_CONNECTOR_PUSH_CHATS:
    case BOTEL_CONNECTOR_PUSH_MESSAGES: valid = is_json && begins_with(effect.payload, "["); break;
    case BOTEL_CONNECTOR_WORKING:
    case BOTEL_CONNECTOR_FROM_DIRECTORY: valid = answers; break;
    case BOTEL_CONNECTOR_MEDIA: valid = answers && effect.payload.size() <= 1 << 20; break;
    case BOTEL_CONNECTOR_SECRET: valid = is_secret(effect); break;
    default: return BOTEL_E_UNSUPPORTED;
  }
  return valid ? BOTEL_OK : BOTEL_E_INVALID;
}

}  // namespace botel::testing::detail
