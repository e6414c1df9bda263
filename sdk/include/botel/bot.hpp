// Bots in C++: derive from Bot, answer in on_message, export with BOTEL_PLUGIN. Header-only, on top of abi.h.
//
//     struct Echo : botel::Bot {
//       void on_start(botel::Room& room) override { room.say("Hello!"); }
//       void on_message(botel::Room& room, const botel::Message& m) override { room.say("you said: " + m.text); }
//     };
//     BOTEL_PLUGIN(botel::bot<Echo>("echo", "1.0.0"))
//
// A bot keeps no conversation in its members: one instance serves all rooms, several at a time. What a room must
// remember is its state: read it with Room::state(), replace it with Room::save().
#pragma once

#include <botel/abi.h>
#include <botel/ext/room.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "actor.hpp"
#include "json.hpp"
#include "plugin.hpp"

namespace botel {

// What a user wrote or chose.
struct Message {
  std::string text;          // what was written, or shown when a choice was made; empty when it was not text
  std::string_view command;  // JSON: the command of a choice; empty when it has none, or the message was typed
  std::string_view rich;     // JSON: the message when it was an object or a list; otherwise empty
  std::string_view whole;    // JSON: the message as it came
};

// How a bot's own end() or transfer() went.
struct Result {
  std::uint64_t tag;      // as given to end() or transfer()
  int status;             // 0; the error's code; BOTEL_ROOM_NO_ANSWER
  std::string_view json;  // the result, or the error
  bool ok() const { return status == 0; }
};

// The room that an event came from: what it remembers, and what shall happen there once the handler returns.
// Valid until the handler returns. [actor]
class Room : public Actor {
 public:
  using Actor::Actor;

  // Says `text`, which may use markdown. `options`: JSON, sent as it is.
  void say(std::string_view text, std::string_view options = {}) { say(BOTEL_FORMAT_TEXT, text, options); }
  // Says a rich message: what message.hpp builds, or any JSON object or list.
  template <class Rich>
  requires requires(const Rich& rich) { std::string(rich.json()); }
  void say(const Rich& rich, std::string_view options = {}) {
    say(BOTEL_FORMAT_JSON, std::string(rich.json()), options);
  }

  // Shows that the bot is typing, until it says something.
  void typing(bool on = true) {
    botel_effect effect = make_next(BOTEL_ROOM_TYPING);
    effect.status = on ? 1 : 0;
    emit(effect);
  }
  // Delays all that follows: room.typing(); room.wait(1s); room.say("..."); A negative delay is none.
  void wait(milliseconds delay) { wait_ += std::max(delay, milliseconds(0)); }

  // Asks for the end of the room, or to give it to an agent, or to another bot. The answer comes to on_result.
  void end(std::uint64_t tag = 0) { request(BOTEL_ROOM_DO_END, {}, tag); }
  void transfer(std::uint64_t tag = 0) { request(BOTEL_ROOM_DO_TRANSFER, {}, tag); }
  void transfer_to_bot(std::string_view bot_id, std::uint64_t tag = 0) { request(BOTEL_ROOM_DO_TRANSFER, bot_id, tag); }

 private:
  void say(int format, std::string_view payload, std::string_view options) {
    botel_effect effect = make_next(BOTEL_ROOM_SAY);
    effect.format = format;
    effect.payload = detail::borrow(payload);
    effect.detail = detail::borrow(options);
    emit(effect);
  }
  void request(std::int32_t kind, std::string_view payload, std::uint64_t tag) {
    botel_effect effect = make_next(kind);
    effect.tag = tag;
    effect.format = BOTEL_FORMAT_TEXT;
    effect.payload = detail::borrow(payload);
    emit(effect);
  }
  // The next thing that the user sees: it waits.
  botel_effect make_next(std::int32_t kind) {
    botel_effect effect = make(kind);
    effect.delay_ms = std::exchange(wait_, {}).count();
    return effect;
  }

  milliseconds wait_{0};
};

// The logic of a bot. Every function is one transaction: when it throws, nothing of it has happened.
// Called for one event of a room at a time, in order; for different rooms at the same time. [actor]
class Bot {
 public:
  virtual ~Bot() = default;
  // An exception refuses the start; gitple, and whoever reads its answers, is told what().
  virtual void on_start(Room&) {}
  virtual void on_message(Room&, const Message&) {}
  virtual void on_typing(Room&, bool /*typing*/) {}
  // What is said here is read, too: a bot that answers receipts may talk for ever.
  virtual void on_read(Room&, Time /*until*/) {}
  // An event of the user that has no function of its own. `event`: JSON, the `e` of Gitple's message.
  virtual void on_event(Room&, std::string_view /*event*/) {}
  virtual void on_timer(Room&, std::uint64_t /*tag*/) {}
  virtual void on_result(Room&, const Result&) {}
  // Nothing was said for a while (10 minutes, unless the operator chose otherwise).
  virtual void on_timeout(Room& room) { room.end(); }
  // The last event of a room. `why`: "ended", "replaced" by a new session, or "left" by the bot.
  virtual void on_end(Room&, std::string_view /*why*/) {}
  virtual void on_resumed(Room&, milliseconds /*away*/) {}
};

namespace detail {

// What is shown of a choice: `m`, as BOTEL_ROOM_MESSAGE has it.
inline std::string shown(std::string_view whole) {
  const auto message = json::parse(whole);
  if (!message.IsObject()) return {};
  const auto m = message.FindMember("m");
  if (m == message.MemberEnd() || m->value.IsNull() || m->value.IsObject() || m->value.IsArray()) return {};
  return m->value.IsString() ? std::string(json::text(message, "m")) : json::write(m->value);
}

inline Message message(const botel_event& event) {
  Message message;
  message.whole = view(event.detail);
  if (event.kind == BOTEL_ROOM_COMMAND) {
    message.command = view(event.payload);
    message.text = shown(message.whole);
  } else if (event.format == BOTEL_FORMAT_TEXT) {
    message.text = view(event.payload);
  } else {
    message.rich = view(event.payload);
  }
  return message;
}

inline void dispatch_to_bot(Bot& bot, Room& room, const botel_event& event) {
  switch (event.kind) {
    case BOTEL_ROOM_START: return bot.on_start(room);
    case BOTEL_ROOM_MESSAGE:
    case BOTEL_ROOM_COMMAND: return bot.on_message(room, message(event));
    case BOTEL_ROOM_KEY_IN: return bot.on_typing(room, event.status != 0);
    case BOTEL_ROOM_READ: return bot.on_read(room, Time(milliseconds(number(event.payload))));
    case BOTEL_ROOM_EVENT: return bot.on_event(room, view(event.payload));
    case BOTEL_ROOM_TIMEOUT: return bot.on_timeout(room);
    case BOTEL_ROOM_END: return bot.on_end(room, view(event.payload));
    case BOTEL_ROOM_RESULT: return bot.on_result(room, {event.tag, event.status, view(event.payload)});
    case BOTEL_ROOM_RESUMED: return bot.on_resumed(room, milliseconds(number(event.payload)));
    case BOTEL_TIMER_DUE: return bot.on_timer(room, event.tag);
    default: return;
  }
}

}  // namespace detail

using BotOptions = PluginOptions;

// Describes the bot T, for BOTEL_PLUGIN or for a test. T is made by T(std::string_view config), where it has that
// constructor (config is a JSON object), otherwise by T().
template <class T>
constexpr botel_descriptor bot(const char* id, const char* version, BotOptions options = {}) {
  static_assert(std::is_base_of_v<Bot, T>, "a bot derives from botel::Bot");
  return detail::descriptor<detail::Thunks<T, Bot, Room, detail::dispatch_to_bot>>(BOTEL_BOT, id, version, options);
}

}  // namespace botel
