// A thread that does one job after the other, so that the driver waits for none of them: what takes a disk, a process
// or somebody else's code.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace botel {

class JobThread {
 public:
  // What the driver does with what a job has done.
  using Then = std::function<void()>;
  using Job = std::function<Then()>;

  // `wake` ends the driver's waiting; it is called by this thread. Start it where no signal is wanted.
  explicit JobThread(std::function<void()> wake);
  // Ends the job that runs, where that looks at stopped(), and does no other.
  ~JobThread();
  JobThread(const JobThread&) = delete;
  JobThread& operator=(const JobThread&) = delete;

  // Behind all other jobs. [driver]
  void run(Job job);
  // Does what the jobs have left to the driver. [driver]
  void take();
  // Nothing is under way. [driver]
  [[nodiscard]] bool idle() const { return under_way_ == 0; }

  // For jobs that take long. [any thread]
  [[nodiscard]] const std::atomic<bool>& stopped() const { return stopped_; }
  // For the end: no job begins any more. False: one runs that does not return; nobody may destroy this. [driver]
  [[nodiscard]] bool stop(std::chrono::steady_clock::time_point deadline);

 private:
  void work();

  const std::function<void()> wake_;
  std::size_t under_way_ = 0;  // the driver's
  std::atomic<bool> stopped_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::vector<Then> done_;
  bool busy_ = false;
  std::thread thread_;  // the last, as it uses all the others
};

}  // namespace botel
