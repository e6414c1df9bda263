#include "base/init_process.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

namespace botel {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTimeForOthers{2000};

// Takes notice of all that have ended; the status of `child` when it is among them, else -1.
int reap(pid_t child) {
  int status = 0, of_child = -1;
  for (pid_t ended = 0; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (ended == child) of_child = status;
  }
  return of_child;
}

// The signals are blocked, so the kernel keeps them although nobody handles them.
int serve(pid_t child, const sigset_t& signals) {
  for (;;) {
    siginfo_t info{};
    const int number = sigwaitinfo(&signals, &info);
    if (number == SIGCHLD) {
      if (const int status = reap(child); status >= 0) return status;
    } else if (number > 0 && info.si_code != SI_KERNEL) {  // what a terminal sends, the child gets, too
      kill(child, number);
    }
  }
}

// As the first process, -1 means all others of the namespace.
void end_others(const sigset_t& signals) {
  kill(-1, SIGTERM);
  const auto deadline = steady_clock::now() + kTimeForOthers;
  for (;;) {
    reap(0);
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds(0) || waitpid(-1, nullptr, WNOHANG) < 0) return;
    const timespec time{left.count() / 1000, left.count() % 1000 * 1'000'000};
    sigtimedwait(&signals, nullptr, &time);
  }
}

}  // namespace

Result<> leave_first_process() {
  if (getpid() != 1) return {};
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  signal(SIGCHLD, SIG_DFL);  // where it is ignored, nobody hears how a child has ended
  const pid_t child = fork();
  if (child < 0) return failure("as the first process, it cannot start another one: {}", std::strerror(errno));
  if (child == 0) {
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return {};
  }
  const int status = serve(child, all);
  end_others(all);
  _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

}  // namespace botel
