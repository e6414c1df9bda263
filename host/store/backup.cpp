// How a copy of a store is made while a host may be writing to it, and put back.
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/files.hpp"
#include "store/database.hpp"
#include "store/database_files.hpp"
#include "store/maintenance.hpp"

namespace botel::store {
namespace {

namespace fs = std::filesystem;

// Empty, and its owner's alone: what SQLite makes others could read.
Result<> claim(const fs::path& file) {
  const Descriptor made(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (made.is_open()) return {};
  if (errno == EEXIST) return failure("{} is there already", file.string());
  return failure("{} cannot be made: {}", file.string(), std::strerror(errno));
}

// All of it at one moment, without what was deleted.
Result<> copy(const SQLite::Database& from, const fs::path& file, const fs::path& to) try {
  SQLite::Statement vacuum(from, "VACUUM INTO ?");
  vacuum.bind(1, to.string());
  vacuum.exec();
  return {};
} catch (const SQLite::Exception& error) {
  return tl::unexpected(explain(error, (error.getErrorCode() == SQLITE_FULL ? to : file).string()));
}

Result<> sync(const fs::path& file) {
  const Descriptor opened(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.is_open() && fsync(opened.get()) == 0) return {};
  return failure("{} cannot be written: {}", file.string(), std::strerror(errno));
}

}  // namespace

Result<> back_up(const fs::path& file, const fs::path& to) {
  auto database = open_to_read(file);
  if (!database) return tl::unexpected(database.error());
  if (fs::exists(fs::symlink_status(to))) return failure("{} is there already", to.string());
  const fs::path part = beside(to, ".part");
  if (auto claimed = claim(part); !claimed) return claimed;
  auto done = copy(*database, file, part);
  if (done) done = sync(part);
  std::error_code error;
  if (done) fs::rename(part, to, error);
  if (error) done = failure("{} cannot be made: {}", to.string(), error.message());
  if (!done) fs::remove(part, error);
  return done;
}

Result<fs::path> restore(const fs::path& copy, const fs::path& file) {
  const fs::path fresh = beside(file, ".restoring");
  discard(fresh);  // one that was interrupted
  discard(beside(fresh, ".part"));
  if (auto done = back_up(copy, fresh); !done) return tl::unexpected(done.error());
  return replace(file, fresh, "replaced");
}

}  // namespace botel::store
