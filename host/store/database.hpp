// The file of the store as SQLite has it: how it is opened, what schema it has, and what its errors mean.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"

namespace botel::store {

// What takes a file from each schema to the next one: the first makes version 1 of an empty file.
using Migrations = std::vector<const char*>;
[[nodiscard]] const Migrations& migrations();

// For reading and writing; made, for its owner alone, where it is missing. Its schema is brought up to date.
[[nodiscard]] Result<SQLite::Database> open_database(const std::filesystem::path& file,
                                                     const Migrations& all = migrations());
[[nodiscard]] Result<SQLite::Database> open_in_memory();

// For reading what is there, also while a host writes to it, and also where much of it is damaged. An empty file, as a
// copy that has failed leaves it, is an error.
[[nodiscard]] Result<SQLite::Database> open_to_read(const std::filesystem::path& file);

// The version of the file's schema; 0 for an empty file. An error when it is not ours, or above `newest`. May throw.
[[nodiscard]] Result<int> schema_version(SQLite::Database& database, const std::string& file,
                                         std::size_t newest = migrations().size());

// Runs those of `all` that the file has not seen, each in a transaction of its own. May throw.
[[nodiscard]] Result<> migrate(SQLite::Database& database, const std::string& file, const Migrations& all);

// An error of SQLite as a sentence about `file`.
[[nodiscard]] std::string explain(const SQLite::Exception& error, const std::string& file);

// Does `work`, which returns a Result and may throw. No exception of SQLiteCpp leaves the store's house.
template <class Work>
std::invoke_result_t<Work> guarded(const std::string& file, const Work& work) try {
  return work();
} catch (const SQLite::Exception& error) {
  return tl::unexpected(explain(error, file));
}

}  // namespace botel::store
