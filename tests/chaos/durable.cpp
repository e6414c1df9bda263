#include "chaos/durable.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>

namespace chaos {
namespace {

namespace fs = std::filesystem;

using Database = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;
using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

Database open_database(const fs::path& file) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  Database database(opened, sqlite3_close);
  if (code != SQLITE_OK) throw std::runtime_error(file.string() + ": " + sqlite3_errmsg(opened));
  sqlite3_busy_timeout(opened, 2000);
  return database;
}

void for_each_row(sqlite3* database, const std::string& sql, const std::function<void(sqlite3_stmt*)>& visit) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database, sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(database));
  }
  const Statement statement(prepared, sqlite3_finalize);
  int code = sqlite3_step(prepared);
  for (; code == SQLITE_ROW; code = sqlite3_step(prepared)) visit(prepared);
  if (code != SQLITE_DONE) throw std::runtime_error(sql + ": " + sqlite3_errmsg(database));
}

}  // namespace

long long query_number(const fs::path& database, const std::string& sql) {
  long long number = 0;
  for_each_row(open_database(database).get(), sql, [&](sqlite3_stmt* row) { number = sqlite3_column_int64(row, 0); });
  return number;
}

Durable::Durable(fs::path folder, fs::path scratch) : folder_(std::move(folder)), scratch_(std::move(scratch)) {
  fs::create_directories(folder_);
}

void Durable::copy_to(const fs::path& target) const {
  fs::remove_all(target);
  fs::create_directories(target);
  fs::permissions(target, fs::perms::owner_all);
  const int lock = open((folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  flock(lock, LOCK_EX);
  for (const auto& file : fs::directory_iterator(folder_)) {
    const auto name = file.path().filename();
    if (name != "lock" && name.extension() != ".new") fs::copy_file(file.path(), target / name);
  }
  close(lock);
}

void Durable::look() {
  copy_to(scratch_);
  // Before its first sync there is nothing.
  if (!fs::exists(scratch_ / "botel.db")) return;
  const Database database = open_database(scratch_ / "botel.db");
  bool has_tables = false;
  for_each_row(database.get(), "SELECT 1 FROM sqlite_schema WHERE name = 'received'",
               [&](sqlite3_stmt*) { has_tables = true; });
  if (!has_tables) return;
  for_each_row(database.get(), "SELECT packet FROM received",
               [&](sqlite3_stmt* row) { received_.insert(sqlite3_column_int(row, 0)); });
  for_each_row(database.get(), "SELECT address, sequence FROM actors JOIN states ON actor = id",
               [&](sqlite3_stmt* row) {
                 const auto* const address = reinterpret_cast<const char*>(sqlite3_column_text(row, 0));
                 handled_[address] = sqlite3_column_int64(row, 1);
               });
}

bool Durable::has_received(int packet) {
  if (!received_.contains(packet)) look();
  return received_.contains(packet);
}

bool Durable::has_handled(const std::string& part, long long sequence) {
  const auto has = [&] {
    return std::ranges::any_of(handled_, [&](const auto& actor) {
      return actor.first.find(part) != std::string::npos && actor.second >= sequence;
    });
  };
  if (!has()) look();
  return has();
}

}  // namespace chaos
