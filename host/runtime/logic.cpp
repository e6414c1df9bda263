#include "runtime/logic.hpp"

#include <botel/ext/connector.h>
#include <botel/ext/room.h>
#include <botel/ext/timer.h>

#include <algorithm>
#include <cstring>

#include "base/json.hpp"
#include "base/log.hpp"
#include "runtime/actor.hpp"
#include "runtime/code.hpp"
#include "runtime/turn.hpp"

namespace botel::runtime {
namespace {

// The call that this thread is in, so that a plugin can be told from one that calls when it may not.
struct Running {
  botel_call* call = nullptr;
  Turn* turn = nullptr;
  std::string* error = nullptr;  // where it says why it fails
};
constinit thread_local Running running;
constexpr std::size_t kLongestLine = 1000;  // bytes of what a plugin writes to the log

std::string_view view(botel_str text) { return {text.ptr, text.len}; }
botel_str borrow(std::string_view text) { return {text.data(), text.size()}; }
bool sound(botel_str text) { return text.ptr != nullptr || text.len == 0; }

bool sound(std::int32_t format, botel_str payload) {
  if (!sound(payload)) return false;
  switch (format) {
    case BOTEL_FORMAT_BYTES: return true;
    case BOTEL_FORMAT_TEXT: return json::valid_utf8(view(payload));
    case BOTEL_FORMAT_JSON: return json::read(view(payload)).has_value();
    default: return false;
  }
}

std::int32_t check(const Actor& actor, const botel_effect& effect) {
  constexpr std::int64_t longest = std::int64_t{1000} * 60 * 60 * 24 * 366 * 10;
  if (effect.delay_ms < 0 || effect.delay_ms > longest) return BOTEL_E_INVALID;
  if (!sound(effect.format, effect.payload) || !sound(effect.blob)) return BOTEL_E_INVALID;
  if (effect.detail.len > 0 && !sound(BOTEL_FORMAT_JSON, effect.detail)) return BOTEL_E_INVALID;
  switch (effect.kind) {
    case BOTEL_EFFECT_STATE:
    case BOTEL_TIMER_SET:
    case BOTEL_TIMER_CANCEL: return BOTEL_OK;
    default: return actor.port.check(effect);
  }
}

std::int32_t take(Turn& turn, const botel_effect& effect) {
  if (const std::int32_t error = check(*turn.actor, effect)) return error;
  const std::size_t bytes = turn.bytes + effect.payload.len + effect.detail.len + effect.blob.len;
  if (turn.effects.size() >= kMaxEffects || bytes > kMaxEffectBytes) return BOTEL_E_LIMIT;
  turn.bytes = bytes;
  if (effect.kind == BOTEL_EFFECT_STATE) {
    turn.state = view(effect.payload);
    return BOTEL_OK;
  }
  turn.effects.push_back({effect.kind, effect.tag, effect.reply, std::chrono::milliseconds(effect.delay_ms),
                          effect.format, effect.status, std::string(view(effect.payload)),
                          std::string(view(effect.detail)), std::string(view(effect.blob))});
  return BOTEL_OK;
}

std::int32_t emit(const botel_call* call, const botel_effect* effect) noexcept try {
  if (!call || call != running.call) return BOTEL_E_THREAD;
  // What the first version has is there in every one.
  if (!effect || effect->size < BOTEL_EFFECT_SIZE_1) return BOTEL_E_INVALID;
  return take(*running.turn, *effect);
} catch (...) {
  return BOTEL_E_LIMIT;  // out of memory
}

std::int32_t attach(const botel_call* call, void* object) noexcept {
  if (!call || call != running.call) return BOTEL_E_THREAD;
  Turn& turn = *running.turn;
  if (!turn.logic->can_drop()) return BOTEL_E_UNSUPPORTED;
  if (turn.cached && turn.cached != object) turn.logic->drop(turn.cached);
  turn.cached = object;
  running.call->cached = object;
  return BOTEL_OK;
}

void set_error(const botel_host*, botel_str message) noexcept try {
  if (running.error) *running.error = log::printable(view(message), kLongestLine);
} catch (...) {
  running.error->clear();
}

void write_log(const botel_host* host, std::int32_t level, botel_str message) noexcept try {
  const auto& logic = *static_cast<const Logic*>(host->context);
  const auto known = std::clamp<std::int32_t>(level, BOTEL_LOG_DEBUG, BOTEL_LOG_ERROR);
  const auto native = static_cast<log::Level>(known - BOTEL_LOG_DEBUG);
  if (log::enabled(native))
    log::write(native, fmt::format("{}: {}", logic.id(), log::printable(view(message), kLongestLine)));
} catch (...) {
  // A line that cannot be written is no reason to fail.
}

std::int32_t secret(const botel_call* call, botel_str name, botel_str* value) noexcept try {
  if (!call || call != running.call) return BOTEL_E_THREAD;
  if (!sound(name) || !value) return BOTEL_E_INVALID;
  const Actor& actor = *running.turn->actor;
  const std::string* const found = actor.port.secret(actor, view(name));
  *value = found ? borrow(*found) : botel_str{nullptr, 0};
  return BOTEL_OK;
} catch (...) {
  return BOTEL_E_LIMIT;
}

const void* extension(const botel_host*, const char* id) noexcept {
  static constexpr botel_room_v1 room{sizeof(botel_room_v1), 1};
  static constexpr botel_timer_v1 timer{sizeof(botel_timer_v1), 1};
  static constexpr botel_connector_v1 connector{sizeof(botel_connector_v1), 1, secret};
  if (std::strcmp(id, BOTEL_ROOM) == 0) return &room;
  if (std::strcmp(id, BOTEL_TIMER) == 0) return &timer;
  if (std::strcmp(id, BOTEL_CONNECTOR_EXTENSION) == 0) return &connector;
  return nullptr;
}

}  // namespace

Logic::Logic(const botel_descriptor& descriptor, std::shared_ptr<const Code> library)
    : library_(std::move(library)),
      descriptor_(descriptor),
      host_{sizeof(botel_host), BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR, 0, this, emit, attach,
            set_error,          write_log,       extension} {}

Result<std::shared_ptr<Logic>> Logic::create(const botel_descriptor& descriptor, std::string_view config,
                                             std::shared_ptr<const Code> library) {
  std::shared_ptr<Logic> logic(new Logic(descriptor, std::move(library)));
  std::string error;
  running = {.error = &error};
  const Code::Scope scope(logic->library_.get());
  const std::int32_t result = descriptor.create(&logic->host_, borrow(config), &logic->instance_);
  running = {};
  if (result != BOTEL_OK) {
    return failure("{} {}: create failed with {}{}{}", descriptor.id, descriptor.version, result,
                   error.empty() ? "" : ": ", error);
  }
  logic->created_ = true;
  return logic;
}

Logic::~Logic() {
  const Code::Scope scope(library_.get());
  if (created_) descriptor_.destroy(instance_);
}

void Logic::handle(Turn& turn) {
  const Actor& actor = *turn.actor;
  const Event& e = *turn.event;
  const botel_event event{
      sizeof(botel_event), e.kind,  e.id,     e.sequence, e.time_ms,         e.seed,           e.reply,       e.tag,
      e.attempt,           e.flags, e.format, e.status,   borrow(e.payload), borrow(e.detail), borrow(e.blob)};
  botel_call call{sizeof(botel_call), actor.state_schema(),  &host_,     borrow(actor.type), borrow(actor.address),
                  borrow(actor.info), borrow(actor.state()), turn.cached};
  turn.error.clear();
  running = {&call, &turn, &turn.error};
  const Code::Scope scope(library_.get());
  turn.result = descriptor_.handle(instance_, &call, &event);
  running = {};
  if (turn.result == BOTEL_OK) turn.error.clear();
}

void Logic::drop(void* object) {
  const Code::Scope scope(library_.get());
  descriptor_.drop(instance_, object);
}

}  // namespace botel::runtime
