#include "store/writer.hpp"

#include <utility>

#include "base/log.hpp"
#include "base/thread.hpp"

namespace botel::store {
namespace {

constexpr std::chrono::milliseconds kTidySoon{100}, kTidySeldom{1000};

}  // namespace

Writer::Writer(Store& store, Counters& counters, std::function<void()> wake, std::chrono::milliseconds pause)
    : store_(store),
      wake_(std::move(wake)),
      pause_(pause),
      commits_(counters.add("store_commits_total", "Batches that are on disk")),
      failures_(counters.add("store_commits_failed_total", "Tries to commit a batch that failed")),
      thread_(start_thread([this] { run(); })) {}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  given_.notify_one();
  thread_.join();
}

bool Writer::idle() const {
  const std::lock_guard lock(mutex_);
  return !busy_;
}

void Writer::write(Batch batch) {
  {
    const std::lock_guard lock(mutex_);
    batch_ = std::move(batch);
    busy_ = true;
  }
  given_.notify_one();
}

bool Writer::wait() {
  std::unique_lock lock(mutex_);
  tried_.wait(lock, [this] { return !busy_ || !trouble_.empty(); });
  return !busy_;
}

bool Writer::wait_until(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return tried_.wait_until(lock, deadline, [this] { return !busy_; });
}

std::chrono::milliseconds Writer::taken() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<std::chrono::milliseconds>(taken_);
}

std::string Writer::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Writer::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      const auto is_given = [this] { return busy_ || stopped_; };
      while (!given_.wait_until(lock, next_tidy_, is_given)) tidy(lock);
      if (!busy_) return;
    }
    const auto begun = std::chrono::steady_clock::now();
    const auto done = store_.commit(batch_);
    note(done, std::chrono::steady_clock::now() - begun);
    if (done) continue;
    std::unique_lock lock(mutex_);
    if (given_.wait_for(lock, pause_, [this] { return stopped_; })) return;
  }
}

// What the store needs is no reason to trouble anybody: where it matters, a commit fails, too.
void Writer::tidy(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const auto more = store_.tidy();
  lock.lock();
  next_tidy_ = std::chrono::steady_clock::now() + (more && *more ? kTidySoon : kTidySeldom);
}

// What one try has led to.
void Writer::note(const Result<>& done, std::chrono::steady_clock::duration taken) {
  ++(done ? commits_ : failures_);
  if (done) batch_ = {};  // may take a while where it is large
  const std::string trouble = done ? "" : done.error();
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    busy_ = !done;
    taken_ = taken;
    changed = trouble != std::exchange(trouble_, trouble);
  }
  tried_.notify_all();
  if (changed && done) log::info("store: conversations are saved again");
  if (changed && !done) log::error("store: nothing is saved: {}", trouble);
  if (changed || done) wake_();
}

}  // namespace botel::store
