#include "store/replacement.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "base/files.hpp"
#include "store/database.hpp"

namespace botel::store {
namespace {

namespace fs = std::filesystem;

fs::path making(const fs::path& file) { return file.string() + ".making"; }
fs::path next(const fs::path& file) { return file.string() + ".next"; }

std::string quoted(std::string text) {
  for (std::size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 2) text.insert(at, "'");
  return "'" + text + "'";
}

Result<> sync(const fs::path& file) {
  const Descriptor open(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (open.is_open() && fsync(open.get()) == 0) return {};
  return failure("{} cannot be written to the disk: {}", file.string(), std::strerror(errno));
}

// On the disk before anything that comes after it.
Result<> move(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return failure("{} cannot be renamed: {}", from.string(), error.message());
  return sync(to.parent_path());
}

// A copy that takes no room where it does not become whole.
struct Unfinished {
  explicit Unfinished(fs::path file) : file(std::move(file)) { remove_files({this->file}); }
  ~Unfinished() {
    if (!whole) remove_files({file});
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

  const fs::path file;
  bool whole = false;
};

}  // namespace

Result<> prepare_replacement(SQLite::Database& database, const fs::path& file) {
  Unfinished copy(making(file));
  // Empty, for its owner alone.
  if (auto made = write_whole(copy.file, ""); !made) return made;
  database.exec("VACUUM INTO " + quoted(copy.file.string()));
  // Opened once, it has a log of its own from the beginning, which is gone when it is closed.
  if (auto opened = open_database(copy.file); !opened) return tl::unexpected(opened.error());
  if (auto synced = sync(copy.file); !synced) return synced;
  copy.whole = true;
  return {};
}

Result<> replace(const fs::path& file) {
  if (auto moved = move(making(file), next(file)); !moved) return moved;
  return finish_replacement(file);
}

// The log belongs to the old file: together with the new one it would be damage. So it is gone from the disk before.
Result<> finish_replacement(const fs::path& file) {
  std::error_code error;
  remove_files({making(file)});
  if (!fs::exists(next(file), error)) return {};
  for (const char* const suffix : {"-wal", "-shm"}) {
    fs::remove(file.string() + suffix, error);
    if (error) return failure("{}{} cannot be removed: {}", file.string(), suffix, error.message());
  }
  if (auto synced = sync(file.parent_path()); !synced) return synced;
  return move(next(file), file);
}

}  // namespace botel::store
