#include "base/signals.hpp"

#include <sys/signalfd.h>

#include <utility>

#include "base/thread.hpp"

namespace botel {

int open_signals(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : signals) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

std::thread start_without_signals(std::function<void()> run) {
  struct Restored {
    sigset_t before{};
    ~Restored() { pthread_sigmask(SIG_SETMASK, &before, nullptr); }
  } restored;
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int number : kFatalSignals) sigdelset(&blocked, number);
  pthread_sigmask(SIG_SETMASK, &blocked, &restored.before);
  return start_thread(std::move(run));
}

}  // namespace botel
