#include "store/sqlite.hpp"

#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <array>
#include <limits>

#include "store/database.hpp"
#include "store/shrink.hpp"
#include "store/tables.hpp"

namespace botel::store {
namespace {

template <class Record>
constexpr std::size_t kWidth = std::tuple_size_v<decltype(columns(std::declval<Record&>()))>;

// Also replaces the record with the same key, so that a batch may be written again.
template <class Record>
std::string put(const Table& table, const char* verb = "INSERT OR REPLACE") {
  std::string marks = "?";
  for (std::size_t i = 1; i < kWidth<Record>; ++i) marks += ", ?";
  return fmt::format("{} INTO {} ({}) VALUES ({})", verb, table.name, table.columns, marks);
}

// One that is there keeps its place.
std::string put_item() {
  return put<Item>(kItems, "INSERT") +
         " ON CONFLICT (actor, kind, id) DO UPDATE SET chat = excluded.chat, time_ms = excluded.time_ms, "
         "json = excluded.json";
}

std::string remove(const Table& table, const char* condition) {
  return fmt::format("DELETE FROM {} WHERE {}", table.name, condition);
}

std::string select(const Table& table) {
  return fmt::format("SELECT {} FROM {} ORDER BY {}", table.columns, table.name, table.order);
}

std::string select_actors() {
  return "SELECT id, type, address, bot, origin, id, sequence, schema, state, progress "
         "FROM actors LEFT JOIN states ON states.actor = actors.id ORDER BY id";
}

std::string select_inbox() {
  return fmt::format("SELECT {} FROM inbox WHERE actor = ? AND sequence > ? ORDER BY sequence LIMIT ?", kEventColumns);
}

const std::string kSelectItems = "SELECT json FROM items WHERE actor = ? AND kind = ? ";
std::string select_item() { return kSelectItems + "AND id = ?"; }
std::string select_items() { return kSelectItems + "ORDER BY number LIMIT ?"; }
std::string select_chat() { return kSelectItems + "AND chat = ? ORDER BY time_ms DESC, number DESC LIMIT ?"; }
std::string select_chat_before() {
  return kSelectItems +
         "AND chat = ? AND (time_ms, number) < (SELECT time_ms, number FROM items WHERE actor = ? AND kind = ? AND id "
         "= ?) "
         "ORDER BY time_ms DESC, number DESC LIMIT ?";
}

// A number without a sign as a bound: those from 2^63 on are stored below 0, and are above every bound.
std::int64_t bound(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

// What items are asked for with.
struct Queries {
  explicit Queries(const SQLite::Database& database)
      : item(database, select_item()),
        all(database, select_items()),
        chat(database, select_chat()),
        chat_before(database, select_chat_before()) {}

  std::vector<std::string> find(const ItemQuery& q) {
    const auto most = static_cast<std::int64_t>(q.most);
    if (!q.id.empty()) return list(item, std::tie(q.actor, q.kind, q.id));
    if (q.chat.empty()) return list(all, std::tie(q.actor, q.kind, most));
    if (q.before.empty()) return list(chat, std::tie(q.actor, q.kind, q.chat, most));
    return list(chat_before, std::tie(q.actor, q.kind, q.chat, q.actor, q.kind, q.before, most));
  }

  Statement item, all, chat, chat_before;

 private:
  template <class Values>
  static std::vector<std::string> list(Statement& statement, const Values& values) {
    std::vector<std::string> found;
    statement.each(values, [&] { statement.read(std::tie(found.emplace_back())); });
    return found;
  }
};

}  // namespace

// A connection of its own: what it reads need not wait for what is written.
struct Sqlite::Reader {
  explicit Reader(SQLite::Database opened) : database(std::move(opened)) {}

  std::mutex mutex;
  SQLite::Database database;
  Queries queries{database};
};

struct Sqlite::Connection {
  explicit Connection(SQLite::Database opened) : database(std::move(opened)) {}

  void write(const Batch& batch);

  template <class Record, class Call>
  void visit(const Table& table, const Call& call) {
    if (!call) return;
    Statement records(database, select(table));
    records.each(std::tuple(), [&] {
      Record record;
      records.read(columns(record));
      call(std::move(record));
    });
  }
  void visit_actors(const Visitor& visitor);
  void visit_inbox(const Visitor& visitor);

  SQLite::Database database;

  // An actor that is there already is a bug, and must not be replaced: its address could be another one's.
  Statement put_actor{database, put<Actor>(kActors, "INSERT")};
  Statement put_state{database, put<State>(kStates)};
  Statement put_timer{database, put<Timer>(kTimers)};
  Statement put_effect{database, put<Waiting>(kEffects)};
  Statement put_inbox{database, put<Queued>(kInbox)};
  Statement put_message{database, put<Message>(kOutbox)};
  Statement put_request{database, put<Request>(kRequests)};
  Statement put_received{database, put<Received>(kReceived)};
  Statement put_letter{database, put<DeadLetter>(kDeadLetters, "INSERT")};

  Statement remove_letters{database, remove(kDeadLetters, "type = ? AND address = ?")};

  std::array<Statement, 7> remove_actor{
      Statement{database, remove(kActors, "id = ?")},    Statement{database, remove(kStates, "actor = ?")},
      Statement{database, remove(kTimers, "actor = ?")}, Statement{database, remove(kEffects, "actor = ?")},
      Statement{database, remove(kInbox, "actor = ?")},  Statement{database, remove(kItems, "actor = ?")},
      Statement{database, remove(kSecrets, "actor = ?")}};
  Statement remove_timer{database, remove(kTimers, "actor = ? AND tag = ?")};
  Statement remove_effect{database, remove(kEffects, "actor = ? AND number = ?")};
  Statement remove_inbox{database, remove(kInbox, "actor = ? AND sequence = ?")};
  Statement remove_messages{database, remove(kOutbox, "id >= 0 AND id < ?")};
  Statement remove_message{database, remove(kOutbox, "id = ?")};
  Statement remove_request{database, remove(kRequests, "id = ?")};
  Statement remove_received{database, remove(kReceived, "number < ?")};

  Statement put_item{database, store::put_item()};
  Statement remove_items{database, remove(kItems, "actor = ?")};
  Statement put_secret{database, put<Secret>(kSecrets)};
  Statement remove_secret{database, remove(kSecrets, "actor = ? AND name = ?")};

  Statement inbox{database, select_inbox()};
  Queries queries{database};
};

void Sqlite::Connection::write(const Batch& batch) {
  const auto run_all = [](Statement& statement, const auto& records) {
    for (const auto& record : records) statement.run(columns(record));
  };

  for (Statement& statement : remove_actor) run_all(statement, batch.actors_gone);
  run_all(remove_timer, batch.timers_gone);
  run_all(remove_effect, batch.effects_gone);
  run_all(remove_inbox, batch.inbox_gone);
  if (batch.delivered_before > 0) remove_messages.run(std::tuple(bound(batch.delivered_before)));
  run_all(remove_message, batch.delivered);
  run_all(remove_request, batch.requests_gone);
  if (batch.received_before > 0) remove_received.run(std::tuple(bound(batch.received_before)));

  run_all(put_actor, batch.actors);
  run_all(put_state, batch.states);
  run_all(put_timer, batch.timers);
  run_all(put_effect, batch.effects);
  run_all(put_inbox, batch.inbox);
  run_all(put_message, batch.outbox);
  run_all(put_request, batch.requests);
  run_all(put_received, batch.received);
  for (const auto& [type, address] : batch.dead_letters_gone) remove_letters.run(std::tie(type, address));
  run_all(put_letter, batch.dead_letters);
  run_all(remove_items, batch.items_gone);
  run_all(put_item, batch.items);
  for (const Secret& secret : batch.secrets) {
    secret.value.empty() ? remove_secret.run(std::tie(secret.actor, secret.name)) : put_secret.run(columns(secret));
  }
}

void Sqlite::Connection::visit_actors(const Visitor& visitor) {
  if (!visitor.actor) return;
  Statement actors(database, select_actors());
  actors.each(std::tuple(), [&] {
    Actor actor;
    State state;
    actors.read(std::tuple_cat(columns(actor), columns(state)));
    visitor.actor(std::move(actor), std::move(state));
  });
}

void Sqlite::Connection::visit_inbox(const Visitor& visitor) {
  if (!visitor.inbox) return;
  Statement counts(database, "SELECT actor, count(*) FROM inbox GROUP BY actor ORDER BY actor");
  counts.each(std::tuple(), [&] {
    ActorId actor = 0;
    std::size_t count = 0;
    counts.read(std::tie(actor, count));
    visitor.inbox(actor, count);
  });
}

Sqlite::Sqlite(std::string file, std::unique_ptr<Connection> connection, std::unique_ptr<Reader> reader)
    : file_(std::move(file)), connection_(std::move(connection)), reader_(std::move(reader)) {}

Sqlite::~Sqlite() = default;

Result<std::unique_ptr<Sqlite>> Sqlite::open(const std::filesystem::path& file) {
  return guarded(file.string(), [&]() -> Result<std::unique_ptr<Sqlite>> {
    auto database = open_database(file);
    if (!database) return tl::unexpected(database.error());
    auto second = open_to_read(file);
    if (!second) return tl::unexpected(second.error());
    return std::unique_ptr<Sqlite>(new Sqlite(file.string(), std::make_unique<Connection>(std::move(*database)),
                                              std::make_unique<Reader>(std::move(*second))));
  });
}

Result<std::unique_ptr<Sqlite>> Sqlite::in_memory() {
  auto database = open_in_memory();
  if (!database) return tl::unexpected(database.error());
  return std::unique_ptr<Sqlite>(new Sqlite("memory", std::make_unique<Connection>(std::move(*database)), nullptr));
}

Result<> Sqlite::commit(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  return guarded(file_, [&]() -> Result<> {
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    connection_->write(batch);
    transaction.commit();
    return {};
  });
}

Result<> Sqlite::load(const Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  return guarded(file_, [&]() -> Result<> {
    SQLite::Transaction snapshot(connection_->database);  // all of it at one moment
    connection_->visit_actors(visitor);
    connection_->visit<Timer>(kTimers, visitor.timer);
    connection_->visit<Waiting>(kEffects, visitor.effect);
    connection_->visit_inbox(visitor);
    connection_->visit<Message>(kOutbox, visitor.outbox);
    connection_->visit<Request>(kRequests, visitor.request);
    connection_->visit<Received>(kReceived, visitor.received);
    connection_->visit<Secret>(kSecrets, visitor.secret);
    return {};
  });
}

Result<std::vector<std::string>> Sqlite::items(const ItemQuery& query) {
  return guarded(file_, [&]() -> Result<std::vector<std::string>> {
    const std::lock_guard lock(reader_ ? reader_->mutex : mutex_);
    return (reader_ ? reader_->queries : connection_->queries).find(query);
  });
}

Result<bool> Sqlite::tidy() {
  const std::lock_guard lock(mutex_);
  return guarded(file_, [&]() -> Result<bool> { return shrink(connection_->database); });
}

Result<std::vector<Event>> Sqlite::inbox(ActorId actor, std::uint64_t after, std::size_t most) {
  // Who asks does not wait for the disk.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return failure("{} is being written", file_);
  return guarded(file_, [&]() -> Result<std::vector<Event>> {
    std::vector<Event> events;
    const auto limit = static_cast<std::uint64_t>(most);
    connection_->inbox.each(std::tuple(actor, bound(after), bound(limit)),
                            [&] { connection_->inbox.read(columns(events.emplace_back())); });
    return events;
  });
}

}  // namespace botel::store
