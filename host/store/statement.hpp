// A prepared statement that is kept and run again and again, with values as tuples: tables.hpp makes them of records.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <concepts>
#include <cstdint>
#include <string>
#include <tuple>

namespace botel::store {

// A text that is stored as a BLOB: bytes that no one reads as text. Borrowed.
template <class Text>
struct Bytes {
  Text& text;
};
template <class Text>
Bytes(Text&) -> Bytes<Text>;

// Every call may throw SQLite::Exception.
class Statement {
 public:
  Statement(const SQLite::Database& database, const std::string& sql) : statement_(database, sql) {}

  // Binds `values`, whose texts are borrowed until the statement is reset, and runs it to its end.
  template <class Tuple>
  void run(const Tuple& values) {
    const Reset reset{statement_};
    bind(values);
    statement_.exec();
  }

  // Binds `values`, and calls `row()` for each row: read() has it then.
  template <class Tuple, class Row>
  void each(const Tuple& values, const Row& row) {
    const Reset reset{statement_};
    bind(values);
    while (statement_.executeStep()) row();
  }

  // The columns of the row, from the first one on.
  template <class... Values>
  void read(std::tuple<Values...> to) const {
    int column = 0;
    std::apply([&](auto&&... value) { (get(column++, value), ...); }, to);
  }

 private:
  // Lets go of locks and of what was bound, also after an error, which the statement would else report once more.
  struct Reset {
    SQLite::Statement& statement;
    ~Reset() { statement.tryReset(); }
  };

  template <class Tuple>
  void bind(const Tuple& values) {
    int index = 0;
    std::apply([&](const auto&... value) { (set(++index, value), ...); }, values);
  }

  // An unsigned number keeps its bits, not its value.
  void set(int index, std::integral auto value) { statement_.bind(index, static_cast<std::int64_t>(value)); }
  void set(int index, const std::string& text) { statement_.bindNoCopy(index, text); }
  template <class Text>
  void set(int index, Bytes<Text> bytes) {
    statement_.bindNoCopy(index, bytes.text.data(), static_cast<int>(bytes.text.size()));
  }

  template <std::integral Number>
  void get(int column, Number& value) const {
    value = static_cast<Number>(statement_.getColumn(column).getInt64());
  }
  void get(int column, std::string& text) const { text = statement_.getColumn(column).getString(); }
  void get(int column, Bytes<std::string> bytes) const { get(column, bytes.text); }

  SQLite::Statement statement_;
};

}  // namespace botel::store
