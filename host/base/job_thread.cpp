#include "base/job_thread.hpp"

#include <utility>

#include "base/thread.hpp"

namespace botel {

JobThread::JobThread(std::function<void()> wake) : wake_(std::move(wake)), thread_(start_thread([this] { work(); })) {}

JobThread::~JobThread() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

bool JobThread::stop(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
  return changed_.wait_until(lock, deadline, [this] { return !busy_; });
}

void JobThread::run(Job job) {
  ++under_way_;
  const std::lock_guard lock(mutex_);
  jobs_.push_back(std::move(job));
  changed_.notify_all();
}

void JobThread::take() {
  if (idle()) return;
  std::vector<Then> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
  }
  for (const Then& then : done) {
    if (then) then();
    --under_way_;
  }
}

void JobThread::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || !jobs_.empty(); });
    if (stopped_) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    Then then = job();
    job = {};
    lock.lock();
    busy_ = false;
    done_.push_back(std::move(then));
    changed_.notify_all();
    wake_();
  }
}

}  // namespace botel
