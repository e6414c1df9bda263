#include "store/readers.hpp"

#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/files.hpp"
#include "base/log.hpp"

namespace botel::store {
namespace {

// The bytes of FILE-shm that SQLite locks while it reads from its log: of WAL_READ_LOCK(0) to (4).
constexpr long kFirstLock = 123, kLastLock = 127;

// A line of /proc/locks is "1: POSIX  ADVISORY  READ 812 00:2d:1234 123 123". The device is not compared: some file
// systems give another one there.
void add_reader(const std::string& line, ino_t inode, std::set<pid_t>& readers) {
  std::istringstream words(line);
  std::string number, kind, advisory, mode, file;
  pid_t pid = 0;
  long first = 0;
  if (!(words >> number >> kind >> advisory >> mode >> pid >> file >> first)) return;
  const bool is_read = kind == "POSIX" && mode == "READ" && first >= kFirstLock && first <= kLastLock;
  if (is_read && pid > 0 && pid != getpid() && file.ends_with(fmt::format(":{}", inode))) readers.insert(pid);
}

}  // namespace

std::string readers_of(const std::filesystem::path& file) {
  struct stat shared {};
  std::set<pid_t> readers;
  if (stat((file.string() + "-shm").c_str(), &shared) == 0) {
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) add_reader(line, shared.st_ino, readers);
  }
  std::vector<std::string> named;
  for (const pid_t pid : readers) {
    named.push_back(fmt::format("process {} ({})", pid, log::printable(first_line(fmt::format("/proc/{}/comm", pid)))));
  }
  return named.empty() ? "another program" : fmt::format("{}", fmt::join(named, ", "));
}

}  // namespace botel::store
