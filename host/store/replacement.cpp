#include "store/replacement.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "store/database.hpp"
#include "store/database_files.hpp"

namespace botel::store {
namespace {

namespace fs = std::filesystem;

fs::path making(const fs::path& file) { return beside(file, ".making"); }
fs::path next(const fs::path& file) { return beside(file, ".next"); }
fs::path old(const fs::path& file) { return beside(file, ".old"); }

// Whoever runs the command: the host has to be able to open it.
Result<> give_to_owner_of(const fs::path& file, const fs::path& fresh) {
  struct stat owner {};
  const bool found = stat(file.c_str(), &owner) == 0 || stat(file.parent_path().c_str(), &owner) == 0;
  if (found && chown(fresh.c_str(), owner.st_uid, owner.st_gid) == 0) return {};
  return failure("{} cannot be given to the owner of {}", fresh.string(), file.string());
}

}  // namespace

Result<> prepare_replacement(SQLite::Database& database, const fs::path& file) {
  discard(making(file));
  if (auto copied = copy(database, making(file)); !copied) return copied;
  // Opened once, it has a log of its own from the beginning, which is gone when it is closed.
  if (auto opened = open_database(making(file)); !opened) {
    discard(making(file));
    return tl::unexpected(opened.error());
  }
  return sync(making(file));
}

Result<> replace(const fs::path& file) {
  if (auto moved = move(making(file), next(file)); !moved) return moved;
  return finish_replacement(file);
}

Result<fs::path> replace(const fs::path& file, const fs::path& fresh, const std::string& word) {
  if (auto finished = finish_replacement(file); !finished) return tl::unexpected(finished.error());
  if (auto given = give_to_owner_of(file, fresh); !given) return tl::unexpected(given.error());
  auto ready = link(file, old(file));
  if (ready) ready = move(fresh, next(file));
  auto aside = ready ? put_aside(old(file), file, word) : tl::unexpected(ready.error());
  if (!aside) {
    if (ready) ready = move(next(file), fresh);
    if (!is_being_replaced(file)) discard(old(file));
    return aside;
  }
  if (auto finished = finish_replacement(file); !finished) return tl::unexpected(finished.error());
  return aside;
}

// The log belongs to the old file: together with the new one it would be damage. So it is gone from the disk before.
Result<> finish_replacement(const fs::path& file) {
  discard(making(file));
  std::error_code error;
  if (!is_being_replaced(file)) {
    discard(old(file));
    return {};
  }
  if (auto aside = put_aside(old(file), file, "replaced"); !aside) return tl::unexpected(aside.error());
  for (const char* const suffix : {"-wal", "-shm"}) {
    fs::remove(beside(file, suffix), error);
    if (error) return failure("{} cannot be removed: {}", beside(file, suffix).string(), error.message());
  }
  if (auto synced = sync(file.parent_path()); !synced) return synced;
  return move(next(file), file);
}

bool is_being_replaced(const fs::path& file) {
  std::error_code error;
  return fs::exists(next(file), error);
}

}  // namespace botel::store
