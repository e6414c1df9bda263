#include "store/database_files.hpp"

#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "base/files.hpp"
#include "store/database.hpp"

namespace botel::store {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFilesBeside[] = {"", "-wal", "-shm"};

// Empty, and its owner's alone: what SQLite makes others could read.
Result<> claim(const fs::path& file) {
  const Descriptor made(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.is_open()) return {};
  if (errno == EEXIST) return failure("{} is there already", file.string());
  return failure("{} cannot be made: {}", file.string(), std::strerror(errno));
}

Result<> vacuum(const SQLite::Database& from, const fs::path& to) try {
  SQLite::Statement statement(from, "VACUUM INTO ?");
  statement.bind(1, to.string());
  statement.exec();
  return {};
} catch (const SQLite::Exception& error) {
  return tl::unexpected(explain(error, error.getErrorCode() == SQLITE_FULL ? to.string() : from.getFilename()));
}

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : "."; }

}  // namespace

fs::path beside(const fs::path& file, const std::string& suffix) { return file.string() + suffix; }

void discard(const fs::path& file) {
  std::error_code ignored;
  for (const char* const suffix : kFilesBeside) fs::remove(beside(file, suffix), ignored);
}

Result<> copy(const SQLite::Database& from, const fs::path& to) {
  if (auto claimed = claim(to); !claimed) return claimed;
  auto done = vacuum(from, to);
  if (done) done = sync(to);
  if (!done) discard(to);
  return done;
}

Result<> sync(const fs::path& file) {
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.is_open() && fsync(opened.get()) == 0) return {};
  return failure("{} cannot be written to the disk: {}", file.string(), std::strerror(errno));
}

Result<> move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return failure("{} cannot be renamed to {}: {}", from.string(), to.string(), error.message());
  return sync(folder_of(to));
}

Result<> link(const fs::path& file, const fs::path& to) {
  for (const char* const suffix : {"", "-wal"}) {
    std::error_code error;
    if (fs::exists(beside(file, suffix))) fs::create_hard_link(beside(file, suffix), beside(to, suffix), error);
    if (error) return failure("{} cannot be linked to {}: {}", file.string(), to.string(), error.message());
  }
  return sync(folder_of(to));
}

Result<fs::path> put_aside(const fs::path& old, const fs::path& file, const std::string& word) {
  const fs::path aside = beside(file, fmt::format(".{}-{:%Y%m%dT%H%M%S}", word, fmt::gmtime(std::time(nullptr))));
  const bool is_there = fs::exists(old);
  for (const char* const suffix : kFilesBeside) {
    if (!fs::exists(beside(old, suffix))) continue;
    if (fs::exists(beside(aside, suffix))) return failure("{} is there already", beside(aside, suffix).string());
    if (auto moved = move(beside(old, suffix), beside(aside, suffix)); !moved) return tl::unexpected(moved.error());
  }
  return is_there ? aside : fs::path();
}

}  // namespace botel::store
