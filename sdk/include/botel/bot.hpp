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
#include <botel/ext/timer.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "error.hpp"
#include "json.hpp"

namespace botel {

using std::chrono::milliseconds;
using Time = std::chrono::sys_time<milliseconds>;

// Throw it to undo all that the handler did, and to get the same event again later (after 1 ms to 12 days).
struct RetryAfter {
  milliseconds delay;
};

// What a user wrote or chose.
struct Message {
  std::string text;          // what was written, or shown when a choice was made; empty when it was not text
  std::string_view command;  // JSON: the command of a choice; empty when the message was typed
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

namespace detail {

inline botel_str borrow(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(botel_str text) {
  return text.len == 0 ? std::string_view() : std::string_view(text.ptr, text.len);
}

// An object that Room::cached left with an actor.
struct Cached {
  virtual ~Cached() = default;
};
template <class T>
struct CachedValue : Cached {
  explicit CachedValue(T made) : value(std::move(made)) {}
  T value;
};

}  // namespace detail

// The room that an event came from: what it remembers, and what shall happen there once the handler returns.
// Valid until the handler returns. [actor]
class Room {
 public:
  Room(const botel_call& call, const botel_event& event) : call_(call), event_(event) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

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
    botel_effect effect = make(BOTEL_ROOM_TYPING);
    effect.status = on ? 1 : 0;
    emit(effect);
  }
  // Delays all that follows: room.typing(); room.wait(1s); room.say("...");
  void wait(milliseconds delay) { wait_ += delay; }

  // Asks for the end of the room, or to give it to an agent, or to another bot. The answer comes to on_result.
  void end(std::uint64_t tag = 0) { request(BOTEL_ROOM_DO_END, {}, tag); }
  void transfer(std::uint64_t tag = 0) { request(BOTEL_ROOM_DO_TRANSFER, {}, tag); }
  void transfer_to_bot(std::string_view bot_id, std::uint64_t tag = 0) { request(BOTEL_ROOM_DO_TRANSFER, bot_id, tag); }

  // A timer of this room; `tag` comes back in on_timer. Setting it again replaces it.
  void set_timer(std::uint64_t tag, milliseconds delay) {
    botel_effect effect = make(BOTEL_TIMER_SET);
    effect.tag = tag;
    effect.delay_ms = delay.count();
    emit(effect);
  }
  void cancel_timer(std::uint64_t tag) {
    botel_effect effect = make(BOTEL_TIMER_CANCEL);
    effect.tag = tag;
    emit(effect);
  }

  // What the room remembers: bytes of the bot's choice, empty at first. save() is seen from the next event on.
  std::string_view state() const { return detail::view(call_.state); }
  unsigned state_schema() const { return call_.state_schema; }
  void save(std::string_view state) {
    botel_effect effect = make(BOTEL_EFFECT_STATE);
    effect.payload = detail::borrow(state);
    emit(effect);
  }

  // An object that is costly to make from the state, kept between events as long as the host likes. It must hold
  // nothing that the state does not: when it is gone, `make()` makes it anew. Always the same T in one bot.
  template <class T, class Make>
  T& cached(Make make) {
    if (!cached_) cached_ = static_cast<detail::Cached*>(call_.cached);
    if (!cached_) {
      auto made = std::make_unique<detail::CachedValue<T>>(make());
      check(call_.host->attach(&call_, static_cast<detail::Cached*>(made.get())));
      cached_ = made.release();
    }
    return static_cast<detail::CachedValue<T>*>(cached_)->value;
  }

  std::string_view address() const { return detail::view(call_.address); }
  // JSON: {"context": {...}, "user": {...} or null}
  std::string_view info() const { return detail::view(call_.info); }
  // When the event happened. Use no other clock: an event must always have the same effects.
  Time time() const { return Time(milliseconds(event_.time_ms)); }
  // The event's own randomness. Use no other.
  std::mt19937_64 random() const { return std::mt19937_64(event_.seed); }
  const botel_event& event() const { return event_; }

  // A line in the host's log: neither secrets nor what users write belong there.
  void log(std::string_view line, int level = BOTEL_LOG_INFO) const {
    call_.host->log(call_.host, level, detail::borrow(line));
  }

 private:
  void say(int format, std::string_view payload, std::string_view options) {
    botel_effect effect = make(BOTEL_ROOM_SAY);
    effect.format = format;
    effect.payload = detail::borrow(payload);
    effect.detail = detail::borrow(options);
    emit(effect);
  }
  void request(std::int32_t kind, std::string_view payload, std::uint64_t tag) {
    botel_effect effect = make(kind);
    effect.tag = tag;
    effect.format = BOTEL_FORMAT_TEXT;
    effect.payload = detail::borrow(payload);
    emit(effect);
  }
  botel_effect make(std::int32_t kind) {
    botel_effect effect{};
    effect.size = sizeof effect;
    effect.kind = kind;
    if (kind >= BOTEL_KINDS_ROOM && kind < BOTEL_KINDS_TIMER) effect.delay_ms = std::exchange(wait_, {}).count();
    return effect;
  }
  void emit(const botel_effect& effect) { check(call_.host->emit(&call_, &effect)); }
  static void check(std::int32_t result) {
    switch (result) {
      case BOTEL_OK: return;
      case BOTEL_E_INVALID: throw Error("the host refused an effect: it is malformed");
      case BOTEL_E_UNSUPPORTED: throw Error("the host refused an effect: it does not know it here");
      case BOTEL_E_LIMIT: throw Error("the host refused an effect: too many or too large in one call");
      default: throw Error("the host refused an effect: error " + std::to_string(result));
    }
  }

  const botel_call& call_;
  const botel_event& event_;
  milliseconds wait_{0};
  detail::Cached* cached_ = nullptr;
};

// The logic of a bot. Every function is one transaction: when it throws, nothing of it has happened.
// Called for one event of a room at a time, in order; for different rooms at the same time. [actor]
class Bot {
 public:
  virtual ~Bot() = default;
  virtual void on_start(Room&) {}
  virtual void on_message(Room&, const Message&) {}
  virtual void on_typing(Room&, bool /*typing*/) {}
  virtual void on_read(Room&, Time /*until*/) {}
  virtual void on_timer(Room&, std::uint64_t /*tag*/) {}
  virtual void on_result(Room&, const Result&) {}
  // Nothing was said for a while (10 minutes, unless the operator chose otherwise).
  virtual void on_timeout(Room& room) { room.end(); }
  // The last event of a room. `why`: "ended", "replaced" by a new session, or "left" by the bot.
  virtual void on_end(Room&, std::string_view /*why*/) {}
  virtual void on_resumed(Room&, milliseconds /*away*/) {}
};

namespace detail {

inline long long number(botel_str text) {
  long long value = 0;
  for (const char digit : view(text)) {
    if (digit < '0' || digit > '9' || value > INT64_MAX / 10 - 10) return value;
    value = value * 10 + (digit - '0');
  }
  return value;
}

inline Message message(const botel_event& event) {
  Message message;
  message.whole = view(event.detail);
  if (event.kind == BOTEL_ROOM_COMMAND) {
    message.command = view(event.payload);
    message.text = json::text(json::parse(message.whole), "m");
  } else if (event.format == BOTEL_FORMAT_TEXT) {
    message.text = view(event.payload);
  } else {
    message.rich = view(event.payload);
  }
  return message;
}

inline void dispatch(Bot& bot, Room& room, const botel_event& event) {
  switch (event.kind) {
    case BOTEL_ROOM_START: return bot.on_start(room);
    case BOTEL_ROOM_MESSAGE:
    case BOTEL_ROOM_COMMAND: return bot.on_message(room, message(event));
    case BOTEL_ROOM_KEY_IN: return bot.on_typing(room, event.status != 0);
    case BOTEL_ROOM_READ: return bot.on_read(room, Time(milliseconds(number(event.payload))));
    case BOTEL_ROOM_TIMEOUT: return bot.on_timeout(room);
    case BOTEL_ROOM_END: return bot.on_end(room, view(event.payload));
    case BOTEL_ROOM_RESULT: return bot.on_result(room, {event.tag, event.status, view(event.payload)});
    case BOTEL_ROOM_RESUMED: return bot.on_resumed(room, milliseconds(number(event.payload)));
    case BOTEL_TIMER_DUE: return bot.on_timer(room, event.tag);
    default: return;
  }
}

// Runs `body`; what it throws becomes an error code and a message on the host. Nothing leaves as an exception.
template <class Body>
std::int32_t guarded(const botel_host* host, Body body) noexcept {
  try {
    body();
    return BOTEL_OK;
  } catch (const RetryAfter& retry) {
    // What is outside of the range would be another result code.
    return BOTEL_RETRY_AFTER(std::clamp<milliseconds::rep>(retry.delay.count(), 1, (1 << 30) - 1));
  } catch (const std::exception& error) {
    host->set_error(host, borrow(error.what()));
  } catch (...) {
    host->set_error(host, borrow("an exception that is no std::exception"));
  }
  return BOTEL_E_FAILED;
}

template <class T>
struct Thunks {
  static std::int32_t create(const botel_host* host, botel_str config, void** instance) noexcept {
    return guarded(host, [&] {
      if constexpr (std::is_constructible_v<T, std::string_view>) {
        *instance = static_cast<Bot*>(new T(view(config)));
      } else {
        *instance = static_cast<Bot*>(new T());
      }
    });
  }
  static void destroy(void* instance) noexcept { delete static_cast<Bot*>(instance); }
  static std::int32_t handle(void* instance, const botel_call* call, const botel_event* event) noexcept {
    return guarded(call->host, [&] {
      Room room(*call, *event);
      dispatch(*static_cast<Bot*>(instance), room, *event);
    });
  }
  static void drop(void*, void* object) noexcept { delete static_cast<Cached*>(object); }
};

template <std::size_t N>
constexpr std::array<const botel_descriptor*, N> pointers(const std::array<botel_descriptor, N>& descriptors) {
  std::array<const botel_descriptor*, N> result{};
  for (std::size_t i = 0; i < N; ++i) result[i] = &descriptors[i];
  return result;
}

template <std::size_t N>
struct Note {
  botel_note_head head;
  botel_note_item items[N];
};

template <std::size_t Size>
constexpr void copy(char (&to)[Size], const char* from) {
  std::size_t i = 0;
  for (; from[i] != '\0'; ++i) {
    if (i + 1 == Size) throw Error("the id or version of a bot is too long");
    to[i] = from[i];
  }
  to[i] = '\0';
}

template <std::size_t N>
constexpr Note<N> note(const std::array<botel_descriptor, N>& descriptors) {
  Note<N> note{};
  note.head = {6, 12 + N * sizeof(botel_note_item), BOTEL_NOTE_TYPE, BOTEL_NOTE_OWNER, BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR,
               N};
  for (std::size_t i = 0; i < N; ++i) {
    note.items[i].kind = descriptors[i].kind;
    note.items[i].schema_written = descriptors[i].schema_written;
    note.items[i].schema_oldest = descriptors[i].schema_oldest;
    copy(note.items[i].id, descriptors[i].id);
    copy(note.items[i].version, descriptors[i].version);
  }
  return note;
}

}  // namespace detail

// What a bot needs besides its name and version, when it changes the layout of its states or has a configuration.
struct BotOptions {
  std::uint32_t schema_written = 1;
  std::uint32_t schema_oldest = 1;
  const char* config_schema = nullptr;  // JSON Schema draft-07
};

// Describes the bot T, for BOTEL_PLUGIN or for a test. T is made by T(std::string_view config), where it has that
// constructor (config is a JSON object), otherwise by T().
template <class T>
constexpr botel_descriptor bot(const char* id, const char* version, BotOptions options = {}) {
  static_assert(std::is_base_of_v<Bot, T>, "a bot derives from botel::Bot");
  using Thunks = detail::Thunks<T>;
  return {sizeof(botel_descriptor),
          BOTEL_BOT,
          id,
          version,
          options.schema_written,
          options.schema_oldest,
          options.config_schema,
          Thunks::create,
          Thunks::destroy,
          Thunks::handle,
          Thunks::drop,
          nullptr};
}

}  // namespace botel

// Exports bots from a plugin: BOTEL_PLUGIN(botel::bot<A>("a", "1.0.0"), botel::bot<B>("b", "1.0.0")). Once a plugin.
#define BOTEL_PLUGIN(...)                                                                                            \
  namespace {                                                                                                        \
  constexpr std::array botel_descriptors{__VA_ARGS__};                                                               \
  constexpr auto botel_descriptor_pointers = ::botel::detail::pointers(botel_descriptors);                           \
  BOTEL_NOTE_ATTRIBUTES constexpr auto botel_note_v1 = ::botel::detail::note(botel_descriptors);                     \
  }                                                                                                                  \
  extern "C" {                                                                                                       \
  extern BOTEL_EXPORT constexpr botel_entry botel_entry_v1 = {sizeof(botel_entry), BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR, \
                                                              botel_descriptors.size(),                              \
                                                              botel_descriptor_pointers.data()};                     \
  }                                                                                                                  \
  static_assert(true)
