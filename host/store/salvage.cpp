#include "store/salvage.hpp"

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Exception.h>
#include <fmt/core.h>
#include <sqlite3.h>

#include <cstdint>
#include <limits>
#include <string>

namespace botel::store {
namespace {

// A damaged place costs two for each key that it may have had. Where that is not the end of it, it is given up, after a
// second or so.
constexpr int kMostRanges = 100000;

std::string select(const Table& table, const char* direction) {
  return fmt::format("SELECT * FROM {} NOT INDEXED WHERE {} BETWEEN ? AND ? ORDER BY {} {}", table.name, table.key,
                     table.key, direction);
}

std::string insert(const Table& table, int width) {
  std::string marks = "?";
  for (int i = 1; i < width; ++i) marks += ", ?";
  return fmt::format("INSERT INTO {} VALUES ({})", table.name, marks);
}

void bind(SQLite::Statement& put, int index, const SQLite::Column& column) {
  if (column.isInteger()) {
    put.bind(index, column.getInt64());
  } else if (column.isText()) {
    put.bind(index, column.getString());
  } else if (column.isBlob()) {
    const std::string bytes = column.getString();  // an empty one is not NULL
    put.bind(index, bytes.data(), static_cast<int>(bytes.size()));
  } else {
    put.bind(index);
  }
}

}  // namespace

Salvage::Salvage(const SQLite::Database& from, const SQLite::Database& to, const Table& table)
    : upwards_(from, select(table, "ASC")),
      downwards_(from, select(table, "DESC")),
      put_(to, insert(table, upwards_.getColumnCount())) {}

// Keys are counted up from 1: most of all keys that could be are above the last one, and must not be looked through as
// closely as those below, where the last page is damaged.
std::deque<Salvage::Keys> Salvage::all_keys() {
  std::deque<Keys> ranges = {{std::numeric_limits<std::int64_t>::min(), -1}, {0, 0}};
  for (int bit = 0; bit < 63; ++bit) {
    const std::int64_t low = std::int64_t{1} << bit;
    ranges.push_back({low, low + (low - 1)});
  }
  return ranges;
}

bool Salvage::run() {
  bool whole = true;
  // The widest ranges come first: where it is given up, only small ones are left.
  std::deque<Keys> ranges = all_keys();
  for (int i = 0; i < kMostRanges && !ranges.empty(); ++i) {
    Keys keys = ranges.front();
    ranges.pop_front();
    const Reading up = read(upwards_, keys);
    if (!up.broke) continue;
    whole = false;
    // With the last key itself: it may have more records, behind the damage.
    const Reading down = read(downwards_, {up.last.value_or(keys.low), keys.high});
    if (!down.broke || up.last == keys.high || down.last == keys.low) continue;
    if (up.last) keys.low = *up.last + 1;
    if (down.last) keys.high = *down.last - 1;
    if (keys.low >= keys.high) continue;
    const auto half = (static_cast<std::uint64_t>(keys.high) - static_cast<std::uint64_t>(keys.low)) / 2;
    const std::int64_t middle = keys.low + static_cast<std::int64_t>(half);
    ranges.push_back({keys.low, middle});
    ranges.push_back({middle + 1, keys.high});
  }
  return whole && !refused_;
}

Salvage::Reading Salvage::read(SQLite::Statement& rows, Keys keys) {
  Reading reading;
  rows.bind(1, keys.low);
  rows.bind(2, keys.high);
  int step = SQLITE_ROW;
  while ((step = rows.tryExecuteStep()) == SQLITE_ROW) {
    reading.last = rows.getColumn(0).getInt64();
    copy(rows);
  }
  rows.tryReset();
  reading.broke = step != SQLITE_DONE;
  return reading;
}

void Salvage::copy(const SQLite::Statement& row) {
  for (int i = 0; i < row.getColumnCount(); ++i) bind(put_, i + 1, row.getColumn(i));
  try {
    put_.exec();
  } catch (const SQLite::Exception& error) {
    if (error.getErrorCode() != SQLITE_CONSTRAINT) throw;
    // Read from both ends it is no damage.
    const int why = error.getExtendedErrorCode();
    if (why != SQLITE_CONSTRAINT_PRIMARYKEY && why != SQLITE_CONSTRAINT_ROWID) refused_ = true;
  }
  put_.tryReset();
}

}  // namespace botel::store
