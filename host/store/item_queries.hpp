// How items are found.
#pragma once

#include <SQLiteCpp/Database.h>

#include <string>
#include <vector>

#include "store/records.hpp"
#include "store/statement.hpp"

namespace botel::store {

// Of one connection, which lives longer.
class ItemQueries {
 public:
  explicit ItemQueries(const SQLite::Database& database)
      : item_(database, select("AND id = ?")),
        all_(database, select("ORDER BY number LIMIT ?")),
        chat_(database, select("AND chat = ? " + kNewestFirst)),
        chat_before_(database, select("AND chat = ? AND (time_ms, number) < (SELECT time_ms, number FROM items WHERE "
                                      "actor = ? AND kind = ? AND id = ?) " +
                                      kNewestFirst)) {}

  // May throw SQLite::Exception.
  std::vector<std::string> find(const ItemQuery& q) {
    const auto most = static_cast<std::int64_t>(q.most);
    if (!q.id.empty()) return list(item_, std::tie(q.actor, q.kind, q.id));
    if (q.chat.empty()) return list(all_, std::tie(q.actor, q.kind, most));
    if (q.before.empty()) return list(chat_, std::tie(q.actor, q.kind, q.chat, most));
    return list(chat_before_, std::tie(q.actor, q.kind, q.chat, q.actor, q.kind, q.before, most));
  }

 private:
  inline static const std::string kNewestFirst = "ORDER BY time_ms DESC, number DESC LIMIT ?";

  static std::string select(const std::string& which) {
    return "SELECT json FROM items WHERE actor = ? AND kind = ? " + which;
  }
  template <class Values>
  static std::vector<std::string> list(Statement& statement, const Values& values) {
    std::vector<std::string> found;
    statement.each(values, [&] { statement.read(std::tie(found.emplace_back())); });
    return found;
  }

  Statement item_, all_, chat_, chat_before_;
};

}  // namespace botel::store
