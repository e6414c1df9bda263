// What a store holds, as text to compare: a line a record, in the order in which it is told.
#pragma once

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "store/sqlite.hpp"

namespace botel::store {

inline constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

inline std::string line(const Event& e) {
  return fmt::format("event {} {} {} {} {} {} {} {} {} {} {} {} {} {}", e.kind, e.id, e.sequence, e.time_ms, e.seed,
                     e.reply, e.tag, e.attempt, e.flags, e.format, e.status, json::quoted(e.payload),
                     json::quoted(e.detail), json::quoted(e.blob));
}

inline std::vector<std::string> contents(Store& store) {
  std::vector<std::string> lines;
  std::vector<ActorId> waiting;
  Visitor visitor;
  visitor.clock = [&](const Clock& c) { lines.push_back(fmt::format("clock {} {}", c.host_ms, c.unix_ms)); };
  visitor.session = [&](const Session& s) { lines.push_back(fmt::format("session {}", s.client_id)); };
  visitor.actor = [&](const Actor& a, const State& s) {
    lines.push_back(fmt::format("actor {} {} {} {} {} | {} {} {} {} {}", a.id, a.type, a.address, a.bot, a.origin,
                                s.actor, s.sequence, s.schema, json::quoted(s.state), s.progress));
  };
  visitor.timer = [&](const Timer& t) { lines.push_back(fmt::format("timer {} {} {}", t.actor, t.tag, t.due_ms)); };
  visitor.effect = [&](const Waiting& w) {
    const Effect& e = w.effect;
    lines.push_back(fmt::format("effect {} {} {} | {} {} {} {} {} {} {} {}", w.actor, w.number, w.due_ms, e.kind, e.tag,
                                e.reply, e.format, e.status, e.payload, e.detail, e.blob));
  };
  visitor.inbox = [&](ActorId actor, std::size_t count) {
    lines.push_back(fmt::format("inbox {} {}", actor, count));
    waiting.push_back(actor);
  };
  visitor.outbox = [&](const Message& m) {
    lines.push_back(fmt::format("message {} {} {}", m.id, m.topic, json::quoted(m.payload)));
  };
  visitor.request = [&](const Request& r) {
    lines.push_back(fmt::format("request {} {} {} {}", r.id, r.topic, r.payload, r.answers));
  };
  visitor.secret = [&](const Secret& s) {
    lines.push_back(fmt::format("secret {} {} {}", s.actor, s.name, json::quoted(s.value)));
  };
  visitor.received = [&](const Received& r) {
    lines.push_back(fmt::format("received {} {} {}", r.number, r.packet, r.hash));
  };
  REQUIRE(store.load(visitor));
  for (const ActorId actor : waiting) {
    const auto events = store.inbox(actor, 0, 1000);
    REQUIRE(events.value());
    for (const Event& event : **events) lines.push_back(line(event));
  }
  return lines;
}

// An actor with its state.
inline void add_actor(Batch& batch, ActorId id, std::string state = "state") {
  batch.actors.push_back({id, "room", fmt::format("address {}", id), "echo", "{}"});
  batch.states.push_back({id, 1, 1, std::move(state), "{}"});
}

// `count` actors of about 300 bytes, with as many messages, requests and timers: enough for many pages.
inline Batch many(int count) {
  Batch batch;
  for (int i = 1; i <= count; ++i) {
    add_actor(batch, i, std::string(300, 's'));
    batch.timers.push_back({i, 1, i});
    batch.outbox.push_back({static_cast<std::uint64_t>(i), "topic", std::string(300, 'm')});
    batch.requests.push_back({static_cast<std::uint64_t>(i), "topic", std::string(300, 'r'), "[]"});
  }
  return batch;
}

inline std::unique_ptr<Sqlite> opened(const std::filesystem::path& file) {
  auto store = Sqlite::open(file);
  REQUIRE_MESSAGE(store, (store ? "" : store.error()));
  return std::move(*store);
}

}  // namespace botel::store
