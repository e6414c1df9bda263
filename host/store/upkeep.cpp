#include "store/upkeep.hpp"

#include <SQLiteCpp/Statement.h>

#include <algorithm>

#include "base/log.hpp"
#include "store/readers.hpp"
#include "store/shrink.hpp"

namespace botel::store {

Upkeep::Next Upkeep::step(SQLite::Database& database) {
  const auto bytes = held_bytes(database);
  if (bytes == 0) {
    warned_ = tried_at_ = 0;
    return shrink(database) ? Next::more : Next::nothing;
  }
  if (bytes >= tried_at_ + limits_.most) {
    tried_at_ = bytes;
    return Next::replacement;
  }
  if (bytes >= 2 * warned_) warn(bytes);
  return Next::nothing;
}

std::uint64_t Upkeep::held_bytes(SQLite::Database& database) const {
  std::error_code none;
  const auto size = std::filesystem::file_size(file_.string() + "-wal", none);
  if (none || size < limits_.warning) return 0;
  SQLite::Statement checkpoint(database, "PRAGMA wal_checkpoint(PASSIVE)");
  if (!checkpoint.executeStep()) return 0;
  const auto pages = checkpoint.getColumn(1).getInt64(), done = checkpoint.getColumn(2).getInt64();
  checkpoint.reset();
  const auto bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(pages, 0)) *
                     static_cast<std::uint64_t>(database.execAndGet("PRAGMA page_size").getInt64());
  return done < pages && bytes >= limits_.warning ? bytes : 0;
}

void Upkeep::warn(std::uint64_t bytes) {
  warned_ = bytes;
  log::warning(
      "{}-wal has grown to {} MiB, as {} reads {} without an end: end it; from {} MiB on the store goes on in a "
      "new file",
      file_.filename().string(), bytes >> 20, readers_of(file_), file_.filename().string(), limits_.most >> 20);
}

void Upkeep::replaced() {
  log::warning(
      "{} is a new file now, as another program has read the old one without an end: what has that open does "
      "not see what comes",
      file_.filename().string());
}

void Upkeep::not_replaced(const std::string& why) {
  log::error("{}-wal grows, and the store cannot go on in a new file: {}", file_.filename().string(), why);
}

}  // namespace botel::store
