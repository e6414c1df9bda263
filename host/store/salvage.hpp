// Reads what can be read of a damaged table.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <deque>
#include <optional>

#include "store/tables.hpp"

namespace botel::store {

// Copies one table in the order of its key. Where reading breaks, it goes on from the other end; what lies between two
// damaged places is found by halving the keys between them. No index is asked: it could lead past records. What `to`
// refuses, as damage has made it impossible, is left out. All of it may throw SQLite::Exception, about `to`.
class Salvage {
 public:
  // Both have the table, in the same schema.
  Salvage(const SQLite::Database& from, const SQLite::Database& to, const Table& table);

  // False: not all of it could be read.
  [[nodiscard]] bool run();

 private:
  // Both ends included.
  struct Keys {
    std::int64_t low = 0, high = 0;
  };
  struct Reading {
    std::optional<std::int64_t> last;  // the key of the last record; none: there was no record
    bool broke = false;
  };

  static std::deque<Keys> all_keys();
  Reading read(SQLite::Statement& rows, Keys keys);
  void copy(const SQLite::Statement& row);

  SQLite::Statement upwards_, downwards_, put_;
  bool refused_ = false;
};

}  // namespace botel::store
