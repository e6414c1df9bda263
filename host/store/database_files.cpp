#include "store/database_files.hpp"

#include <fmt/chrono.h>

#include <ctime>

namespace botel::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFilesBeside[] = {"", "-wal", "-shm"};

// Renames `from`, and the files beside it that are there.
Result<> move(const fs::path& from, const fs::path& to) {
  for (const char* const suffix : kFilesBeside) {
    std::error_code error;
    if (!fs::exists(beside(from, suffix), error)) continue;
    if (fs::exists(beside(to, suffix), error)) return failure("{} is there already", beside(to, suffix).string());
    fs::rename(beside(from, suffix), beside(to, suffix), error);
    if (error) return failure("{} cannot be moved: {}", beside(from, suffix).string(), error.message());
  }
  return {};
}

}  // namespace

fs::path beside(const fs::path& file, const std::string& suffix) { return file.string() + suffix; }

void discard(const fs::path& file) {
  std::error_code ignored;
  for (const char* const suffix : kFilesBeside) fs::remove(beside(file, suffix), ignored);
}

Result<fs::path> replace(const fs::path& file, const fs::path& fresh, const std::string& word) {
  const fs::path aside = beside(file, fmt::format(".{}-{:%Y%m%dT%H%M%S}", word, fmt::gmtime(std::time(nullptr))));
  const bool is_there = fs::exists(file);
  // What lies beside no file would be taken for the new one's.
  if (auto moved = move(file, aside); !moved) return tl::unexpected(moved.error());
  if (auto moved = move(fresh, file); !moved) return tl::unexpected(moved.error());
  return is_there ? aside : fs::path();
}

}  // namespace botel::store
