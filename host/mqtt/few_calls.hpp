// Fewer system calls for libmosquitto, which reads each packet in three or four read() calls, and writes a byte to a
// socket pair of its own for each packet that it queues: a pair that only its own loop reads.
//
// The program's own read() and socketpair() stand in front of the C library's. They behave the same, but for a thread
// that is inside one of the scopes below.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>

namespace botel::mqtt {

// The bytes of one non-blocking socket, read in large pieces.
class ReadAhead {
 public:
  ReadAhead();

  // While it lives, what this thread reads from `fd` comes from the buffer. Once the socket was seen empty, it stays so
  // until the next scope.
  class Scope {
   public:
    Scope(ReadAhead& ahead, int fd);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
  };

  // Nothing is left here.
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  // Nothing is left, neither here nor, when it was last looked at, in the socket: poll() tells of new bytes.
  [[nodiscard]] bool dry() const { return empty() && drained_; }

  // Nothing more is to be had until the next scope.
  void pause() { paused_ = true; }

  // From now on there is nothing but the end of the connection.
  void end() { ended_ = true; }

  // Forgets what was read: the socket is gone.
  void clear();

  // read(2), from the buffer.
  ssize_t read(int fd, void* out, std::size_t wanted);

 private:
  ssize_t refill(int fd);

  const std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool drained_ = true;
  bool paused_ = false;
  bool ended_ = false;
};

// While it lives, this thread gets no socket pairs. libmosquitto goes on without one.
class NoSocketPairs {
 public:
  NoSocketPairs();
  ~NoSocketPairs();
  NoSocketPairs(const NoSocketPairs&) = delete;
  NoSocketPairs& operator=(const NoSocketPairs&) = delete;
};

}  // namespace botel::mqtt
