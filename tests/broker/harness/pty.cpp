#include "harness/pty.hpp"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "harness/process.hpp"

namespace harness {

Pty::Pty(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& text : command) arguments.push_back(const_cast<char*>(text.c_str()));
  arguments.push_back(nullptr);
  pid_ = forkpty(&master_, nullptr, nullptr, nullptr);
  if (pid_ < 0) throw std::runtime_error("forkpty: " + std::string(std::strerror(errno)));
  if (pid_ > 0) return;
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
  if (write(master_, keys.data(), keys.size()) != static_cast<ssize_t>(keys.size())) {
    throw std::runtime_error("nobody reads what is typed");
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

bool Pty::echoes() const {
  termios settings{};
  if (tcgetattr(master_, &settings) != 0) throw std::runtime_error("the terminal is gone");
  return (settings.c_lflag & ECHO) != 0;
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
