#include "app/data_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fmt/ranges.h>

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

namespace botel::app {
namespace {

namespace fs = std::filesystem;

constexpr auto kBroker = "broker";
constexpr auto kClientId = "client-id";
constexpr auto kFilters = "filters";
constexpr auto kLock = "lock";
constexpr auto kSetting = "data_writable_by_others";

// A lock on a whole file that belongs to who has opened it, and that can be looked for without being taken.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool others_may_write(const struct stat& found) { return (found.st_mode & (S_IWGRP | S_IWOTH)) != 0; }

// Whoever may write to it could replace the plugins that are kept there.
void make_private(const fs::path& path, struct stat& found) {
  if (!others_may_write(found) || found.st_uid != geteuid()) return;
  chmod(path.c_str(), found.st_mode & 07777 & ~static_cast<mode_t>(S_IWGRP | S_IWOTH));
  if (stat(path.c_str(), &found) != 0 || others_may_write(found)) return;
  log::warning("data directory {}: others could write to it, which they cannot any more", path.string());
}

Result<> check_owner(const fs::path& path, bool others_are_trusted) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return failure("data directory {}: {}", path.string(), std::strerror(errno));
  if (others_are_trusted) {
    log::warning("data directory {}: whoever may write to it may run code as this host", path.string());
    return {};
  }
  make_private(path, found);
  if (others_may_write(found)) {
    return failure(
        "data directory {}: others may write to it, and that cannot be changed: `{} = true` in [host] trusts them",
        path.string(), kSetting);
  }
  // Else its owner could not read any more what this process writes.
  if (found.st_uid == geteuid()) return {};
  return failure("data directory {} belongs to the user {}, and this is the user {}", path.string(), found.st_uid,
                 geteuid());
}

}  // namespace

Result<std::unique_ptr<DataFolder>> DataFolder::open(const fs::path& path, bool others_are_trusted) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) return failure("data directory {}: {}; --data names another one", path.string(), error.message());
  if (made) fs::permissions(path, fs::perms::owner_all, error);
  if (auto ours = check_owner(path, others_are_trusted); !ours) return tl::unexpected(ours.error());

  const fs::path file = path / kLock;
  const int lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return failure("data directory {}: {}", path.string(), std::strerror(errno));
  struct flock wanted = whole_file();
  if (fcntl(lock, F_OFD_SETLK, &wanted) != 0) {
    close(lock);
    return failure("data directory {} is used by another host, process {}", path.string(), first_line(file));
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) < 0) {
    close(lock);
    return failure("data directory {}: {}", path.string(), std::strerror(errno));
  }
  return std::unique_ptr<DataFolder>(new DataFolder(path, lock));
}

DataFolder::~DataFolder() {
  std::error_code ignored;
  fs::remove(path_ / kBroker, ignored);
  close(lock_);
}

Result<std::string> DataFolder::client_id() const {
  const fs::path file = path_ / kClientId;
  if (auto known = known_client_id(); !known.empty()) return known;
  // Another name would be another session: what waits at the broker would be lost.
  if (fs::exists(file)) return failure("{} is empty or cannot be read", file.string());
  const std::string made_up = fmt::format("botel-{:016x}", random_number());
  if (auto written = keep_client_id(made_up); !written) return tl::unexpected(written.error());
  return made_up;
}

std::string DataFolder::known_client_id() const { return first_line(path_ / kClientId); }

Result<> DataFolder::keep_client_id(const std::string& name) const {
  return write_whole(path_ / kClientId, name + "\n");
}

std::vector<std::string> DataFolder::filters() const {
  std::vector<std::string> filters;
  std::ifstream file(path_ / kFilters);
  for (std::string line; std::getline(file, line);) filters.push_back(line);
  return filters;
}

Result<> DataFolder::keep_filters(const std::vector<std::string>& filters) const {
  return write_whole(path_ / kFilters, fmt::format("{}\n", fmt::join(filters, "\n")));
}

Result<> DataFolder::announce(const std::string& broker) const { return write_whole(path_ / kBroker, broker + "\n"); }

std::optional<std::string> DataFolder::announced(const fs::path& path) {
  // A host that was killed leaves its announcement behind, but not its lock.
  const int lock = ::open((path / kLock).c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0) return {};
  struct flock found = whole_file();
  const bool held = fcntl(lock, F_OFD_GETLK, &found) == 0 && found.l_type != F_UNLCK;
  close(lock);
  if (!held) return {};
  auto url = first_line(path / kBroker);
  if (url.empty()) return {};
  return url;
}

}  // namespace botel::app
