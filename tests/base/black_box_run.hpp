// Runs of a host that do nothing but use the black box, for its tests.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "base/black_box.hpp"
#include "base/black_box_threads.hpp"
#include "base/signals.hpp"
#include "temp_folder.hpp"

namespace black_box_test {

using botel::BlackBox;
using botel::Time;
using std::chrono::milliseconds;

constexpr unsigned kThreads = 4;
constexpr milliseconds kTick{3};
constexpr milliseconds kNever = std::chrono::hours(1);  // as a tick
const std::string kName = "bot echo, room 1/7, event 0x102";

inline Time at(std::int64_t unix_ms) { return {{}, unix_ms}; }

inline std::unique_ptr<BlackBox> open(const TempFolder& folder, unsigned threads = kThreads,
                                      milliseconds tick = kTick) {
  auto box = BlackBox::open(folder.path / "running", threads, at(1000), tick);
  if (!box) throw std::runtime_error(box.error());
  return std::move(*box);
}

inline void begin(BlackBox& box, std::uint64_t task) {
  box.begin(task, {"bot ", "echo", ", room ", "1/7", ", event "}, 0x102);
}

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

// Waits until the file is as it should be.
inline void wait_until(const TempFolder& folder, const std::function<bool(const std::string& bytes)>& good) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!good(bytes_of(folder.path / "running"))) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("the file stays as it is");
    std::this_thread::sleep_for(milliseconds(1));
  }
}

// How often the text is there.
inline std::size_t count(const std::string& bytes, const std::string& text) {
  std::size_t times = 0;
  for (auto i = bytes.find(text); i != std::string::npos; i = bytes.find(text, i + 1)) ++times;
  return times;
}

inline std::int64_t alive_ms_in(const std::string& bytes) {
  std::int64_t alive_ms = 0;
  if (bytes.size() >= 16) std::memcpy(&alive_ms, bytes.data() + 8, sizeof alive_ms);
  return alive_ms;
}

// What a run does with its open box, and then ends well, if it comes to that.
using Body = std::function<void(BlackBox&)>;

// A run of the host, in a process of its own. It starts with the default actions of signals and no signal stack, not
// with those of doctest or a sanitizer.
class Run {
 public:
  Run(const TempFolder& folder, const Body& body, unsigned threads = kThreads, milliseconds tick = kTick) {
    std::array<int, 2> ends{}, orders{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0 || pipe2(orders.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    std::fflush(nullptr);
    std::cout.flush();
    process_ = fork();
    if (process_ == 0) {
      dup2(ends[1], STDERR_FILENO);
      dup2(orders[0], STDIN_FILENO);
      be_like_new();
      body(*open(folder, threads, tick));
      _exit(0);
    }
    close(ends[1]);
    close(orders[0]);
    errors_ = ends[0];
    orders_ = orders[1];
  }
  ~Run() {
    if (process_ > 0) kill(SIGKILL);
    close(errors_);
    close(orders_);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // Until the body has called ready().
  void wait() {
    while (said_.find("ready\n") == std::string::npos && hear()) {
    }
  }
  static void ready() { [[maybe_unused]] const auto written = write(STDERR_FILENO, "ready\n", 6); }

  // Until it is told to go on; and that.
  static void wait_for_order() {
    char byte = 0;
    [[maybe_unused]] const auto heard = read(STDIN_FILENO, &byte, 1);
  }
  void go_on() const { [[maybe_unused]] const auto written = write(orders_, "x", 1); }

  // How it ended: waitpid()'s status.
  int end() {
    while (hear()) {
    }
    int status = 0;
    waitpid(std::exchange(process_, -1), &status, 0);
    return status;
  }
  int kill(int signal) {
    ::kill(process_, signal);
    return end();
  }

  // On stderr.
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  static void be_like_new() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (const int number : botel::kFatalSignals) signal(number, SIG_DFL);
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    const rlimit stack{8 << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_STACK, &stack);
  }

  bool hear() {
    std::array<char, 1000> bytes{};
    const auto size = read(errors_, bytes.data(), bytes.size());
    if (size > 0) said_.append(bytes.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  pid_t process_ = -1;
  int errors_ = -1;
  int orders_ = -1;
  std::string said_;
};

}  // namespace black_box_test
