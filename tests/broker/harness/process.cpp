#include "harness/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace harness {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const auto& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> with_own_environment(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  for (char** entry = environ; *entry; ++entry) all.emplace_back(*entry);
  return all;
}

sigset_t all_signals() {
  sigset_t set;
  sigfillset(&set);
  return set;
}

// In the child: only what is safe between fork and exec.
[[noreturn]] void become(char* const* command, char* const* environment, int out, const char* log, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The test's own handlers are not for the child.
  for (const int number : {SIGTERM, SIGINT, SIGABRT, SIGSEGV}) signal(number, SIG_DFL);
  const sigset_t all = all_signals();
  sigprocmask(SIG_UNBLOCK, &all, nullptr);
  if (getppid() != parent) _exit(125);
  const int error = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int in = open("/dev/null", O_RDONLY);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(error, STDERR_FILENO);
  execvpe(command[0], command, environment);
  _exit(127);
}

}  // namespace

void wait_until(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!condition()) {
    if (steady_clock::now() > deadline) throw std::runtime_error("waited in vain for: " + what);
    std::this_thread::sleep_for(milliseconds(3));
  }
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::runtime_error(file.string() + " cannot be written");
}

TempDir::TempDir() {
  std::string pattern = (fs::temp_directory_path() / "botel-test-XXXXXX").string();
  if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp: " + std::string(std::strerror(errno)));
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Process::Process(const Options& options) : log_(options.log) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2: " + std::string(std::strerror(errno)));
  const auto environment = with_own_environment(options.environment);
  const auto command_pointers = pointers(options.command);
  const auto environment_pointers = pointers(environment);
  const pid_t parent = getpid();
  // One that comes at once must not find the test's own handlers.
  const sigset_t all = all_signals();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_ = fork();
  if (pid_ == 0) become(command_pointers.data(), environment_pointers.data(), ends[1], log_.c_str(), parent);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(ends[1]);
  out_ = ends[0];
  if (pid_ < 0) throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
}

Process::~Process() {
  if (running()) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(out_);
}

bool Process::running() {
  if (!ended_ && pid_ > 0 && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return !ended_ && pid_ > 0;
}

std::string Process::line(const std::string& prefix) {
  const auto deadline = steady_clock::now() + kPatience;
  for (;;) {
    for (auto end = unread_.find('\n'); end != std::string::npos; end = unread_.find('\n')) {
      const std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      if (line.starts_with(prefix)) return line;
    }
    pollfd descriptor{out_, POLLIN, 0};
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now()).count();
    char buffer[4096];
    const ssize_t size =
        left > 0 && poll(&descriptor, 1, static_cast<int>(left)) > 0 ? read(out_, buffer, sizeof buffer) : 0;
    if (size <= 0) throw std::runtime_error("no line \"" + prefix + "\" on stdout; stderr:\n" + log());
    unread_.append(buffer, static_cast<std::size_t>(size));
  }
}

void Process::signal(int number) const {
  if (!ended_) kill(pid_, number);
}

int Process::wait() {
  wait_until("the end of a process; stderr:\n" + log(), [this] { return !running(); });
  return WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_);
}

void Process::wait_for_log(const std::string& text, int times) {
  try {
    wait_until("\"" + text + "\" in the log", [&] { return count(log(), text) >= times; });
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string(error.what()) + "; it says:\n" + log());
  }
}

int run(const std::vector<std::string>& command, const fs::path& log) {
  Process process({command, log, {}});
  return process.wait();
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

std::vector<std::string> lines_with(const std::string& text, const std::string& part) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.find(part) != std::string::npos) lines.push_back(line);
  }
  return lines;
}

}  // namespace harness
