#include "runtime/workers.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace botel::runtime {
namespace {

constexpr std::chrono::milliseconds kTick{1};
constexpr int kTicksUntilSleep = 100;

}  // namespace

Workers::Workers(Round round, std::function<void()> wake, unsigned limit)
    : round_(std::move(round)), wake_(std::move(wake)), limit_(std::max(limit, 2u)) {}

void Workers::run() {
  {
    const std::lock_guard lock(mutex_);
    add_thread();
  }
  drive();
  attend();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
  awake_.notify_all();
}

void Workers::set_extra(unsigned extra) {
  if (extra == extra_) return;
  const std::lock_guard lock(mutex_);
  extra_ = extra;
  if (!watched_ && waiting_ == 0) add_thread();
}

// As long as there may be more. Where the system has none to give, no handler runs until one of ours is back.
void Workers::add_thread() try {
  if (threads_.size() + 1 < limit_ + extra_) threads_.emplace_back([this] { attend(); });
} catch (const std::system_error&) {
}

void Workers::drive() {
  while (!stopped_ && round_()) {
  }
}

void Workers::attend() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      ++waiting_;
      changed_.wait(lock, [this] { return stopped_ || !watched_; });
      --waiting_;
      if (stopped_) return;
      watched_ = true;
    }
    wake_();  // handlers may run again
    if (!watch()) return;
    {
      const std::lock_guard lock(mutex_);
      watched_ = false;
      waiting_ > 0 ? changed_.notify_one() : add_thread();
    }
    drive();
  }
}

// Returns true when this thread has taken over, false at the end. An idle host is not woken a thousand times a second:
// after a while without handlers the watcher sleeps until the next one begins.
bool Workers::watch() {
  std::uint64_t seen = phase_.load();
  int idle = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    awake_.wait_for(lock, kTick, [this] { return stopped_.load(); });
    if (stopped_) return false;
    const std::uint64_t before = std::exchange(seen, phase_.load());
    if (seen != before) {
      idle = 0;
    } else if (seen % 2 == 1) {
      if (phase_.compare_exchange_strong(seen, seen + 1, std::memory_order_acq_rel)) return true;
    } else if (++idle > kTicksUntilSleep) {
      asleep_ = true;
      if (phase_.load() == seen) awake_.wait(lock, [this] { return stopped_ || !asleep_; });
      asleep_ = false;
      idle = 0;
    }
  }
}

void Workers::wake_watcher() {
  const std::lock_guard lock(mutex_);
  asleep_ = false;
  awake_.notify_all();
}

}  // namespace botel::runtime
