#include "runtime/workers.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <future>
#include <set>
#include <system_error>

using botel::runtime::Workers;

namespace {

// A driver with jobs: each round runs the ones that are there, until all are done.
struct Jobs {
  std::deque<std::function<void()>> queue;  // the driver's
  std::atomic<int> unfinished{0};
  std::atomic<int> rounds{0};
  std::set<std::thread::id> drivers;  // the driver's
  std::function<void()> each_round = [] {};
  Workers workers;

  explicit Jobs(unsigned threads, Workers::Start start = botel::start_thread)
      : workers([this] { return round(); }, [] {}, threads, std::move(start)) {}

  void add(std::function<void()> job) {
    ++unfinished;
    queue.push_back(std::move(job));
  }

  bool round() {
    ++rounds;
    drivers.insert(std::this_thread::get_id());
    each_round();
    while (!queue.empty() && workers.can_lend()) {
      const auto job = std::move(queue.front());
      queue.pop_front();
      const bool kept = workers.lend(job);
      --unfinished;
      if (!kept) return false;
    }
    if (unfinished == 0) workers.stop();
    std::this_thread::yield();
    return true;
  }
};

}  // namespace

TEST_CASE("workers: quick handlers run on the driver, one after the other") {
  Jobs jobs(4);
  int sum = 0;
  for (int i = 0; i < 1000; ++i) jobs.add([&sum] { ++sum; });
  jobs.workers.run();
  CHECK(sum == 1000);
}

TEST_CASE("workers: while a handler does not return, another thread drives, and runs the next one") {
  Jobs jobs(4);
  std::promise<void> release;
  jobs.add([future = release.get_future().share()] { future.wait(); });  // returns only when the next one has run
  jobs.add([&release] { release.set_value(); });
  jobs.workers.run();
  CHECK(jobs.drivers.size() >= 2);
}

TEST_CASE("workers: when all threads are in slow handlers, the driver goes on with its rounds and runs no more") {
  Jobs jobs(2);
  std::promise<void> release;
  bool ran = false;
  jobs.add([future = release.get_future().share()] { future.wait(); });
  jobs.add([&ran] { ran = true; });
  std::thread watcher([&] {
    // The second thread drives rounds without a handler, however long the first one stays away.
    while (jobs.rounds < 100) std::this_thread::yield();
    release.set_value();
  });
  jobs.workers.run();
  watcher.join();
  CHECK(ran);
}

TEST_CASE("workers: threads that may never come back are replaced, also where all there may be are gone") {
  Jobs jobs(2);
  std::promise<void> release;
  const auto wait = [future = release.get_future().share()] { future.wait(); };
  for (int i = 0; i < 3; ++i) jobs.add(wait);
  jobs.add([&release] { release.set_value(); });
  unsigned gone = 0;
  jobs.each_round = [&] {
    // The one that drives has no other to lend to.
    if (!jobs.workers.can_lend() && gone < 4) jobs.workers.set_extra(++gone);
  };
  jobs.workers.run();
  CHECK(gone >= 3);
  CHECK(jobs.drivers.size() >= 4);
}

namespace {

// A system that has no thread to give, for a while.
struct Shortage {
  std::atomic<bool> is_there{true};
  std::atomic<int> asked{0};

  Workers::Start start = [this](std::function<void()> run) {
    ++asked;
    if (is_there) throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    return botel::start_thread(std::move(run));
  };
};

}  // namespace

TEST_CASE("workers: a system that has no thread to give is asked again, once a second, until it has") {
  Shortage shortage;
  Jobs jobs(4, shortage.start);
  std::promise<void> release;
  SUBCASE("when they start") {}
  SUBCASE("while a handler does not return") {
    shortage.is_there = false;
    jobs.add([&, future = release.get_future().share()] {
      shortage.is_there = true;
      shortage.asked = 0;
      future.wait();
    });
  }
  jobs.add([&] { release.set_value(); });
  botel::SteadyTime now{};
  int rounds = 0;
  jobs.each_round = [&] {
    now += std::chrono::milliseconds(100);
    jobs.workers.try_again(now);
    if (!shortage.is_there || ++rounds < 100) return;
    CHECK(shortage.asked >= 10);
    CHECK(shortage.asked <= 12);
    shortage.is_there = false;
  };
  jobs.workers.run();
  CHECK_FALSE(shortage.is_there);
}

TEST_CASE("workers: slow and quick handlers mixed are all run, by few threads") {
  Jobs jobs(3);
  std::atomic<int> sum{0};
  for (int i = 0; i < 40; ++i) {
    jobs.add([&sum, i] {
      if (i % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ++sum;
    });
  }
  jobs.workers.run();
  CHECK(sum == 40);
  CHECK(jobs.drivers.size() <= 3);
}
