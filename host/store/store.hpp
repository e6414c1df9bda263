// Where conversations outlive the process. Implemented on SQLite (store/sqlite.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "store/records.hpp"

namespace botel::store {

// What one transaction changes. No record is in it twice, and none is both written and removed.
struct Batch {
  std::optional<Clock> clock;
  std::optional<Session> session;
  std::vector<ActorId> actors_gone;  // with all their parts; goes first, as their addresses may be taken anew
  std::vector<Actor> actors;
  std::vector<State> states;
  std::vector<Timer> timers;
  std::vector<Part> timers_gone;
  std::vector<Waiting> effects;
  std::vector<Part> effects_gone;
  std::vector<Queued> inbox;  // one that is there is replaced
  std::vector<Part> inbox_gone;
  std::vector<Message> outbox;
  std::uint64_t delivered_before = 0;  // all messages with smaller ids are gone, and
  std::vector<std::uint64_t> delivered;
  std::vector<Request> requests;  // one that is there is replaced
  std::vector<std::uint64_t> requests_gone;
  std::uint64_t received_before = 0;  // all with smaller numbers are gone: the broker does not hand them over again
  std::vector<Received> received;
  std::vector<std::pair<std::string, std::string>> dead_letters_gone;  // by type and address; goes before
  std::vector<DeadLetter> dead_letters;
  std::vector<ActorId> items_gone;  // all of an actor's; goes before `items`
  std::vector<Item> items;          // one that is there is replaced; a later one with the same id counts
  std::vector<Secret> secrets;      // one that is there is replaced; an empty value removes it
};

// Who is told what the store holds, in the order of these members; each is called for each record, by id or number.
struct Visitor {
  std::function<void(const Clock&)> clock{};
  std::function<void(const Session&)> session{};
  std::function<void(Actor, State)> actor{};
  std::function<void(const Timer&)> timer{};
  std::function<void(Waiting)> effect{};
  std::function<void(ActorId, std::size_t count)> inbox{};  // how many events an actor has there
  std::function<void(Message)> outbox{};
  std::function<void(Request)> request{};
  std::function<void(const Received&)> received{};
  std::function<void(Secret)> secret{};
};

// [any thread], one call at a time: an implementation sees to that.
class Store {
 public:
  virtual ~Store() = default;

  // All of it or nothing. When it returns without an error, it is on disk. After an error it may be tried again.
  [[nodiscard]] virtual Result<> commit(const Batch& batch) = 0;

  [[nodiscard]] virtual Result<> load(const Visitor& visitor) = 0;

  // The first `most` events that wait for an actor behind the one with the sequence `after`; nothing while the store is
  // busy with something else: who asks does not wait for the disk.
  using Inbox = std::optional<std::vector<Event>>;
  [[nodiscard]] virtual Result<Inbox> inbox(ActorId actor, std::uint64_t after, std::size_t most) = 0;

  // The JSON of items. May be called while a commit is under way, and sees nothing of it then.
  [[nodiscard]] virtual Result<std::vector<std::string>> items(const ItemQuery& query) = 0;

  // Does a little of what a store needs from time to time, which takes no longer than a commit. True: there is more to
  // be done, soon. To be called where no commit waits.
  [[nodiscard]] virtual Result<bool> tidy() { return false; }
};

}  // namespace botel::store
