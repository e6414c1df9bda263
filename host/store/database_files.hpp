// A database as files: SQLite keeps two beside it (-wal, -shm), which belong to it and to no other.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace botel::store {

[[nodiscard]] std::filesystem::path beside(const std::filesystem::path& file, const std::string& suffix);

// With the files beside it; what is not there is gone already.
void discard(const std::filesystem::path& file);

// `fresh` takes the place of `file`, which is kept as FILE.WORD-YYYYMMDDTHHMMSS (UTC): that path; empty where there was
// no file. Nobody may have any of them open.
[[nodiscard]] Result<std::filesystem::path> replace(const std::filesystem::path& file,
                                                    const std::filesystem::path& fresh, const std::string& word);

}  // namespace botel::store
