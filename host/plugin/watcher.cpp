#include "plugin/watcher.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include "base/text.hpp"

namespace botel::plugin {
namespace {

// EXCL_UNLINK: who still writes to a file that was replaced does not keep its successor from coming to rest. IGNORED,
// which says that the folder is deleted or unmounted, comes unasked.
constexpr std::uint32_t kEvents = IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_MOVE | IN_DELETE |
                                  IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

// Not all changes make events: those of a link's target, of a network file system, of the folders above.
constexpr std::chrono::seconds kScan{10};
constexpr std::chrono::seconds kScanInTrouble{1};

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

std::array<std::int64_t, 2> pair(const timespec& time) { return {time.tv_sec, time.tv_nsec}; }

Result<std::set<std::string>> list(DIR* folder, const Watcher::Wanted& wanted) {
  std::set<std::string> names;
  for (errno = 0; const dirent* entry = readdir(folder); errno = 0) {
    if (wanted(entry->d_name)) names.insert(entry->d_name);
  }
  if (errno != 0) return failure("{}", std::strerror(errno));
  return names;
}

}  // namespace

Watcher::Watcher(std::filesystem::path folder, Wanted wanted, std::chrono::milliseconds quiet)
    : path_(std::move(folder)),
      wanted_(std::move(wanted)),
      quiet_(quiet),
      inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      inotify_error_(inotify_ < 0 ? errno : 0) {
  look_at_all(SteadyTime{});
}

Watcher::~Watcher() {
  if (inotify_ >= 0) close(inotify_);
}

void Watcher::read(SteadyTime now) {
  // No more than is there now: who writes without end must not keep us here.
  int left = 0;
  if (inotify_ < 0 || ioctl(inotify_, FIONREAD, &left) != 0) return;
  bool all = false;
  alignas(inotify_event) char buffer[16 << 10];
  while (left > 0) {
    const ssize_t size = ::read(inotify_, buffer, sizeof buffer);
    if (size <= 0) break;
    left -= static_cast<int>(size);
    for (ssize_t at = 0; at < size;) {
      const auto& event = *reinterpret_cast<const inotify_event*>(buffer + at);
      at += static_cast<ssize_t>(sizeof event + event.len);
      // Events of a folder that was here before are left out.
      if (event.wd == watch_ || event.wd < 0) all |= happened(event.len > 0 ? event.name : "", now);
    }
  }
  if (all) scan(now, now + quiet_, true);
}

// Whether all has to be looked at, because it is not about one name.
bool Watcher::happened(std::string_view name, SteadyTime now) {
  if (name.empty()) return true;  // the folder itself, or events were lost
  if (!wanted_(name)) return false;
  pending_[std::string(name)] = {now + quiet_, {}};
  return false;
}

SteadyTime Watcher::next() const {
  SteadyTime first = next_scan_;
  for (const auto& [name, change] : pending_) first = std::min(first, change.due);
  return first;
}

void Watcher::look_at_all(SteadyTime now) { scan(now, now, true); }

// Makes due at `due` what is not as it was told; with `restart` also what was due at another time.
void Watcher::scan(SteadyTime now, SteadyTime due, bool restart) {
  trouble_.clear();
  watch();  // first, so that nothing is missed in between
  if (const auto compared = compare(due, restart); !compared) {
    trouble_ = compared.error();
    pending_.clear();  // it is found again when the folder is back
  }
  next_scan_ = now + (trouble_.empty() ? kScan : kScanInTrouble);
}

// The kernel knows whether the path still leads to the folder that is watched: then the watch is the same one.
void Watcher::watch() {
  const int watch = inotify_add_watch(inotify_, path_.c_str(), kEvents);
  if (watch < 0) {
    trouble_ = fmt::format("{} is read each second, because inotify cannot watch it: {}", path_.string(),
                           std::strerror(inotify_ < 0 ? inotify_error_ : errno));
  }
  if (watch_ >= 0 && watch_ != watch) inotify_rm_watch(inotify_, watch_);
  watch_ = watch;
}

Result<> Watcher::compare(SteadyTime due, bool restart) {
  const OpenFolder folder(opendir(path_.c_str()));
  if (!folder) return failure("{} cannot be read: {}", path_.string(), std::strerror(errno));
  auto names = list(folder.get(), wanted_);
  if (!names) return failure("{} cannot be read: {}", path_.string(), names.error());
  if (auto entered = enter(dirfd(folder.get()), names->empty()); !entered) return entered;
  for (const auto& [name, was] : told_) names->insert(name);
  for (const auto& name : *names) {
    const auto is = look(dirfd(folder.get()), name);
    if (!is) {
      trouble_ = is.error();
    } else if (*is != told(name) && (restart || !pending_.contains(name))) {
      pending_[name] = {due, *is};
    }
  }
  return {};
}

// Takes the folder that is open for the one whose files are told.
Result<> Watcher::enter(int folder, bool empty) {
  const Signature is = signature(folder);
  // An unmounted file system leaves the folder it was mounted on.
  if (empty && !told_.empty() && is.device != folder_.device) {
    return failure("{} is empty, and on another file system than before: is one not mounted?", path_.string());
  }
  if (is != folder_) folder_changed_ = true;
  folder_ = is;
  return {};
}

std::vector<std::string> Watcher::take(SteadyTime now) {
  if (now >= next_scan_) scan(now, now + quiet_, false);
  if (std::ranges::none_of(pending_, [&](const auto& entry) { return entry.second.due <= now; })) return {};
  const OpenFolder folder(opendir(path_.c_str()));
  if (!folder || signature(dirfd(folder.get())) != folder_) {
    scan(now, now + quiet_, true);
    return {};
  }
  return settle(dirfd(folder.get()), now);
}

// What is due: told, or waited for again because it still changes, or nothing new.
std::vector<std::string> Watcher::settle(int folder, SteadyTime now) {
  std::vector<std::string> names;
  for (auto at = pending_.begin(); at != pending_.end();) {
    auto& [name, change] = *at;
    if (change.due > now) {
      ++at;
      continue;
    }
    const auto is = look(folder, name);
    if (is && change.seen && *is != *change.seen) {
      change = {now + quiet_, *is};
      ++at;
      continue;
    }
    if (!is) {
      trouble_ = is.error();
      next_scan_ = std::min(next_scan_, now + kScanInTrouble);
    } else if (*is != told(name)) {
      tell(name, *is);
      names.push_back(name);
    }
    at = pending_.erase(at);
  }
  return names;
}

void Watcher::tell(const std::string& name, const Signature& is) {
  if (is == Signature{}) {
    told_.erase(name);
  } else {
    told_[name] = is;
  }
}

Watcher::Signature Watcher::told(const std::string& name) const {
  const auto file = told_.find(name);
  return file == told_.end() ? Signature{} : file->second;
}

// Of the folder itself.
Watcher::Signature Watcher::signature(int folder) {
  struct stat is {};
  if (fstat(folder, &is) != 0) return {};
  return {.device = is.st_dev, .inode = is.st_ino, .mode = is.st_mode, .user = is.st_uid, .group = is.st_gid};
}

// An error: it cannot be known what there is. That includes a link that leads nowhere, perhaps for want of a mount.
Result<Watcher::Signature> Watcher::look(int folder, const std::string& name) {
  struct stat is {};
  if (fstatat(folder, name.c_str(), &is, 0) == 0) {
    if (!S_ISREG(is.st_mode)) return Signature{};
    return Signature{is.st_dev, is.st_ino,  is.st_mode,       is.st_uid,
                     is.st_gid, is.st_size, pair(is.st_mtim), pair(is.st_ctim)};
  }
  const int error = errno;
  if (error == ENOENT && fstatat(folder, name.c_str(), &is, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
    return Signature{};
  }
  return failure("{} cannot be looked at: {}", clean(name),
                 error == ENOENT ? "the link leads nowhere" : std::strerror(error));
}

}  // namespace botel::plugin
