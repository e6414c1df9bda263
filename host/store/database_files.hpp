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

// Gives `file`, and the files beside it, the name FILE.WORD-YYYYMMDDTHHMMSS (UTC): that path; empty where there was no
// file. Nobody may have it open.
[[nodiscard]] Result<std::filesystem::path> put_aside(const std::filesystem::path& file, const std::string& word);

}  // namespace botel::store
