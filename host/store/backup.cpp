// How a copy of a store is made while a host may be writing to it, and put back.
#include "store/database.hpp"
#include "store/database_files.hpp"
#include "store/maintenance.hpp"
#include "store/replacement.hpp"

namespace botel::store {

namespace fs = std::filesystem;

Result<> back_up(const fs::path& file, const fs::path& to) {
  auto database = open_to_read(file);
  if (!database) return tl::unexpected(database.error());
  if (fs::exists(fs::symlink_status(to))) return failure("{} is there already", to.string());
  const fs::path part = beside(to, ".part");
  if (auto done = copy(*database, part); !done) return done;
  auto done = move(part, to);
  if (!done) discard(part);
  return done;
}

Result<fs::path> restore(const fs::path& from, const fs::path& file) {
  const fs::path fresh = beside(file, ".restoring");
  discard(fresh);  // one that was interrupted
  auto database = open_to_read(from);
  if (!database) return tl::unexpected(database.error());
  if (auto done = copy(*database, fresh); !done) return tl::unexpected(done.error());
  auto aside = replace(file, fresh, "replaced");
  if (!aside) discard(fresh);
  return aside;
}

}  // namespace botel::store
