// The store as an SQLite file. Its tables are described in database.cpp.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "store/store.hpp"
#include "store/upkeep.hpp"

namespace botel::store {

// In the data directory.
inline constexpr auto kFile = "botel.db";

// Ids, numbers and sequences are ordered as long as they are below 2^63. A visitor must not call its store.
class Sqlite final : public Store {
 public:
  // Made, for its owner alone, where it is missing.
  [[nodiscard]] static Result<std::unique_ptr<Sqlite>> open(const std::filesystem::path& file, LogLimits limits = {});
  // Forgotten at the end; for tests.
  [[nodiscard]] static Result<std::unique_ptr<Sqlite>> in_memory();
  ~Sqlite() override;
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  [[nodiscard]] Result<> commit(const Batch& batch) override;
  [[nodiscard]] Result<> load(const Visitor& visitor) override;
  [[nodiscard]] Result<Inbox> inbox(ActorId actor, std::uint64_t after, std::size_t most) override;
  [[nodiscard]] Result<std::vector<std::string>> items(const ItemQuery& query) override;
  [[nodiscard]] Result<bool> tidy() override;

 private:
  struct Connection;
  struct Reader;
  Sqlite(std::string file, bool in_memory, LogLimits limits);
  Result<> connect();
  Result<> open_connections();
  Result<> replace_file();

  const std::string file_;
  const bool in_memory_;
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;  // null: the file could not be opened again after it was replaced
  Upkeep upkeep_;
  std::mutex reader_mutex_;         // after mutex_, where both are wanted
  std::unique_ptr<Reader> reader_;  // null: in memory, where the other one reads, too
};

}  // namespace botel::store
