// What an operator does with a store's file: `botel store`.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace botel::store {

struct Checked {
  struct Table {
    std::string name;
    std::uint64_t records = 0;
  };
  int schema = 0;
  std::vector<Table> tables;
  std::vector<std::string> damages;  // what SQLite finds; empty: none
};

// Reads all of `file`, also while a host writes to it. An error when it cannot be read at all.
[[nodiscard]] Result<Checked> check(const std::filesystem::path& file);

// Writes all records as JSON, one a line: {"table":"timers","actor":1,"tag":2,"due_ms":3}. Numbers are as they are
// stored: 64 bits with a sign. What is not UTF-8 is {"base64":"..."}, and secrets are "hidden". Also while a host
// writes to the file.
[[nodiscard]] Result<> export_to(const std::filesystem::path& file, std::FILE* out);

// Makes `to`, which must not be there, a copy of `file` (0600): all of it at one moment, also while a host writes to
// it. Until it is whole it has `.part` at the end of its name.
[[nodiscard]] Result<> back_up(const std::filesystem::path& file, const std::filesystem::path& to);

// Puts `copy`, or any other sound store, in the place of `file`, which is kept as FILE.replaced-YYYYMMDDTHHMMSS (UTC):
// that path; empty where there was no file. `copy` stays. No host may have the file open.
[[nodiscard]] Result<std::filesystem::path> restore(const std::filesystem::path& copy,
                                                    const std::filesystem::path& file);

struct Repaired {
  struct Table {
    std::string name;
    std::uint64_t saved = 0;
    std::uint64_t left_out = 0;  // parts of actors that are lost
    bool damaged = false;        // not all could be read
  };
  std::vector<Table> tables;
  std::filesystem::path aside;  // where the old file is now
};

// Makes a new file of what can be read of the old one, which is kept as FILE.broken-YYYYMMDDTHHMMSS (UTC). No host may
// have it open.
[[nodiscard]] Result<Repaired> repair(const std::filesystem::path& file);

}  // namespace botel::store
