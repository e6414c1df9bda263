#include "mqtt/few_calls.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace botel::mqtt {
namespace {

constexpr std::size_t kBytes = 256 * 1024;

thread_local ReadAhead* ahead = nullptr;
thread_local int ahead_fd = -1;
thread_local bool pairs_refused = false;

ssize_t plain_read(int fd, void* out, std::size_t wanted) { return syscall(SYS_read, fd, out, wanted); }

}  // namespace

ReadAhead::ReadAhead() : buffer_(std::make_unique<char[]>(kBytes)) {}

ReadAhead::Scope::Scope(ReadAhead& which, int fd) {
  ahead = &which;
  ahead_fd = fd;
  which.drained_ = which.paused_ = false;
}

ReadAhead::Scope::~Scope() { ahead = nullptr; }

void ReadAhead::clear() {
  begin_ = end_ = 0;
  drained_ = true;
  ended_ = false;
}

ssize_t ReadAhead::read(int fd, void* out, std::size_t wanted) {
  if (ended_) return 0;
  if (paused_) {
    errno = EAGAIN;
    return -1;
  }
  if (begin_ == end_) {
    const ssize_t count = refill(fd);
    if (count <= 0) return count;
  }
  const std::size_t count = std::min(wanted, end_ - begin_);
  std::memcpy(out, buffer_.get() + begin_, count);
  begin_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t ReadAhead::refill(int fd) {
  if (drained_) {
    errno = EAGAIN;
    return -1;
  }
  const ssize_t count = plain_read(fd, buffer_.get(), kBytes);
  // A piece that is not full has emptied the socket.
  drained_ = count < static_cast<ssize_t>(kBytes);
  if (count <= 0) return count;
  begin_ = 0;
  end_ = static_cast<std::size_t>(count);
  return count;
}

NoSocketPairs::NoSocketPairs() { pairs_refused = true; }
NoSocketPairs::~NoSocketPairs() { pairs_refused = false; }

}  // namespace botel::mqtt

extern "C" ssize_t read(int fd, void* out, std::size_t wanted) {
  using namespace botel::mqtt;
  if (ahead && fd == ahead_fd) return ahead->read(fd, out, wanted);
  return plain_read(fd, out, wanted);
}

extern "C" int socketpair(int domain, int type, int protocol, int fds[2]) noexcept {
  if (!botel::mqtt::pairs_refused) return static_cast<int>(syscall(SYS_socketpair, domain, type, protocol, fds));
  errno = EMFILE;
  return -1;
}
