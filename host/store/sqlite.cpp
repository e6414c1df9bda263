#include "store/sqlite.hpp"

#include <SQLiteCpp/Transaction.h>

#include <algorithm>
#include <array>
#include <limits>

#include "store/database.hpp"
#include "store/item_queries.hpp"
#include "store/replacement.hpp"
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

// A number without a sign as a bound: those from 2^63 on are stored below 0, and are above every bound.
std::int64_t bound(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

// A connection of its own: what it reads need not wait for what is written.
struct Sqlite::Reader {
  explicit Reader(SQLite::Database opened) : database(std::move(opened)) {}

  SQLite::Database database;
  ItemQueries items{database};
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

  Statement put_clock{database, put<Clock>(kClock)};
  Statement put_session{database, put<Session>(kSession)};
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
  ItemQueries items{database};
};

void Sqlite::Connection::write(const Batch& batch) {
  const auto run_all = [](Statement& statement, const auto& records) {
    for (const auto& record : records) statement.run(columns(record));
  };

  if (batch.clock) put_clock.run(columns(*batch.clock));
  if (batch.session) put_session.run(columns(*batch.session));
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

Sqlite::Sqlite(std::string file, bool in_memory, LogLimits limits)
    : file_(std::move(file)), in_memory_(in_memory), upkeep_(file_, limits) {}

Sqlite::~Sqlite() = default;

Result<std::unique_ptr<Sqlite>> Sqlite::open(const std::filesystem::path& file, LogLimits limits) {
  std::unique_ptr<Sqlite> store(new Sqlite(file.string(), false, limits));
  if (auto connected = store->connect(); !connected) return tl::unexpected(connected.error());
  return store;
}

Result<std::unique_ptr<Sqlite>> Sqlite::in_memory() {
  std::unique_ptr<Sqlite> store(new Sqlite("memory", true, {}));
  auto database = open_in_memory();
  if (!database) return tl::unexpected(database.error());
  store->connection_ = std::make_unique<Connection>(std::move(*database));
  return store;
}

// Where there is no connection yet, or any more.
Result<> Sqlite::connect() {
  if (connection_) return {};
  const std::lock_guard lock(reader_mutex_);
  return open_connections();
}

Result<> Sqlite::open_connections() {
  return guarded(file_, [&]() -> Result<> {
    auto database = open_database(file_);
    if (!database) return tl::unexpected(database.error());
    auto second = open_to_read(file_);
    if (!second) return tl::unexpected(second.error());
    reader_ = std::make_unique<Reader>(std::move(*second));
    connection_ = std::make_unique<Connection>(std::move(*database));
    return {};
  });
}

Result<> Sqlite::commit(const Batch& batch) {
  const std::lock_guard lock(mutex_);
  if (auto connected = connect(); !connected) return connected;
  return guarded(file_, [&]() -> Result<> {
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    connection_->write(batch);
    transaction.commit();
    return {};
  });
}

Result<> Sqlite::load(const Visitor& visitor) {
  const std::lock_guard lock(mutex_);
  if (auto connected = connect(); !connected) return connected;
  return guarded(file_, [&]() -> Result<> {
    SQLite::Transaction snapshot(connection_->database);  // all of it at one moment
    connection_->visit<Clock>(kClock, visitor.clock);
    connection_->visit<Session>(kSession, visitor.session);
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
  const std::lock_guard lock(in_memory_ ? mutex_ : reader_mutex_);
  if (!in_memory_ && !reader_) return failure("{} is not open", file_);
  return guarded(file_, [&]() -> Result<std::vector<std::string>> {
    return (in_memory_ ? connection_->items : reader_->items).find(query);
  });
}

Result<bool> Sqlite::tidy() {
  const std::lock_guard lock(mutex_);
  if (in_memory_) return false;
  if (auto connected = connect(); !connected) return tl::unexpected(connected.error());
  return guarded(file_, [&]() -> Result<bool> {
    const auto next = upkeep_.step(connection_->database);
    if (next != Upkeep::Next::replacement) return next == Upkeep::Next::more;
    const auto replaced = replace_file();
    replaced ? upkeep_.replaced() : upkeep_.not_replaced(replaced.error());
    return false;
  });
}

// Nobody commits meanwhile; who reads waits only while there is no file to read from.
Result<> Sqlite::replace_file() {
  auto prepared = prepare_replacement(connection_->database, file_);
  if (!prepared) return prepared;
  const std::lock_guard lock(reader_mutex_);
  connection_.reset();
  reader_.reset();
  const auto replaced = replace(file_);
  const auto opened = open_connections();
  return replaced ? opened : replaced;
}

Result<Store::Inbox> Sqlite::inbox(ActorId actor, std::uint64_t after, std::size_t most) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return std::nullopt;
  if (auto connected = connect(); !connected) return tl::unexpected(connected.error());
  return guarded(file_, [&]() -> Result<Inbox> {
    std::vector<Event> events;
    const auto limit = static_cast<std::uint64_t>(most);
    connection_->inbox.each(std::tuple(actor, bound(after), bound(limit)),
                            [&] { connection_->inbox.read(columns(events.emplace_back())); });
    return events;
  });
}

}  // namespace botel::store
