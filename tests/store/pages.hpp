// Damage to a store's file where it hurts.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace botel::store {

inline constexpr int kPage = 4096;

// The pages of a table, the root first: what SQLite's virtual table `dbstat` says.
inline std::vector<int> pages(const std::filesystem::path& file, const std::string& table,
                              const std::string& type = "leaf") {
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
  SQLite::Statement found(database, "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path");
  found.bind(1, table);
  found.bind(2, type);
  std::vector<int> numbers;
  while (found.executeStep()) numbers.push_back(found.getColumn(0).getInt());
  return numbers;
}

inline void overwrite(const std::filesystem::path& file, int page) {
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(std::streamoff{page - 1} * kPage);
  bytes << std::string(kPage, '\x55');
}

}  // namespace botel::store
