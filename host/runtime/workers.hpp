// The threads of the host. One of them drives: it reads, runs the handlers, commits and writes, round after round.
//
// Handing each event to another thread would cost more than most handlers do, so the driver runs handlers itself, but
// lends the driving out meanwhile: a second thread watches, and when a handler has run for about a millisecond, it
// takes the driving over and goes on with the next round. The first thread finishes its handler, hands the turn to the
// new driver and becomes the one that watches. So a slow handler never holds up the rest, and a quick one costs no
// hop. Where all threads are in slow handlers, the driver runs none itself until one is back.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/thread.hpp"

namespace botel::runtime {

class Workers {
 public:
  // One round of the driver's work. False: this thread drives no longer, lend() has said so.
  using Round = std::function<bool()>;

  // Makes a thread, or throws std::system_error.
  using Start = std::function<std::thread(std::function<void()> run)>;

  // `wake` ends the driver's waiting; it is called by any thread. `limit`: how many threads at the most, at least 2.
  Workers(Round round, std::function<void()> wake, unsigned limit, Start start = start_thread);

  // Drives until stop(); the calling thread is one of the threads. Every handler must have returned.
  void run();

  // After this no round begins. [driver]
  void stop();

  // So many more threads than `limit` there may be: others are in handlers that may never return. [driver]
  void set_extra(unsigned extra);

  // In each round: where the system had no thread to give, and no other is there, it is asked again, once a second.
  // [driver]
  void try_again(SteadyTime now);

  // Whether a thread is there to take over. While it is not, no handler may run. [driver]
  [[nodiscard]] bool can_lend() const { return watched_.load(std::memory_order_acquire); }

  // Runs `handler`, which may touch nothing of the driver's. False: it took so long that another thread drives now.
  // [driver]
  template <class Handler>
  [[nodiscard]] bool lend(Handler&& handler) {
    const std::uint64_t busy = ++turns_ * 2 + 1;
    phase_.store(busy);
    if (asleep_.load()) wake_watcher();
    handler();
    std::uint64_t expected = busy;
    return phase_.compare_exchange_strong(expected, busy - 1, std::memory_order_acq_rel);
  }

 private:
  void drive();
  void attend();  // a thread that does not drive: waits for its turn to watch, watches, drives
  bool watch();
  void wake_watcher();
  void add_thread();
  [[nodiscard]] bool lacks_thread() const { return !watched_ && waiting_ == 0; }

  const Round round_;
  const std::function<void()> wake_;
  const unsigned limit_;
  const Start start_;

  // Odd while the driver is in a handler, and another number for each: what the watcher takes over is this handler.
  std::atomic<std::uint64_t> phase_{0};
  std::uint64_t turns_ = 0;    // the driver's
  bool refused_ = false;       // the driver's: the system had no thread to give
  SteadyTime try_again_at_{};  // the driver's
  std::atomic<bool> watched_{false};
  std::atomic<bool> asleep_{false};
  std::atomic<bool> stopped_{false};

  std::mutex mutex_;
  std::condition_variable changed_;  // watched_, stopped_
  std::condition_variable awake_;    // asleep_, stopped_
  unsigned waiting_ = 0;             // threads that wait to watch
  unsigned extra_ = 0;               // changed by the driver alone
  std::vector<std::thread> threads_;
};

}  // namespace botel::runtime
