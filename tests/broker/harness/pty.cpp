#include "harness/pty.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <stdexcept>

#include "harness/process.hpp"

namespace harness {

Pty::Pty(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& text : command) arguments.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  int slave = -1;
  if (openpty(&master_, &slave, nullptr, nullptr, nullptr) != 0 || tcgetattr(slave, &before_) != 0 ||
      (pid_ = fork()) < 0) {
    throw std::runtime_error("openpty: " + std::string(std::strerror(errno)));
  }
  if (pid_ > 0) {
    close(slave);
    return;
  }
  login_tty(slave);
  close(master_);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int number : {SIGTERM, SIGINT, SIGABRT, SIGSEGV}) ::signal(number, SIG_DFL);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

Pty::~Pty() {
  if (!ended_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(master_);
}

void Pty::type(const std::string& keys) {
  for (std::size_t at = 0; at < keys.size();) {
    pollfd descriptor{master_, POLLOUT, 0};
    read_some();
    if (poll(&descriptor, 1, 1000) != 1) throw std::runtime_error("nobody reads what is typed");
    const ssize_t size = write(master_, keys.data() + at, std::min<std::size_t>(keys.size() - at, 1000));
    if (size <= 0) throw std::runtime_error("nobody reads what is typed");
    at += static_cast<std::size_t>(size);
  }
}

// False: nothing is there, for now or for ever.
bool Pty::read_some() {
  pollfd descriptor{master_, POLLIN, 0};
  char buffer[4096];
  const ssize_t size = poll(&descriptor, 1, 5) > 0 ? read(master_, buffer, sizeof buffer) : 0;
  if (size > 0) shown_.append(buffer, static_cast<std::size_t>(size));
  return size > 0;
}

void Pty::see(const std::string& text) {
  std::size_t found = std::string::npos;
  try {
    wait_until(text, [&] {
      read_some();
      found = shown_.find(text, seen_);
      return found != std::string::npos;
    });
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string(error.what()) + "; the terminal shows:\n" + shown_);
  }
  seen_ = found + text.size();
}

bool Pty::is_as_before() const {
  termios now{};
  if (tcgetattr(master_, &now) != 0) throw std::runtime_error("the terminal is gone");
  return now.c_iflag == before_.c_iflag && now.c_oflag == before_.c_oflag && now.c_lflag == before_.c_lflag &&
         std::equal(std::begin(now.c_cc), std::end(now.c_cc), std::begin(before_.c_cc));
}

void Pty::signal(int number) const { kill(pid_, number); }

void Pty::wait_for_stop() {
  int status = 0;
  wait_until("the program to stop", [&] {
    read_some();
    return waitpid(pid_, &status, WUNTRACED | WNOHANG) == pid_;
  });
  ended_ = !WIFSTOPPED(status);
  if (ended_) throw std::runtime_error("the program has ended; the terminal shows:\n" + shown_);
}

int Pty::wait() {
  int status = 0;
  wait_until("the end of the program", [&] {
    read_some();
    return waitpid(pid_, &status, WNOHANG) == pid_;
  });
  ended_ = true;
  while (read_some()) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace harness
