#include "base/black_box.hpp"

#include <doctest/doctest.h>
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <barrier>
#include <functional>
#include <future>
#include <random>
#include <thread>

#include "base/black_box_memory.hpp"
#include "base/black_box_run.hpp"
#include "base/log.hpp"
#include "base/signals.hpp"
#include "temp_folder.hpp"

using namespace black_box_test;

namespace {

void write_to_nowhere() {
  *static_cast<volatile char*>(mmap(nullptr, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) = 1;
}

void read_behind_the_end_of_a_file() {
  const int file = memfd_create("empty", 0);
  const auto* page = static_cast<const volatile char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, file, 0));
  [[maybe_unused]] const char byte = *page;
}

// In large frames: tsan's own stack of calls is for 65,536 of them.
int use_up_the_stack(int depth) {  // NOLINT(misc-no-recursion)
  std::array<volatile char, 16 << 10> frame;
  frame[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : use_up_the_stack(depth + 1) + frame[0];
}

[[gnu::noinline]] void throw_something() { throw std::runtime_error("something"); }
void throw_through() noexcept { throw_something(); }

const Body crash_in_task_7 = [](BlackBox& box) {
  begin(box, 7);
  write_to_nowhere();
};

}  // namespace

TEST_CASE("black box: a task that crashed two runs is condemned, and known by name") {
  const TempFolder folder;
  CHECK(open(folder)->suspects().empty());
  for (const unsigned crashes : {1u, 2u}) {
    Run run(folder, crash_in_task_7);
    CHECK(WTERMSIG(run.end()) == SIGSEGV);
    CHECK(run.said() == "botel: fatal signal 11 in " + kName + "\n");
    const auto box = open(folder);
    REQUIRE(box->suspects().size() == 1);
    const BlackBox::Suspect& suspect = box->suspects()[0];
    CHECK(suspect.task == 7);
    CHECK(suspect.name == kName);
    CHECK(suspect.crashes == crashes);
    CHECK(suspect.ends == 0);
    CHECK(suspect.signal == SIGSEGV);
    CHECK(suspect.recent);
    CHECK((box->condemned(7) == &suspect) == (crashes == 2));
    CHECK_FALSE(box->condemned(8));
  }
  const auto box = open(folder);
  REQUIRE(box->condemned(7));
  CHECK_FALSE(box->condemned(7)->recent);
  CHECK(box->condemned(7)->describe() ==
        kName + ": cause of 2 ends of the host, last by signal 11; running at 0 other ends");
}

TEST_CASE("black box: whatever a handler ends the host with is noted, on every thread") {
  struct Way {
    std::string name;
    std::function<void()> end;
    int signal;
  };
  const std::vector<Way> ways{
      {"write where nothing is", write_to_nowhere, SIGSEGV},
      {"mapped file that is too short", read_behind_the_end_of_a_file, SIGBUS},
      {"trap", [] { __builtin_trap(); }, SIGILL},
      {"raised", [] { raise(SIGFPE); }, SIGFPE},
      {"abort", [] { std::abort(); }, SIGABRT},
      {"exception", throw_through, SIGABRT},
      {"used-up stack", [] { use_up_the_stack(0); }, SIGSEGV},
      {"exit", [] { std::exit(3); }, 0},
      {"libc's own exit", [] { errx(3, "it is broken"); }, 0},
  };
  for (const Way& way : ways) {
    for (const bool other_thread : {false, true}) {
      CAPTURE(way.name);
      CAPTURE(other_thread);
      const TempFolder folder;
      Run run(folder, [&](BlackBox& box) {
        const auto task = [&] {
          begin(box, 7);
          way.end();
        };
        if (other_thread) {
          std::thread(task).join();
        } else {
          task();
        }
      });
      const int status = run.end();
      CHECK(WIFSIGNALED(status) == (way.signal != 0));
      if (way.signal != 0) CHECK(WTERMSIG(status) == way.signal);
      CHECK(run.said().find(" in " + kName + "\n") != std::string::npos);
      const auto box = open(folder);
      REQUIRE(box->suspects().size() == 1);
      CHECK(box->suspects()[0].crashes == 1);
      CHECK(box->suspects()[0].signal == way.signal);
    }
  }
}

TEST_CASE("black box: what is killed from outside is innocent, but not five times") {
  for (const int signal : {SIGKILL, SIGABRT}) {
    const TempFolder folder;
    for (unsigned ends = 1; ends <= 5; ++ends) {
      Run run(folder, [](BlackBox& box) {
        begin(box, 7);
        Run::ready();
        pause();
      });
      run.wait();
      // As a suspect, too.
      wait_until(folder, [ends](const auto& bytes) { return count(bytes, kName) == (ends == 1 ? 1 : 2); });
      CHECK(WTERMSIG(run.kill(signal)) == signal);
      const auto box = open(folder);
      REQUIRE(box->suspects().size() == 1);
      CHECK(box->suspects()[0].crashes == 0);
      CHECK(box->suspects()[0].ends == ends);
      CHECK((box->condemned(7) != nullptr) == (ends == 5));
    }
    const auto box = open(folder);
    REQUIRE(box->condemned(7));
    CHECK(box->condemned(7)->describe() == kName + ": running at 5 ends of the host");
  }
}

TEST_CASE("black box: who merely runs while another thread crashes gets no blame for it") {
  const TempFolder folder;
  Run run(folder, [](BlackBox& box) {
    std::array<std::promise<void>, 2> running;
    std::array<std::thread, 2> others;
    for (std::size_t i = 0; i < others.size(); ++i) {
      others[i] = std::thread([&box, &began = running[i]] {
        begin(box, 8);
        began.set_value();
        pause();
      });
      running[i].get_future().wait();
    }
    begin(box, 7);
    write_to_nowhere();
  });
  CHECK(WTERMSIG(run.end()) == SIGSEGV);
  const auto box = open(folder);
  REQUIRE(box->suspects().size() == 2);
  CHECK(box->suspects()[0].task == 7);
  CHECK(box->suspects()[0].crashes == 1);
  CHECK(box->suspects()[1].task == 8);
  CHECK(box->suspects()[1].crashes == 0);
  CHECK_MESSAGE(box->suspects()[1].ends == 1, "a run counts once, though it was on two threads");
}

TEST_CASE("black box: what another thread runs into while the host falls apart is not its fault") {
  const TempFolder folder;
  Run run(folder, [](BlackBox& box) {
    static std::promise<void> running, falling;
    std::thread([&] {
      begin(box, 8);
      running.set_value();
      falling.get_future().wait();
      write_to_nowhere();
    }).detach();
    running.get_future().wait();
    std::atexit([] {
      falling.set_value();
      pause();
    });
    begin(box, 7);
    std::exit(3);
  });
  CHECK(WTERMSIG(run.end()) == SIGSEGV);
  CHECK(run.said() == "botel: exit() in " + kName + "\n");
  const auto box = open(folder);
  REQUIRE(box->suspects().size() == 2);
  CHECK(box->suspects()[0].task == 7);
  CHECK(box->suspects()[0].crashes == 1);
  CHECK(box->suspects()[1].crashes == 0);
}

TEST_CASE("black box: a task that has not returned at two stops is condemned, unless it is known to be innocent") {
  const TempFolder folder;
  for (const unsigned stops : {1u, 2u}) {
    Run run(folder, [](BlackBox& box) {
      std::barrier running(3);
      std::array<std::thread, 2> threads;
      for (std::uint64_t task : {7, 8}) {
        threads[task - 7] = std::thread([&, task] {
          begin(box, task);
          running.arrive_and_wait();
          pause();
        });
      }
      running.arrive_and_wait();
      box.leave_running({8});
      // As a stop does.
      box.~BlackBox();
      std::_Exit(1);
    });
    CHECK(WEXITSTATUS(run.end()) == 1);
    const auto box = open(folder);
    REQUIRE(box->suspects().size() == 1);
    CHECK(box->suspects()[0].crashes == stops);
    CHECK(box->suspects()[0].recent);
    CHECK((box->condemned(7) != nullptr) == (stops == 2));
    CHECK(box->suspects()[0].describe().ends_with("last by a handler that did not return; running at 0 other ends"));
  }
}

TEST_CASE("black box: a crash outside of tasks, and a run that ends well, make no suspects") {
  const TempFolder folder;
  Run crash(folder, [](BlackBox& box) {
    begin(box, 7);
    box.end();
    write_to_nowhere();
  });
  CHECK(WTERMSIG(crash.end()) == SIGSEGV);
  CHECK(crash.said() == "botel: fatal signal 11\n");
  Run good(folder, [](BlackBox& box) {
    begin(box, 7);
    box.end();
    std::exit(0);
  });
  CHECK(good.end() == 0);
  CHECK(good.said().empty());
  CHECK(open(folder)->suspects().empty());
}

TEST_CASE("black box: a task that has not run for a tick is not to blame when the host is killed") {
  const TempFolder folder;
  Run young(
      folder,
      [](BlackBox& box) {
        begin(box, 7);
        Run::ready();
        pause();
      },
      kThreads, kNever);
  young.wait();
  young.kill(SIGKILL);
  CHECK(open(folder)->suspects().empty());

  // The same task again and again is none that lasts. The ticks are so long that nobody is kept off the processor for
  // one.
  Run busy(
      folder,
      [](BlackBox& box) {
        std::thread([&box] {
          box.begin(8, {"long "}, 8);
          pause();
        }).detach();
        for (;;) {
          begin(box, 7);
          std::this_thread::sleep_for(milliseconds(5));
          box.end();
        }
      },
      kThreads, milliseconds(300));
  wait_until(folder, [](const auto& bytes) { return count(bytes, "long 0x8") == 1; });
  CHECK(count(bytes_of(folder.path / "running"), kName) == 0);
  busy.kill(SIGKILL);
  const auto box = open(folder);
  REQUIRE(box->suspects().size() == 1);
  CHECK(box->suspects()[0].task == 8);
}

TEST_CASE("black box: a task that is over does not stay in the file") {
  const TempFolder folder;
  Run run(folder, [](BlackBox& box) {
    begin(box, 7);
    Run::wait_for_order();
    box.end();
    pause();
  });
  wait_until(folder, [](const auto& bytes) { return count(bytes, kName) == 1; });
  run.go_on();
  wait_until(folder, [](const auto& bytes) { return count(bytes, kName) == 0; });
  run.kill(SIGKILL);
  CHECK(open(folder)->suspects().empty());
}

TEST_CASE("black box: a task that outlasts a clean end is not to blame for it") {
  const TempFolder folder;
  Run run(folder, [](BlackBox& box) {
    std::thread([&box] {
      begin(box, 7);
      pause();
    }).detach();
    Run::wait_for_order();
  });
  wait_until(folder, [](const auto& bytes) { return count(bytes, kName) == 1; });
  run.go_on();
  CHECK(run.end() == 0);
  CHECK(open(folder)->suspects().empty());
}

TEST_CASE("black box: a name that is half written is not another task's, whoever reads it") {
  const std::array<std::string, 2> names{std::string(150, 'a'), std::string(100, 'b')};
  const auto name = [&](std::uint64_t task) { return fmt::format("{}{:#x}", names[task], task); };
  botel::black_box::Slot slot;
  REQUIRE(slot.take());
  std::atomic<bool> enough = false;
  std::thread owner([&] {
    for (unsigned i = 0; !enough; i = 1 - i) {
      slot.begin(i, {names[i]}, i);
      slot.end();
    }
  });
  std::uint64_t last = 0;
  for (int good = 0; good < 1000;) {
    botel::black_box::Record record;
    const auto number = slot.run();
    if (number == 0 || number == last || !slot.read(number, record)) continue;
    last = number;
    ++good;
    REQUIRE(std::string(record.name, record.length) == name(record.task));
  }
  enough = true;
  owner.join();

  for (int round = 0; round < 30; ++round) {
    const TempFolder folder;
    Run run(folder, [&](BlackBox& box) {
      static std::promise<void> running;
      std::thread([&] {
        for (std::uint64_t i = 0;; ++i) {
          if (i == 1000) running.set_value();
          box.begin(i % 2, {names[i % 2]}, i % 2);
          box.end();
        }
      }).detach();
      running.get_future().wait();
      write_to_nowhere();
    });
    CHECK(WTERMSIG(run.end()) == SIGSEGV);
    const auto box = open(folder);
    for (const BlackBox::Suspect& suspect : box->suspects()) CHECK(suspect.name == name(suspect.task));
  }
}

TEST_CASE("black box: of threads that crash at the same time one is to blame, always") {
  for (int round = 0; round < 30; ++round) {
    const TempFolder folder;
    Run run(folder, [](BlackBox& box) {
      std::barrier together(2);
      const auto crash = [&](std::uint64_t task) {
        begin(box, task);
        together.arrive_and_wait();
        write_to_nowhere();
      };
      std::thread other(crash, 8);
      crash(7);
    });
    CHECK(WTERMSIG(run.end()) == SIGSEGV);
    const auto box = open(folder);
    REQUIRE(box->suspects().size() == 2);
    CHECK(box->suspects()[0].crashes == 1);
    CHECK(box->suspects()[1].crashes == 0);
    CHECK(box->suspects()[1].ends == 1);
  }
}

TEST_CASE("black box: no thread writes to a mapped file, as a page fault there may wait for the disk") {
  const TempFolder folder;
  const auto box = open(folder);
  begin(*box, 7);
  CHECK(count(bytes_of("/proc/self/maps"), folder.path.string()) == 0);
  box->end();
}

TEST_CASE("black box: its own thread takes no signal from the host") {
  const TempFolder folder;
  Run run(folder, [](BlackBox&) {
    const int signals = botel::open_signals({SIGTERM});
    fcntl(signals, F_SETFL, 0);
    ::kill(getpid(), SIGTERM);
    std::this_thread::sleep_for(milliseconds(50));  // in which another thread would take it
    std::array<char, 128> info{};
    if (read(signals, info.data(), info.size()) > 0) Run::ready();
  });
  CHECK(run.end() == 0);
  CHECK(run.said() == "ready\n");
}

TEST_CASE("black box: a child that a handler makes is not the host") {
  const TempFolder folder;
  Run run(folder, [](BlackBox& box) {
    begin(box, 7);
    for (const bool crashes : {true, false}) {
      const pid_t child = fork();
      if (child == 0 && crashes) std::abort();
      if (child == 0) std::exit(0);
      waitpid(child, nullptr, 0);
    }
    Run::ready();
    pause();
  });
  run.wait();
  wait_until(folder, [](const auto& bytes) { return count(bytes, kName) == 1; });
  run.kill(SIGKILL);
  CHECK_MESSAGE(run.said().find("botel: ") == std::string::npos, "a leak sanitizer may say something");
  CHECK(open(folder)->suspects().at(0).crashes == 0);
}

TEST_CASE("black box: what was set for a signal before happens, too") {
  const TempFolder folder;
  Run run(folder, [&](BlackBox&) {
    struct sigaction action {};
    action.sa_handler = [](int) { _exit(5); };
    sigaction(SIGSEGV, &action, nullptr);
    const auto box = open(folder);
    crash_in_task_7(*box);
  });
  CHECK(WEXITSTATUS(run.end()) == 5);
  REQUIRE(open(folder)->suspects().size() == 1);
}

TEST_CASE("black box: who is done is forgotten, by later runs, too") {
  const TempFolder folder;
  for (int i = 0; i < 2; ++i) Run(folder, crash_in_task_7).end();
  {
    const auto box = open(folder);
    CHECK(box->condemned(7));
    box->done(8);
    CHECK(box->condemned(7));
    box->done(7);
    CHECK_FALSE(box->condemned(7));
    CHECK(box->suspects().empty());
  }
  CHECK(open(folder)->suspects().empty());

  Run(folder, crash_in_task_7).end();
  Run run(folder, [](BlackBox& box) {
    box.done(7);
    pause();
  });
  wait_until(folder, [](const auto& bytes) { return count(bytes, kName) == 0; });
  run.kill(SIGKILL);
  CHECK(open(folder)->suspects().empty());
}

TEST_CASE("black box: sixty-four suspects are kept, and those that crash are not pushed out by those that ran") {
  const TempFolder folder;
  Run(folder, crash_in_task_7).end();
  Run run(
      folder,
      [](BlackBox& box) {
        std::vector<std::thread> threads;
        for (std::uint64_t task = 100; task < 200; ++task) {
          std::promise<void> running;
          threads.emplace_back([&box, &running, task] {
            begin(box, task);
            running.set_value();
            pause();
          });
          running.get_future().wait();
        }
        begin(box, 7);
        write_to_nowhere();
      },
      200);
  CHECK(WTERMSIG(run.end()) == SIGSEGV);
  {
    const auto box = open(folder);
    CHECK(box->suspects().size() == BlackBox::kMostSuspects);
    CHECK(box->condemned(7));
  }
  for (std::uint64_t task = 1000; task < 1064; ++task) {
    Run(folder, [task](BlackBox& other) {
      begin(other, task);
      write_to_nowhere();
    }).end();
  }
  const auto later = open(folder);
  CHECK(later->suspects().size() == BlackBox::kMostSuspects);
  CHECK_MESSAGE(!later->condemned(7), "the oldest is pushed out");
}

TEST_CASE("black box: places are taken anew when a thread has ended, and without one a task goes unnoted") {
  const TempFolder folder;
  Run run(
      folder,
      [](BlackBox& box) {
        for (std::uint64_t task = 1; task <= 3; ++task) {
          std::thread([&box, task] {
            begin(box, task);
            box.end();
          }).join();
        }
        begin(box, 7);
        std::thread([&box] {
          begin(box, 8);
          write_to_nowhere();
        }).join();
      },
      1);
  CHECK(WTERMSIG(run.end()) == SIGSEGV);
  CHECK(run.said() == "botel: fatal signal 11\n");
  const auto box = open(folder);
  REQUIRE(box->suspects().size() == 1);
  CHECK(box->suspects()[0].task == 7);
  CHECK(box->suspects()[0].ends == 1);
}

TEST_CASE("black box: a name is cut where it is too long, and cannot write lines of its own") {
  const TempFolder folder;
  Run run(folder, [](BlackBox& box) {
    box.begin(7, {"a\n\x1b[31m\xff", std::string(1000, 'x'), "unseen"}, 0xffffffff);
    std::abort();
  });
  run.end();
  CHECK(run.said().starts_with("botel: fatal signal 6 in a??[31m?xxx"));
  CHECK(run.said().ends_with("xxx0xffffffff\n"));
  const std::string name = open(folder)->suspects().at(0).name;
  CHECK(name.starts_with("a \uFFFD[31m\uFFFDxxx"));
  CHECK(name.ends_with("xxx0xffffffff"));
}

TEST_CASE("black box: it tells how long nobody was there") {
  const TempFolder folder;
  const auto away = [&](std::int64_t now, std::int64_t alive) {
    const auto box = BlackBox::open(folder.path / "running", kThreads, at(now));
    REQUIRE(box);
    if (alive > 0) (*box)->alive(alive);
    return (*box)->away();
  };
  CHECK(away(1000, 0) == std::nullopt);
  CHECK(away(2000, 5000) == std::nullopt);
  CHECK(away(6000, 0) == milliseconds(1000));
  CHECK_MESSAGE(away(7000, 8000) == milliseconds(2000), "a run without a sign of life does not count");
  CHECK_MESSAGE(away(3000, 0) == milliseconds(0), "the clock was set back");
}

TEST_CASE("black box: whether the last run ended well is known, and by the run that begins forgotten") {
  const TempFolder folder;
  const auto ended_well = [&] { return open(folder)->ended_well(); };
  CHECK_FALSE(ended_well());
  Run(folder, [](BlackBox& box) { box.end_well(); }).end();
  CHECK(ended_well());
  CHECK_MESSAGE(!ended_well(), "a run that did not say so");
  Run(folder, [](BlackBox& box) {
    box.alive(500);
    box.end_well();
  }).end();
  CHECK(ended_well());
  Run(folder, [](BlackBox& box) {
    box.end_well();
    write_to_nowhere();
  }).end();
  CHECK_MESSAGE(!ended_well(), "it crashed all the same");
}

TEST_CASE("black box: the first sign of life is noted at once, later ones now and then") {
  const TempFolder folder;
  for (const bool first : {true, false}) {
    Run run(
        folder,
        [first](BlackBox& box) {
          for (int i = 1;; ++i) {
            box.alive(first ? 500 : 500 + i);
            if (first) pause();
            std::this_thread::sleep_for(kTick);
          }
        },
        kThreads, first ? kNever : kTick);
    const std::int64_t least = first ? 500 : 510;
    wait_until(folder, [least](const auto& bytes) { return alive_ms_in(bytes) >= least; });
    run.kill(SIGKILL);
    const auto away = open(folder)->away();
    REQUIRE(away);
    CHECK(*away <= milliseconds(1000 - least));
  }
}

TEST_CASE("black box: its file is the owner's alone, and an error where there can be none") {
  const TempFolder folder;
  CHECK(open(folder));
  CHECK(std::filesystem::status(folder.path / "running").permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  std::filesystem::create_directory(folder.path / "folder");
  for (const std::string place : {"missing/running", "folder"}) {
    const auto box = BlackBox::open(folder.path / place, kThreads, at(1));
    REQUIRE_FALSE(box);
    CHECK(box.error().starts_with((folder.path / place).string() + " cannot be written: "));
  }
}

TEST_CASE("black box: a file that is not its own is as good as none") {
  const TempFolder folder;
  Run(folder, crash_in_task_7).end();
  const std::string good = bytes_of(folder.path / "running");
  std::mt19937_64 random(1);
  std::string noise = good;
  for (char& byte : noise) byte = static_cast<char>(random());
  std::string version = good;
  ++version[7];
  const std::string many(2 * 256 * (1 + BlackBox::kMostSuspects + BlackBox::kMostThreads + 1), '\0');
  for (const std::string& bytes :
       {std::string(), good.substr(0, 100), good.substr(0, good.size() - 1), good + "x", good.substr(0, 512), noise,
        version, std::string(good.size(), '\xff'), std::string(good.size(), '\0'), good + many}) {
    folder.write("running", bytes);
    const auto box = open(folder);
    CHECK(box->suspects().empty());
    CHECK_FALSE(box->away());
  }
  folder.write("running", good);
  CHECK(open(folder)->suspects().size() == 1);
  std::filesystem::remove(folder.path / "running");
  std::filesystem::create_symlink("/dev/zero", folder.path / "running");
  CHECK(open(folder)->suspects().empty());
}

TEST_CASE("black box: a crash that is half noted does not count") {
  const TempFolder folder;
  Run(folder, crash_in_task_7).end();
  std::string bytes = bytes_of(folder.path / "running");
  CHECK(count(bytes, kName) == 1);
  CHECK(bytes.compare(bytes.size() / 2, 8, bytes, 0, 8) == 0);
  bytes[bytes.size() / 2] = '\0';
  folder.write("running", bytes);
  CHECK(open(folder)->suspects().empty());
}

TEST_CASE("black box: damage that goes unseen leaves something sane") {
  const TempFolder folder;
  for (std::uint64_t task = 1; task <= 5; ++task) {
    Run(folder, [task](BlackBox& box) {
      begin(box, task);
      write_to_nowhere();
    }).end();
  }
  const std::string good = bytes_of(folder.path / "running");
  // Where something stands: the rest is zeros.
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (good[i] != '\0') places.push_back(i);
  }
  std::mt19937_64 random(2);
  botel::log::set_up(botel::log::Level::error, botel::log::Format::text);
  for (int round = 0; round < 1000; ++round) {
    std::string bytes = good;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t near = places[random() % places.size()] + random() % 8;
      bytes[std::min(near, bytes.size() - 1)] = static_cast<char>(random());
    }
    folder.write("running", bytes);
    const auto box = open(folder);
    CHECK(box->suspects().size() <= 6);
    for (const BlackBox::Suspect& suspect : box->suspects()) {
      CHECK(suspect.name.size() < 1000);
      CHECK(suspect.signal <= SIGRTMAX);
    }
    begin(*box, 9);
    box->end();
  }
  botel::log::set_up(botel::log::Level::info, botel::log::Format::text);
}
