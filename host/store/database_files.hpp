// A database as files: SQLite keeps two beside it (-wal, -shm), which belong to it and to no other.
#pragma once

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace botel::store {

[[nodiscard]] std::filesystem::path beside(const std::filesystem::path& file, const std::string& suffix);

// With the files beside it; what is not there is gone already.
void discard(const std::filesystem::path& file);

// Makes `to`, which must not be there, for its owner alone: all that is in `from` at one moment, without what was
// deleted. It is on the disk then. After an error there is no `to`.
[[nodiscard]] Result<> copy(const SQLite::Database& from, const std::filesystem::path& to);

// What was written to a file, or renamed or removed in a folder, is on the disk then.
[[nodiscard]] Result<> sync(const std::filesystem::path& file);

// Renames a file. It is on the disk before anything that comes after it.
[[nodiscard]] Result<> move(const std::filesystem::path& from, const std::filesystem::path& to);

// Gives a file, and its log, a second name. That is on the disk then.
[[nodiscard]] Result<> link(const std::filesystem::path& file, const std::filesystem::path& to);

// Renames `old`, and the files beside it, to FILE.WORD-YYYYMMDDTHHMMSS (UTC): that path; empty where there is no `old`.
[[nodiscard]] Result<std::filesystem::path> put_aside(const std::filesystem::path& old,
                                                      const std::filesystem::path& file, const std::string& word);

}  // namespace botel::store
