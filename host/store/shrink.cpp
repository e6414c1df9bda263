#include "store/shrink.hpp"

#include <SQLiteCpp/Exception.h>
#include <fmt/core.h>

#include <cstdint>

#include "base/log.hpp"
#include "store/database.hpp"

namespace botel::store {
namespace {

constexpr int kIncremental = 2;                            // of PRAGMA auto_vacuum
constexpr std::int64_t kLargest = std::int64_t{64} << 20;  // bytes that are written anew while a host starts
constexpr std::int64_t kSpare = 1024;                      // free pages that are kept for what comes next
constexpr std::int64_t kPart = 4;                          // and one page in so many
constexpr int kPagesAtOnce = 128;

std::int64_t number(SQLite::Database& database, const char* pragma) {
  return database.execAndGet(fmt::format("PRAGMA {}", pragma)).getInt64();
}

}  // namespace

void let_shrink(SQLite::Database& database, const std::string& file) try {
  if (number(database, "auto_vacuum") == kIncremental) return;
  const auto used = number(database, "page_count") - number(database, "freelist_count");
  if (used * number(database, "page_size") > kLargest) return;
  database.exec("PRAGMA auto_vacuum = INCREMENTAL; VACUUM");
} catch (const SQLite::Exception& error) {
  log::warning("{}; until a later start the file does not become smaller", explain(error, file));
}

bool shrink(SQLite::Database& database) {
  const auto free = number(database, "freelist_count");
  if (free <= kSpare || free <= number(database, "page_count") / kPart) return false;
  if (number(database, "auto_vacuum") != kIncremental) return false;
  database.exec(fmt::format("PRAGMA incremental_vacuum({}); PRAGMA wal_checkpoint(PASSIVE)", kPagesAtOnce));
  return true;
}

}  // namespace botel::store
