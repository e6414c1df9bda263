#include "chaos/small_disk.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

namespace chaos {
namespace {

std::string reason() { return "a tmpfs cannot be mounted: " + std::string(std::strerror(errno)); }

// The mounts of this process from here on are its own. Why they are not; empty when they are.
const std::string& leave_the_others_mounts() {
  static const std::string refusal =
      unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 ? "" : reason();
  return refusal;
}

}  // namespace

SmallDisk::SmallDisk(std::filesystem::path folder, int megabytes)
    : folder_(std::move(folder)), refusal_(leave_the_others_mounts()) {
  std::filesystem::create_directories(folder_);
  const std::string options = "mode=0700,size=" + std::to_string(megabytes) + "m";
  if (refusal_.empty() && mount("tmpfs", folder_.c_str(), "tmpfs", 0, options.c_str()) != 0) refusal_ = reason();
}

SmallDisk::~SmallDisk() {
  if (refusal_.empty()) umount2(folder_.c_str(), MNT_DETACH);
}

void SmallDisk::fill() {
  const int ballast = open((folder_ / "ballast").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
  if (ballast < 0) throw std::runtime_error("no ballast: " + std::string(std::strerror(errno)));
  // Others may take what it leaves, but no more than a page at a time.
  for (std::size_t size = 1 << 20; size >= 1;) {
    const std::vector<char> zeros(size);
    if (write(ballast, zeros.data(), size) != static_cast<ssize_t>(size)) size /= 2;
  }
  close(ballast);
}

void SmallDisk::make_room() { std::filesystem::remove(folder_ / "ballast"); }

}  // namespace chaos
