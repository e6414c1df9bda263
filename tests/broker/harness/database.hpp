// An SQLite file as somebody beside the host sees it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

struct sqlite3;

namespace harness {

// Throws where SQLite says no.
class Database {
 public:
  explicit Database(const std::filesystem::path& file);

  // The first value of the first row; 0 where there is none.
  [[nodiscard]] long long number(const std::string& sql);
  void run(const std::string& sql);

 private:
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
};

}  // namespace harness
