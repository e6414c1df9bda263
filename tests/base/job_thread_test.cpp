#include "base/job_thread.hpp"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>

using botel::JobThread;
using std::chrono::steady_clock;

namespace {

// The driver's side: it sleeps until it is woken.
struct Driver {
  void wake() {
    const std::lock_guard lock(mutex);
    ++wakes;
    changed.notify_all();
  }
  // Takes what is done until nothing is under way; each time it was woken, and at no other time.
  void drive() {
    while (!loader->idle()) {
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return wakes > seen; });
        seen = wakes;
      }
      loader->take();
    }
  }

  std::mutex mutex;
  std::condition_variable changed;
  int wakes = 0, seen = 0;
  std::unique_ptr<JobThread> loader = std::make_unique<JobThread>([this] { wake(); });
};

const auto kLater = std::chrono::minutes(5);  // never comes, unless something is wrong

}  // namespace

TEST_CASE("loader: jobs run one after the other on its thread, and what they leave on the driver's, in order") {
  Driver driver;
  std::string order;  // of the loader's thread
  std::string results;
  std::thread::id thread;
  for (char name = 'a'; name <= 'z'; ++name) {
    driver.loader->run([&, name]() -> JobThread::Then {
      order += name;
      thread = std::this_thread::get_id();
      return [&, name, here = std::this_thread::get_id()] {
        CHECK(std::this_thread::get_id() != here);
        results += name;
      };
    });
  }
  CHECK_FALSE(driver.loader->idle());
  driver.drive();
  CHECK(order == "abcdefghijklmnopqrstuvwxyz");
  CHECK(results == order);
  CHECK(thread != std::this_thread::get_id());
}

TEST_CASE("loader: a job is under way until the driver has done what it left, and wakes it once") {
  Driver driver;
  std::promise<void> go;
  driver.loader->run([&]() -> JobThread::Then {
    go.get_future().wait();
    return {};
  });
  driver.loader->take();
  CHECK_FALSE(driver.loader->idle());
  CHECK(driver.wakes == 0);
  go.set_value();
  driver.drive();
  CHECK(driver.loader->idle());
  CHECK(driver.wakes == 1);
  driver.loader->take();
  CHECK(driver.loader->idle());
}

TEST_CASE("loader: what the driver does may bring further jobs") {
  Driver driver;
  int done = 0;
  const std::function<JobThread::Then()> job = [&]() -> JobThread::Then {
    return [&] {
      if (++done < 100) driver.loader->run(job);
    };
  };
  driver.loader->run(job);
  driver.drive();
  CHECK(done == 100);
}

TEST_CASE("loader: what a job holds ends on its thread, before the driver is told") {
  Driver driver;
  std::thread::id ended;
  const auto note = [&ended](int* number) {
    delete number;
    ended = std::this_thread::get_id();
  };
  std::thread::id thread;
  driver.loader->run([&thread, held = std::shared_ptr<int>(new int, note)]() -> JobThread::Then {
    thread = std::this_thread::get_id();
    return {};
  });
  driver.drive();
  CHECK(ended == thread);
  CHECK(ended != std::thread::id());
}

TEST_CASE("loader: stop waits for a job that looks at stopped, and begins no other") {
  Driver driver;
  std::promise<void> begun;
  bool ended = false, other = false;
  driver.loader->run([&]() -> JobThread::Then {
    begun.set_value();
    while (!driver.loader->stopped()) std::this_thread::yield();
    ended = true;
    return {};
  });
  driver.loader->run([&]() -> JobThread::Then {
    other = true;
    return {};
  });
  begun.get_future().wait();
  CHECK(driver.loader->stop(steady_clock::now() + kLater));
  CHECK(ended);
  CHECK(driver.loader->stop(steady_clock::now() + kLater));
  driver.loader->run([&]() -> JobThread::Then {
    other = true;
    return {};
  });
  driver.loader.reset();
  CHECK_FALSE(other);
}

TEST_CASE("loader: stop does not wait longer than it may for a job that never looks") {
  Driver driver;
  std::promise<void> begun, go;
  driver.loader->run([&]() -> JobThread::Then {
    begun.set_value();
    go.get_future().wait();
    return {};
  });
  begun.get_future().wait();
  CHECK_FALSE(driver.loader->stop(steady_clock::now()));
  CHECK_FALSE(driver.loader->stop(steady_clock::now() + std::chrono::milliseconds(20)));
  CHECK(driver.loader->stopped());
  // It returns after all.
  go.set_value();
  CHECK(driver.loader->stop(steady_clock::now() + kLater));
}

TEST_CASE("loader: when nothing is under way, it stops at once") {
  Driver driver;
  CHECK(driver.loader->idle());
  CHECK(driver.loader->stop(steady_clock::now()));
}

TEST_CASE("loader: jobs that do not come to run any more end with it, as does what nobody takes") {
  Driver driver;
  const auto held = std::make_shared<int>(0);
  driver.loader->run([held]() -> JobThread::Then { return [held] { FAIL("nobody takes it"); }; });
  std::promise<void> begun;
  driver.loader->run([&begun, &stopped = driver.loader->stopped(), held]() -> JobThread::Then {
    begun.set_value();
    while (!stopped) std::this_thread::yield();
    return {};
  });
  for (int i = 0; i < 10; ++i) {
    driver.loader->run([held]() -> JobThread::Then {
      FAIL("no job begins any more");
      return {};
    });
  }
  begun.get_future().wait();
  driver.loader.reset();
  CHECK(held.use_count() == 1);
}
