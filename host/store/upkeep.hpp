// What a store's file needs from time to time: that it becomes smaller, and that its log does not grow without end.
#pragma once

#include <SQLiteCpp/Database.h>

#include <cstdint>
#include <filesystem>

namespace botel::store {

// Of SQLite's log, FILE-wal, in bytes.
struct LogLimits {
  std::uint64_t warning = std::uint64_t{64} << 20;  // the log says who keeps it from being used anew
  std::uint64_t most = std::uint64_t{256} << 20;    // the store goes on in another file
};

class Upkeep {
 public:
  Upkeep(std::filesystem::path file, LogLimits limits) : file_(std::move(file)), limits_(limits) {}

  enum class Next { nothing, more, replacement };
  // Takes no longer than a commit. What is to be done next: more of this, soon, or the file has to be replaced, as its
  // log is too long. May throw.
  [[nodiscard]] Next step(SQLite::Database& database);

  // What has become of the replacement.
  void replaced();
  void not_replaced(const std::string& why);

 private:
  // The length of the log, where somebody keeps it from being used anew; else 0.
  std::uint64_t held_bytes(SQLite::Database& database) const;
  void warn(std::uint64_t bytes);

  const std::filesystem::path file_;
  const LogLimits limits_;
  std::uint64_t warned_ = 0;    // the length that the last warning told of
  std::uint64_t tried_at_ = 0;  // that at which a replacement has failed
};

}  // namespace botel::store
