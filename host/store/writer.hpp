// The thread that commits, so that nobody else waits for the disk.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/counters.hpp"
#include "store/store.hpp"

namespace botel::store {

// One batch at a time is under way, and is tried until it is committed.
class Writer {
 public:
  // `wake` is called, by the writer's thread, when a batch is committed and when trouble() has changed. The store, the
  // counters and what `wake` needs must live longer. `pause`: between two tries.
  Writer(Store& store, Counters& counters, std::function<void()> wake,
         std::chrono::milliseconds pause = std::chrono::milliseconds(500));

  // A batch under way is tried once more at the most: a disk that stays full cannot hold up the end.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // No batch is under way. [driver]
  [[nodiscard]] bool idle() const;

  // Only while idle. [driver]
  void write(Batch batch);

  // Waits until the batch under way is committed (true), or a try has failed (false): at once when one has already. It
  // goes on being tried. True where there is none. [driver]
  [[nodiscard]] bool wait();

  // Waits, however often it fails, until the batch under way is committed (true) or it is `deadline` (false). [driver]
  [[nodiscard]] bool wait_until(std::chrono::steady_clock::time_point deadline);

  // How long the last try took. [driver]
  [[nodiscard]] std::chrono::milliseconds taken() const;

  // Why the last try failed; empty: it did not. [driver]
  [[nodiscard]] std::string trouble() const;

 private:
  void run();
  void note(const Result<>& done, std::chrono::steady_clock::duration taken);
  void tidy(std::unique_lock<std::mutex>& lock);

  Store& store_;
  const std::function<void()> wake_;
  const std::chrono::milliseconds pause_;
  Counter& commits_;
  Counter& failures_;

  mutable std::mutex mutex_;
  std::condition_variable given_;  // busy_, stopped_
  std::condition_variable tried_;  // busy_, trouble_
  Batch batch_;                    // the thread's while busy_, else the driver's
  bool busy_ = false;
  bool stopped_ = false;
  std::string trouble_;
  std::chrono::steady_clock::duration taken_{};
  std::chrono::steady_clock::time_point next_tidy_{};  // the thread's
  std::thread thread_;                                 // the last, as it uses all the others
};

}  // namespace botel::store
