// The real program on a machine whose clock is wrong: the system's time, and no other, is as many seconds ahead as the
// file BOTEL_CLOCK says (harness/wrong_clock.hpp), which may change at any time. Linked to the host's main.cpp, this
// clock_gettime() stands in front of the C library's.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

using Seconds = std::atomic<std::int64_t>;
static_assert(Seconds::is_always_lock_free);

const Seconds* open_shift() {
  static const Seconds none = 0;
  const char* const name = std::getenv("BOTEL_CLOCK");
  const int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return &none;
  void* const mapped = mmap(nullptr, sizeof(Seconds), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  return mapped == MAP_FAILED ? &none : static_cast<const Seconds*>(mapped);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static const Seconds* const shift = open_shift();
  const auto result = static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += shift->load(std::memory_order_relaxed);
  return result;
}
