// Which other programs read a store's file.
#pragma once

#include <filesystem>
#include <string>

namespace botel::store {

// Those that are in the middle of reading, in words: "process 12 (sqlite3)"; "another program" where the system does
// not tell, as of one in another container.
[[nodiscard]] std::string readers_of(const std::filesystem::path& file);

}  // namespace botel::store
