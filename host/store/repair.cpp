// How a damaged file is repaired: what can be read of it is copied into a new one, which then takes its place.
#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Transaction.h>

#include "store/database.hpp"
#include "store/database_files.hpp"
#include "store/maintenance.hpp"
#include "store/replacement.hpp"
#include "store/salvage.hpp"
#include "store/tables.hpp"

namespace botel::store {
namespace {

namespace fs = std::filesystem;

std::uint64_t count(SQLite::Database& database, const Table& table) {
  return static_cast<std::uint64_t>(database.execAndGet(fmt::format("SELECT count(*) FROM {}", table.name)).getInt64());
}

// A part whose actor is lost would fall to an actor that gets the same id.
std::uint64_t leave_out_orphans(SQLite::Database& database, const Table& table) {
  if (table.key != std::string_view("actor")) return 0;
  return static_cast<std::uint64_t>(
      database.exec(fmt::format("DELETE FROM {} WHERE actor NOT IN (SELECT id FROM actors)", table.name)));
}

// Into a file of the same schema; migrations are for what is there, then.
Repaired salvage(SQLite::Database& from, SQLite::Database& to) {
  Repaired repaired;
  SQLite::Transaction transaction(to);
  for (const Table* const table : kTables) {
    if (!to.tableExists(table->name)) continue;
    const bool whole = Salvage(from, to, *table).run();
    const auto left_out = leave_out_orphans(to, *table);
    repaired.tables.push_back({table->name, count(to, *table), left_out, !whole});
  }
  transaction.commit();
  return repaired;
}

Result<Repaired> salvage(const fs::path& file, const fs::path& fresh) {
  auto from = open_to_read(file);
  if (!from) return tl::unexpected(from.error());
  return guarded(fresh.string(), [&]() -> Result<Repaired> {
    const auto version = schema_version(*from, file.string());
    if (!version) return tl::unexpected(version.error());
    auto to = open_database(fresh, {migrations().begin(), migrations().begin() + *version});
    if (!to) return tl::unexpected(to.error());
    auto repaired = salvage(*from, *to);
    if (auto done = migrate(*to, fresh.string(), migrations()); !done) return tl::unexpected(done.error());
    to->exec("PRAGMA wal_checkpoint(TRUNCATE)");  // an error would be lost when it is closed
    return repaired;
  });
}

}  // namespace

Result<Repaired> repair(const fs::path& file) {
  if (auto done = finish_replacement(file); !done) return tl::unexpected(done.error());
  const fs::path fresh = beside(file, ".repairing");
  discard(fresh);  // one that was interrupted
  auto repaired = salvage(file, fresh);
  if (!repaired) {
    discard(fresh);
    return repaired;
  }
  auto aside = replace(file, fresh, "broken");
  if (!aside) {
    discard(fresh);
    return tl::unexpected(aside.error());
  }
  repaired->aside = std::move(*aside);
  return repaired;
}

}  // namespace botel::store
