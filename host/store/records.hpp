// What outlives the process, as plain data: one struct a table. A `due_ms` is read on the host's own clock (HostClock),
// a `time_ms` is Unix milliseconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace botel::store {

// When the last batch was made, so that the next run's clock goes on from there. There is one.
using Clock = HostClock::Moment;

// The broker's session to which all of this belongs. There is one.
struct Session {
  std::string client_id;
};

// One thing that happened to an actor: what crosses the ABI (botel_event), with memory of its own.
struct Event {
  std::int32_t kind = 0;
  std::uint64_t id = 0;
  std::uint64_t sequence = 0;
  std::int64_t time_ms = 0;
  std::uint64_t seed = 0;
  std::uint64_t reply = 0;
  std::uint64_t tag = 0;
  std::uint32_t attempt = 1;
  std::uint32_t flags = 0;
  std::int32_t format = 0;
  std::int32_t status = 0;
  std::string payload{};
  std::string detail{};
  std::string blob{};
};

// One thing that shall happen once its event is committed (botel_effect).
struct Effect {
  std::int32_t kind = 0;
  std::uint64_t tag = 0;
  std::uint64_t reply = 0;
  std::chrono::milliseconds delay{0};  // behind the one before it; of what is stored, Waiting::due_ms says it
  std::int32_t format = 0;
  std::int32_t status = 0;
  std::string payload{};
  std::string detail{};
  std::string blob{};
};

using ActorId = std::int64_t;  // not used again while anything of the actor is there

// What never changes about an actor.
struct Actor {
  ActorId id = 0;
  std::string type, address;  // unique together
  std::string bot;            // whose logic it is
  std::string origin;         // JSON: what its protocol made it of
};

// What the last committed event left.
struct State {
  ActorId actor = 0;
  std::uint64_t sequence = 0;  // of the last event
  std::uint32_t schema = 0;
  std::string state;     // bytes of the plugin's choice
  std::string progress;  // JSON: what its protocol must remember
};

// Which items: in the order in which they came, but those of a chat from the newest on.
struct ItemQuery {
  ActorId actor = 0;
  std::string kind{};
  std::string id{};      // that one; empty: all,
  std::string chat{};    // those of a chat; empty: of all,
  std::string before{};  // those that were sent before the message with this id; empty: all,
  std::size_t most = 1'000'000;
};

// A part of an actor: a timer by its tag, an effect by its number, an event by its sequence.
using Part = std::pair<ActorId, std::uint64_t>;

struct Timer {
  ActorId actor = 0;
  std::uint64_t tag = 0;
  std::int64_t due_ms = 0;
};

// An event that could not be handled yet.
struct Queued {
  ActorId actor = 0;
  Event event;
};

// A committed effect that has not left yet.
struct Waiting {
  ActorId actor = 0;
  std::uint64_t number = 0;  // in the order of leaving
  std::int64_t due_ms = 0;
  Effect effect;
};

// A message for the broker that it has not acknowledged yet. They leave in the order of their ids.
struct Message {
  std::uint64_t id = 0;
  std::string topic, payload;
};

// A payload of requests that is not answered as a whole yet.
struct Request {
  std::uint64_t id = 0;  // in the order of arrival
  std::string topic, payload;
  std::string answers;  // JSON: those that are known
};

// A message that was taken in: the broker may hand it over again.
struct Received {
  std::uint64_t number = 0;  // in the order of arrival
  std::uint16_t packet = 0;
  std::uint64_t hash = 0;  // of topic and payload
};

// What a connector has told of its service: a contact, a chat or a message, which is known by its id.
struct Item {
  ActorId actor = 0;
  std::string kind, id;
  std::string chat;          // of a message
  std::int64_t time_ms = 0;  // when a message was sent
  std::int64_t number = 0;   // in the order of arrival
  std::string json;
};

// What a connector must know and nobody may read: a token, a password.
struct Secret {
  ActorId actor = 0;
  std::string name, value;
};

// An event that is not handled again: it was running when the host crashed, more than once.
struct DeadLetter {
  std::int64_t time_ms = 0;
  std::string type, address, bot;  // of its actor
  std::string reason;
  Event event;
};

}  // namespace botel::store
