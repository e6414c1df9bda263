// The real program on disks that lose power: whatever SQLite has synced, and nothing else, is copied to another folder
// (docs: power_cut_test.cpp). Linked to the host's main.cpp, this puts a VFS above the system's own before the program
// begins.
//
//     BOTEL_DURABLE_FOLDER   where the copies go; each is replaced as a whole
//     BOTEL_SYNC_MS          how long a sync takes beforehand, as one of a slow disk does
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <thread>

namespace {

namespace fs = std::filesystem;

const char* setting(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

const fs::path kFolder = setting("BOTEL_DURABLE_FOLDER");
const std::chrono::milliseconds kSyncTime(std::atoi(setting("BOTEL_SYNC_MS")));

// Whoever reads the copies holds it, so that they belong together. It goes with its process.
class Lock {
 public:
  Lock() : file_(open((kFolder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) { flock(file_, LOCK_EX); }
  ~Lock() { close(file_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  const int file_;
};

void copy_whole(const fs::path& file) {
  const fs::path copy = kFolder / file.filename(), fresh = copy.string() + ".new";
  fs::copy_file(file, fresh, fs::copy_options::overwrite_existing);
  const Lock lock;
  fs::rename(fresh, copy);
}

sqlite3_vfs* system_vfs = nullptr;

// A file of the system's VFS lies behind it.
struct File {
  sqlite3_file base;
  bool is_copied;
  fs::path path;
};

File& own(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1); }

template <auto Method, class... Arguments>
int forward(sqlite3_file* file, Arguments... arguments) {
  return (real(file)->pMethods->*Method)(real(file), arguments...);
}

int close_file(sqlite3_file* file) {
  const int result = forward<&sqlite3_io_methods::xClose>(file);
  own(file).path.~path();
  return result;
}

int sync_file(sqlite3_file* file, int flags) {
  std::this_thread::sleep_for(kSyncTime);
  const int result = forward<&sqlite3_io_methods::xSync>(file, flags);
  if (result != SQLITE_OK || !own(file).is_copied) return result;
  try {
    copy_whole(own(file).path);
  } catch (const std::exception& error) {
    // It is the test that is wrong then.
    std::fprintf(stderr, "no durable copy: %s\n", error.what());
    std::abort();
  }
  return result;
}

template <auto Method>
constexpr auto forwarded = nullptr;
template <class... Arguments, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Arguments...)>
constexpr auto forwarded<Method> =
    [](sqlite3_file* file, Arguments... arguments) -> int { return forward<Method>(file, arguments...); };

#define FORWARDED(name) forwarded<&sqlite3_io_methods::name>

const sqlite3_io_methods kMethods = {
    .iVersion = 3,
    .xClose = close_file,
    .xRead = FORWARDED(xRead),
    .xWrite = FORWARDED(xWrite),
    .xTruncate = FORWARDED(xTruncate),
    .xSync = sync_file,
    .xFileSize = FORWARDED(xFileSize),
    .xLock = FORWARDED(xLock),
    .xUnlock = FORWARDED(xUnlock),
    .xCheckReservedLock = FORWARDED(xCheckReservedLock),
    .xFileControl = FORWARDED(xFileControl),
    .xSectorSize = FORWARDED(xSectorSize),
    .xDeviceCharacteristics = FORWARDED(xDeviceCharacteristics),
    .xShmMap = FORWARDED(xShmMap),
    .xShmLock = FORWARDED(xShmLock),
    .xShmBarrier = [](sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); },
    .xShmUnmap = FORWARDED(xShmUnmap),
    .xFetch = FORWARDED(xFetch),
    .xUnfetch = FORWARDED(xUnfetch),
};

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  const int result = system_vfs->xOpen(system_vfs, name, real(file), flags, flags_out);
  if (!real(file)->pMethods) return result;
  new (&own(file).path) fs::path(name ? name : "");
  own(file).is_copied = name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  file->pMethods = &kMethods;
  return result;
}

int delete_file(sqlite3_vfs*, const char* name, int sync_folder) {
  const int result = system_vfs->xDelete(system_vfs, name, sync_folder);
  if (result != SQLITE_OK) return result;
  const Lock lock;
  std::error_code ignored;
  fs::remove(kFolder / fs::path(name).filename(), ignored);
  return result;
}

sqlite3_vfs shim;

[[maybe_unused]] const bool registered = [] {
  if (kFolder.empty()) return false;
  system_vfs = sqlite3_vfs_find(nullptr);
  shim = *system_vfs;
  shim.zName = "copies-what-is-synced";
  shim.szOsFile = static_cast<int>(sizeof(File)) + system_vfs->szOsFile;
  shim.xOpen = open_file;
  shim.xDelete = delete_file;
  return sqlite3_vfs_register(&shim, 1) == SQLITE_OK;
}();

}  // namespace
