#include "runtime/workers.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/log.hpp"

namespace botel::runtime {
namespace {

constexpr std::chrono::milliseconds kTick{1};
constexpr int kTicksUntilSleep = 100;
constexpr std::chrono::seconds kTryAgain{1};

}  // namespace

Workers::Workers(Round round, std::function<void()> wake, unsigned limit, Start start)
    : round_(std::move(round)), wake_(std::move(wake)), limit_(std::max(limit, 2u)), start_(std::move(start)) {}

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
  if (lacks_thread()) add_thread();
}

void Workers::try_again(SteadyTime now) {
  if (!refused_ || now < try_again_at_) return;
  try_again_at_ = now + kTryAgain;
  const std::lock_guard lock(mutex_);
  if (lacks_thread()) add_thread();
}

// As long as there may be more. By the driver, or the thread that is about to be it.
void Workers::add_thread() try {
  if (threads_.size() + 1 >= limit_ + extra_) return;
  threads_.push_back(start_([this] { attend(); }));
  if (std::exchange(refused_, false)) log::info("a thread for handlers can be started again");
} catch (const std::system_error& error) {
  if (std::exchange(refused_, true)) return;
  log::error("{}; until one can, or a handler returns, no other handler begins", error.what());
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
