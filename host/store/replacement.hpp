// How a store goes on in a new file. A program that reads without an end keeps SQLite from using its log anew, which
// would grow until the disk is full. So a copy takes the place of the file: who has the old one open goes on with that,
// and its room is free once nobody has.
//
// FILE.making is a copy that may not be whole. FILE.next is whole, and has all that was committed: nothing is written
// to FILE any more. Whoever finds it at a start finishes what was begun.
#pragma once

#include <SQLiteCpp/Database.h>

#include <filesystem>

#include "base/result.hpp"

namespace botel::store {

// Makes the copy, which takes as long as writing all that is in the file. May throw.
[[nodiscard]] Result<> prepare_replacement(SQLite::Database& database, const std::filesystem::path& file);

// The copy takes the place of the file. Nobody in this process may have it open, nor write to it.
[[nodiscard]] Result<> replace(const std::filesystem::path& file);

// What a host that was killed has begun.
[[nodiscard]] Result<> finish_replacement(const std::filesystem::path& file);

}  // namespace botel::store
