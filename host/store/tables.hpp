// The tables, and which member of a record each of their columns is. Their types are in database.cpp.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>

#include "store/records.hpp"
#include "store/statement.hpp"

namespace botel::store {

// `key` is the first column of each table's primary key, and a number in all of them.
struct Table {
  const char* name;
  const char* key;
  const char* order;  // the primary key
  std::string columns;
};

inline const std::string kEventColumns =
    "sequence, kind, event, time_ms, seed, reply, tag, attempt, flags, format, status, payload, detail, blob";

inline const Table kClock{"clock", "id", "id", "id, host_ms, unix_ms"};
inline const Table kSession{"session", "id", "id", "id, client_id"};
inline const Table kActors{"actors", "id", "id", "id, type, address, bot, origin"};
inline const Table kStates{"states", "actor", "actor", "actor, sequence, schema, state, progress"};
inline const Table kTimers{"timers", "actor", "actor, tag", "actor, tag, due_ms"};
inline const Table kEffects{"effects", "actor", "actor, number",
                            "actor, number, due_ms, kind, tag, reply, format, status, payload, detail, blob"};
inline const Table kInbox{"inbox", "actor", "actor, sequence", "actor, " + kEventColumns};
inline const Table kOutbox{"outbox", "id", "id", "id, topic, payload"};
inline const Table kRequests{"requests", "id", "id", "id, topic, payload, answers"};
inline const Table kReceived{"received", "number", "number", "number, packet, hash"};
inline const Table kItems{"items", "actor", "actor, kind, id", "actor, kind, id, chat, time_ms, number, json"};
inline const Table kSecrets{"secrets", "actor", "actor, name", "actor, name, value"};
inline const Table kDeadLetters{"dead_letters", "id", "id", "died_ms, type, address, bot, reason, " + kEventColumns};

inline const std::array<const Table*, 13> kTables = {&kClock,   &kSession, &kActors,     &kStates,   &kTimers,
                                                     &kEffects, &kInbox,   &kOutbox,     &kRequests, &kReceived,
                                                     &kItems,   &kSecrets, &kDeadLetters};

template <class Given, class Wanted>
concept Is = std::same_as<std::remove_const_t<Given>, Wanted>;

// The members of a record in the order of its table's columns: to be bound, or to be read.
template <Is<Event> E>
auto columns(E& e) {
  return std::tie(e.sequence, e.kind, e.id, e.time_ms, e.seed, e.reply, e.tag, e.attempt, e.flags, e.format, e.status,
                  e.payload, e.detail, e.blob);
}
// The first two have one record each, whose key is 1.
template <Is<Clock> C>
auto columns(C& c) {
  return std::tuple_cat(std::tuple(1), std::tie(c.host_ms, c.unix_ms));
}
template <Is<Session> S>
auto columns(S& s) {
  return std::tuple_cat(std::tuple(1), std::tie(s.client_id));
}
template <Is<Actor> A>
auto columns(A& a) {
  return std::tie(a.id, a.type, a.address, a.bot, a.origin);
}
template <Is<State> S>
auto columns(S& s) {
  return std::tuple_cat(std::tie(s.actor, s.sequence, s.schema), std::tuple(Bytes{s.state}), std::tie(s.progress));
}
template <Is<Timer> T>
auto columns(T& t) {
  return std::tie(t.actor, t.tag, t.due_ms);
}
template <Is<Waiting> W>
auto columns(W& w) {
  auto& e = w.effect;
  return std::tie(w.actor, w.number, w.due_ms, e.kind, e.tag, e.reply, e.format, e.status, e.payload, e.detail, e.blob);
}
template <Is<Queued> Q>
auto columns(Q& q) {
  return std::tuple_cat(std::tie(q.actor), columns(q.event));
}
template <Is<Message> M>
auto columns(M& m) {
  return std::tie(m.id, m.topic, m.payload);
}
template <Is<Request> R>
auto columns(R& r) {
  return std::tie(r.id, r.topic, r.payload, r.answers);
}
template <Is<Received> R>
auto columns(R& r) {
  return std::tie(r.number, r.packet, r.hash);
}
template <Is<Item> I>
auto columns(I& i) {
  return std::tie(i.actor, i.kind, i.id, i.chat, i.time_ms, i.number, i.json);
}
template <Is<Secret> S>
auto columns(S& s) {
  return std::tuple_cat(std::tie(s.actor, s.name), std::tuple(Bytes{s.value}));
}
template <Is<DeadLetter> D>
auto columns(D& d) {
  return std::tuple_cat(std::tie(d.time_ms, d.type, d.address, d.bot, d.reason), columns(d.event));
}

// A key in the same way.
inline auto columns(const Part& part) { return std::tie(part.first, part.second); }
auto columns(const std::integral auto& id) { return std::tie(id); }

}  // namespace botel::store
