// How another file takes the place of a store's, so that whoever is killed meanwhile loses neither. One reason is a
// program that reads without an end: it keeps SQLite from using its log anew, which would grow until the disk is full.
// Who has the old file open goes on with that, and its room is free once nobody has.
//
// FILE.making is a copy that may not be whole. FILE.next is whole, and what counts: nothing is written to FILE any
// more. FILE.old is a second name of FILE, which is to be put aside once there is FILE.next. Whoever finds them at a
// start finishes what was begun.
#pragma once

#include <SQLiteCpp/Database.h>

#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace botel::store {

// Makes a copy, which takes as long as writing all that is in the file.
[[nodiscard]] Result<> prepare_replacement(SQLite::Database& database, const std::filesystem::path& file);

// The copy takes the place of the file. Nobody in this process may have it open, nor write to it.
[[nodiscard]] Result<> replace(const std::filesystem::path& file);

// `fresh`, which is on the disk, takes the place of `file`, and gets its owner, or that of its folder. `file` is put
// aside: see put_aside(). After an error `fresh` may be there still. No host may run.
[[nodiscard]] Result<std::filesystem::path> replace(const std::filesystem::path& file,
                                                    const std::filesystem::path& fresh, const std::string& word);

// What somebody who was killed has begun.
[[nodiscard]] Result<> finish_replacement(const std::filesystem::path& file);

// A replacement is under way, or was when somebody was killed.
[[nodiscard]] bool is_being_replaced(const std::filesystem::path& file);

}  // namespace botel::store
