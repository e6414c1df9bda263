#include "store/database.hpp"

#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/replacement.hpp"
#include "store/shrink.hpp"

namespace botel::store {
namespace {

namespace fs = std::filesystem;

constexpr int kApplication = 0x426F746C;  // "Botl", in the file's header
constexpr int kBusyMs = 2000;             // how long somebody else's lock is waited for

// 64 bits without a sign are stored as 64 bits with one. The parts of an actor lie together, by its id.
constexpr auto kVersion1 = R"(
CREATE TABLE actors (
  id INTEGER PRIMARY KEY, type TEXT NOT NULL, address TEXT NOT NULL, bot TEXT NOT NULL, origin TEXT NOT NULL,
  UNIQUE (type, address)
) STRICT;

-- Apart from actors, as it is written with each event.
CREATE TABLE states (
  actor INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, schema INTEGER NOT NULL, state BLOB NOT NULL,
  progress TEXT NOT NULL
) STRICT;

CREATE TABLE timers (
  actor INTEGER, tag INTEGER, due_ms INTEGER NOT NULL,
  PRIMARY KEY (actor, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE effects (
  actor INTEGER, number INTEGER, due_ms INTEGER NOT NULL, kind INTEGER NOT NULL, tag INTEGER NOT NULL,
  reply INTEGER NOT NULL, format INTEGER NOT NULL, status INTEGER NOT NULL, payload TEXT NOT NULL,
  detail TEXT NOT NULL, blob TEXT NOT NULL,
  PRIMARY KEY (actor, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox (
  actor INTEGER, sequence INTEGER, kind INTEGER NOT NULL, event INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  seed INTEGER NOT NULL, reply INTEGER NOT NULL, tag INTEGER NOT NULL, attempt INTEGER NOT NULL,
  flags INTEGER NOT NULL, format INTEGER NOT NULL, status INTEGER NOT NULL, payload TEXT NOT NULL,
  detail TEXT NOT NULL, blob TEXT NOT NULL,
  PRIMARY KEY (actor, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload TEXT NOT NULL) STRICT;

CREATE TABLE requests (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, payload TEXT NOT NULL, answers TEXT NOT NULL
) STRICT;

CREATE TABLE received (packet INTEGER PRIMARY KEY, hash INTEGER NOT NULL) STRICT;

CREATE TABLE dead_letters (
  id INTEGER PRIMARY KEY, died_ms INTEGER NOT NULL, type TEXT NOT NULL, address TEXT NOT NULL, bot TEXT NOT NULL,
  reason TEXT NOT NULL, sequence INTEGER NOT NULL, kind INTEGER NOT NULL, event INTEGER NOT NULL,
  time_ms INTEGER NOT NULL, seed INTEGER NOT NULL, reply INTEGER NOT NULL, tag INTEGER NOT NULL,
  attempt INTEGER NOT NULL, flags INTEGER NOT NULL, format INTEGER NOT NULL, status INTEGER NOT NULL,
  payload TEXT NOT NULL, detail TEXT NOT NULL, blob TEXT NOT NULL
) STRICT;
)";

// What connectors have told of their services, and what they keep to themselves.
constexpr auto kVersion2 = R"(
CREATE TABLE items (
  actor INTEGER, kind TEXT, id TEXT, chat TEXT NOT NULL, time_ms INTEGER NOT NULL, number INTEGER NOT NULL,
  json TEXT NOT NULL,
  PRIMARY KEY (actor, kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX items_by_time ON items (actor, kind, chat, time_ms, number);

CREATE TABLE secrets (
  actor INTEGER, name TEXT, value BLOB NOT NULL,
  PRIMARY KEY (actor, name)
) STRICT, WITHOUT ROWID;
)";

// What was received is a log, in the order of arrival. Of the older kind that order is not known: packet ids count up.
constexpr auto kVersion3 = R"(
ALTER TABLE received RENAME TO received_2;
CREATE TABLE received (number INTEGER PRIMARY KEY, packet INTEGER NOT NULL, hash INTEGER NOT NULL) STRICT;
INSERT INTO received SELECT packet, packet, hash FROM received_2 WHERE packet > 0 ORDER BY packet;
DROP TABLE received_2;
)";

// What there is once: where the host's own clock stood (times in older files are Unix milliseconds, with which that
// clock begins), and the session that the broker keeps for these conversations.
constexpr auto kVersion4 = R"(
CREATE TABLE clock (
  id INTEGER PRIMARY KEY CHECK (id = 1), host_ms INTEGER NOT NULL, unix_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE session (id INTEGER PRIMARY KEY CHECK (id = 1), client_id TEXT NOT NULL) STRICT;
)";

// SQLite would make it, and the files beside it, for others to read. Without O_EXCL, closing it would drop the locks
// that this process may have on it.
Result<> make_private(const fs::path& file) {
  const int made = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0 && errno != EEXIST) return failure("{} cannot be made: {}", file.string(), std::strerror(errno));
  if (made >= 0) close(made);
  return {};
}

// Committed means: on disk. The file stays open to other programs, as an operator's sqlite3.
void set_up(SQLite::Database& database, bool is_new) {
  if (is_new) database.exec("PRAGMA auto_vacuum = INCREMENTAL");  // it would write to the others
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA cache_size = -16384");            // KiB
  database.exec("PRAGMA journal_size_limit = 67108864");  // what a burst leaves behind
  database.exec("PRAGMA secure_delete = ON");             // conversations that are over are wiped
}

}  // namespace

const Migrations& migrations() {
  static const Migrations all = {kVersion1, kVersion2, kVersion3, kVersion4};
  return all;
}

Result<SQLite::Database> open_database(const fs::path& file, const Migrations& all) {
  const std::string name = file.string();
  if (auto done = finish_replacement(file); !done) return tl::unexpected(done.error());
  if (auto made = make_private(file); !made) return tl::unexpected(made.error());
  return guarded(name, [&]() -> Result<SQLite::Database> {
    SQLite::Database database(name, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX, kBusyMs);
    if (sqlite3_db_readonly(database.getHandle(), "main") == 1) return failure("{} is read-only", name);
    // Looked at before anything is changed: it may be somebody else's.
    const auto version = schema_version(database, name);
    if (!version) return tl::unexpected(version.error());
    set_up(database, *version == 0);
    if (auto done = migrate(database, name, all); !done) return tl::unexpected(done.error());
    let_shrink(database, name);
    return database;
  });
}

Result<SQLite::Database> open_in_memory() {
  const std::string name = "the store in memory";
  return guarded(name, [&]() -> Result<SQLite::Database> {
    SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX);
    if (auto done = migrate(database, name, migrations()); !done) return tl::unexpected(done.error());
    return database;
  });
}

Result<SQLite::Database> open_to_read(const fs::path& file) {
  const std::string name = file.string();
  std::error_code error;
  if (is_being_replaced(file)) return failure("{} is being replaced: the next start of the host finishes that", name);
  if (!fs::exists(file, error)) return failure("there is no {}", name);
  return guarded(name, [&]() -> Result<SQLite::Database> {
    SQLite::Database database(name, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, kBusyMs);
    database.exec("PRAGMA cell_size_check = ON");  // a damaged page is noticed early
    try {
      const auto version = schema_version(database, name);
      if (!version) return tl::unexpected(version.error());
      if (*version == 0) return failure("{} is empty, and no store of Botel", name);
    } catch (const SQLite::Exception& exception) {
      if (exception.getErrorCode() != SQLITE_CORRUPT) throw;
      return failure("{} is damaged where it begins: nothing of it can be read", name);
    }
    return database;
  });
}

Result<int> schema_version(SQLite::Database& database, const std::string& file, std::size_t newest) {
  const int application = database.execAndGet("PRAGMA application_id").getInt();
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  const bool empty = database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0;
  if (application != kApplication && !(application == 0 && version == 0 && empty)) {
    return failure("{} is the database of another program, not a store of Botel", file);
  }
  if (version < 0 || static_cast<std::size_t>(version) > newest) {
    return failure("{} was written by a newer Botel (schema {}; this one reads up to {})", file, version, newest);
  }
  return version;
}

Result<> migrate(SQLite::Database& database, const std::string& file, const Migrations& all) {
  const auto version = schema_version(database, file, all.size());
  if (!version) return tl::unexpected(version.error());
  for (auto next = static_cast<std::size_t>(*version); next < all.size(); ++next) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    database.exec(all[next]);
    database.exec(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", kApplication, next + 1));
    transaction.commit();
  }
  return {};
}

std::string explain(const SQLite::Exception& error, const std::string& file) {
  switch (error.getErrorCode()) {
    case SQLITE_CORRUPT:
      return fmt::format("{} is damaged: `botel store check` says more, `botel store repair` saves what can be read",
                         file);
    case SQLITE_NOTADB: return fmt::format("{} is not a database, or its beginning is overwritten", file);
    case SQLITE_FULL: return fmt::format("{} cannot grow: the disk is full", file);
    case SQLITE_BUSY: return fmt::format("{} is locked by another program", file);
    case SQLITE_READONLY: return fmt::format("{} is read-only", file);
    case SQLITE_CANTOPEN: return fmt::format("{} cannot be opened, or a file beside it cannot be made", file);
    case SQLITE_IOERR:
      return fmt::format("{} cannot be read or written: {} ({})", file, error.what(), error.getExtendedErrorCode());
    default: return fmt::format("{}: {}", file, error.what());
  }
}

}  // namespace botel::store
