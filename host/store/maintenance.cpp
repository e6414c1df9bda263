#include "store/maintenance.hpp"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <string_view>

#include "base/json.hpp"
#include "store/database.hpp"
#include "store/tables.hpp"

namespace botel::store {
namespace {

std::string base64(std::string_view bytes) {
  constexpr auto kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      bits = bits << 8 | (at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0u);
    }
    for (std::size_t i = 0; i < 4; ++i) {
      text += at + i <= bytes.size() ? kDigits[bits >> (18 - 6 * i) & 63] : '=';
    }
  }
  return text;
}

void append_value(std::string& line, const SQLite::Column& column) {
  if (column.isNull()) {
    line += "null";
  } else if (column.isInteger()) {
    line += std::to_string(column.getInt64());
  } else {
    const std::string bytes = column.getString();
    if (json::valid_utf8(bytes)) {
      json::quote(line, bytes);
    } else {
      line += R"({"base64":")" + base64(bytes) + R"("})";
    }
  }
}

// Whom what is in a row was told; nobody for most.
std::string_view told_whom(const Table& table) {
  if (&table == &kInbox) return "coalesce((SELECT type FROM actors WHERE id = actor), 'connector')";
  return &table == &kDeadLetters ? "type" : "''";
}

// Connectors are told passwords, and what they are told may wait or be a dead letter.
bool is_hidden(const Table& table, std::string_view column, bool is_to_a_connector) {
  if (&table == &kSecrets) return column == "value";
  return is_to_a_connector && (column == "payload" || column == "detail" || column == "blob");
}

Result<> export_table(const SQLite::Database& database, const Table& table, std::FILE* out) {
  SQLite::Statement rows(database,
                         fmt::format("SELECT *, {} FROM {} ORDER BY {}", told_whom(table), table.name, table.order));
  const int columns = rows.getColumnCount() - 1;
  std::string line;
  while (rows.executeStep()) {
    const bool is_to_a_connector = rows.getColumn(columns).getString() == "connector";
    line = fmt::format(R"({{"table":"{}")", table.name);
    for (int i = 0; i < columns; ++i) {
      const std::string_view column = rows.getColumnName(i);
      line += fmt::format(R"(,"{}":)", column);
      if (is_hidden(table, column, is_to_a_connector)) {
        line += R"("hidden")";
      } else {
        append_value(line, rows.getColumn(i));
      }
    }
    line += "}\n";
    if (std::fwrite(line.data(), 1, line.size(), out) != line.size()) {
      return failure("the export cannot be written: {}", std::strerror(errno));
    }
  }
  return {};
}

// All of it at one moment, in a file without a name: who reads the export may be slow, and while the store itself is
// read its log grows.
SQLite::Database copy_of(SQLite::Database& database) {
  SQLite::Database copy("", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  SQLite::Backup(copy, database).executeStep();
  return copy;
}

// A finding may have several lines, and what ends the search is one more.
std::vector<std::string> integrity(const SQLite::Database& database) {
  std::string text;
  try {
    SQLite::Statement findings(database, "PRAGMA integrity_check");
    while (findings.executeStep()) text += findings.getColumn(0).getString() + "\n";
  } catch (const SQLite::Exception& error) {
    text += std::string(error.what()) + "\n";
  }
  std::vector<std::string> damages;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("***")) damages.push_back(line);  // a heading
  }
  if (text == "ok\n") damages.clear();
  return damages;
}

}  // namespace

Result<Checked> check(const std::filesystem::path& file) {
  const std::string name = file.string();
  auto database = open_to_read(file);
  if (!database) return tl::unexpected(database.error());
  return guarded(name, [&]() -> Result<Checked> {
    const auto version = schema_version(*database, name);
    if (!version) return tl::unexpected(version.error());
    Checked checked{*version, {}, integrity(*database)};
    for (const Table* const table : kTables) {
      if (!database->tableExists(table->name)) continue;
      // The table itself is counted: an index could say something else.
      const auto count = guarded(name, [&]() -> Result<std::int64_t> {
        return database->execAndGet(fmt::format("SELECT count(*) FROM {} NOT INDEXED", table->name)).getInt64();
      });
      if (count) checked.tables.push_back({table->name, static_cast<std::uint64_t>(*count)});
      if (!count) checked.damages.push_back(fmt::format("{} cannot be counted", table->name));
    }
    return checked;
  });
}

Result<> export_to(const std::filesystem::path& file, std::FILE* out) {
  const std::string name = file.string();
  auto database = open_to_read(file);
  if (!database) return tl::unexpected(database.error());
  return guarded(name, [&]() -> Result<> {
    const SQLite::Database copy = copy_of(*database);
    for (const Table* const table : kTables) {
      if (!copy.tableExists(table->name)) continue;
      if (auto done = export_table(copy, *table, out); !done) return done;
    }
    if (std::fflush(out) != 0) return failure("the export cannot be written: {}", std::strerror(errno));
    return {};
  });
}

}  // namespace botel::store
