#include "harness/database.hpp"

#include <sqlite3.h>

#include <stdexcept>

namespace harness {

Database::Database(const std::filesystem::path& file) : handle_(nullptr, sqlite3_close) {
  sqlite3* handle = nullptr;
  const int error = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
  handle_.reset(handle);
  if (error) throw std::runtime_error(file.string() + ": " + sqlite3_errstr(error));
  sqlite3_busy_timeout(handle, 5000);
}

long long Database::number(const std::string& sql) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &prepared, nullptr)) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(handle_.get()));
  }
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(prepared, sqlite3_finalize);
  return sqlite3_step(prepared) == SQLITE_ROW ? sqlite3_column_int64(prepared, 0) : 0;
}

void Database::run(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr)) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(handle_.get()));
  }
}

}  // namespace harness
