#include "plugin/probe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/files.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "plugin/probe_words.hpp"

namespace botel::plugin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kTick{20};
constexpr std::size_t kMostOutput = 1 << 20;  // bytes; of what is more, the last words are kept

struct Pipe {
  Descriptor read, write;
  static Result<Pipe> make() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return failure("pipe: {}", std::strerror(errno));
    return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  }
};

// A file without a name, to be read from its start. Unlike a pipe, it needs nobody who listens.
Result<Descriptor> make_file(std::string_view text) {
  Descriptor file(memfd_create("trials", MFD_CLOEXEC));
  if (!file.is_open() || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(file.get(), 0, SEEK_SET) != 0) {
    return failure("no file can be made in memory: {}", std::strerror(errno));
  }
  return file;
}

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  void use(const Descriptor& from, int as) { posix_spawn_file_actions_adddup2(&actions_, from.get(), as); }
  // Libraries may have opened some without O_CLOEXEC.
  void close_others() { posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// In a process group of its own, and with no signal blocked or ignored.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes_, &signals);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

// The process that tries the plugin. It ends with its owner.
class Child {
 public:
  static Result<Child> start(const std::filesystem::path& program, const std::filesystem::path& copy,
                             std::string_view trials) {
    const auto in = make_file(trials);
    if (!in) return tl::unexpected(in.error());
    auto out = Pipe::make(), error = Pipe::make();
    if (!out || !error) return failure("no pipe can be made");
    for (const Descriptor* const end : {&out->write, &error->write}) fcntl(end->get(), F_SETFL, 0);
    SpawnActions actions;
    actions.use(*in, STDIN_FILENO);
    actions.use(out->write, STDOUT_FILENO);
    actions.use(error->write, STDERR_FILENO);
    actions.close_others();
    const SpawnAttributes attributes;
    const std::array<std::string, 3> words{"botel", "probe", copy.string()};
    std::array<char*, 4> arguments{};
    for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = const_cast<char*>(words[i].c_str());
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, program.c_str(), actions.get(), attributes.get(), arguments.data(), environ);
    if (failed) return failure("{} cannot be started: {}", program.string(), std::strerror(failed));
    return Child(pid, std::move(out->read), std::move(error->read));
  }
  ~Child() { end(); }
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        ended_(std::move(other.ended_)),
        out_(std::move(other.out_)),
        error_(std::move(other.error_)) {}
  Child& operator=(Child&&) = delete;

  // Listens for a moment. True when it has ended: `status` is waitpid()'s.
  [[nodiscard]] bool turn() {
    std::array<pollfd, 3> wanted{pollfd{ended_.get(), POLLIN, 0}, {out_.get(), POLLIN, 0}, {error_.get(), POLLIN, 0}};
    poll(wanted.data(), wanted.size(), static_cast<int>(kTick.count()));
    siginfo_t info{};
    // Where the host was started with SIGCHLD ignored, nobody knows how it has ended.
    const bool ended = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid;
    if (ended) end();
    drain(out_, said);
    drain(error_, complained);
    return ended;
  }

  int status = 0;
  std::string said, complained;

 private:
  Child(pid_t pid, Descriptor out, Descriptor error)
      : pid_(pid),
        ended_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))),
        out_(std::move(out)),
        error_(std::move(error)) {}

  // With whatever it has started. It may have left its group.
  void end() {
    if (pid_ == 0) return;
    ::kill(-pid_, SIGKILL);
    ::kill(pid_, SIGKILL);
    waitpid(std::exchange(pid_, 0), &status, 0);
  }
  // More than a pipe holds, and not for ever: somebody may write as fast as this reads.
  static void drain(Descriptor& from, std::string& to) {
    std::array<char, 1 << 16> buffer;
    for (int i = 0; i < 20 && from.is_open(); ++i) {
      const ssize_t size = ::read(from.get(), buffer.data(), buffer.size());
      if (size < 0 && errno == EAGAIN) return;
      if (size <= 0) return from.close();
      to.append(buffer.data(), static_cast<std::size_t>(size));
      if (to.size() > kMostOutput) to.erase(0, to.size() - kMostOutput / 2);
    }
  }

  pid_t pid_;
  Descriptor ended_;  // can be read when it has; none: it is asked now and then
  Descriptor out_, error_;
};

std::string last_line(std::string_view text) {
  const auto end = text.find_last_not_of('\n');
  if (end == std::string_view::npos) return "";
  const auto begin = text.rfind('\n', end);
  return ": " + log::printable(text.substr(begin + 1, end - begin), 200);
}

std::string trials_as_json(const std::vector<Trial>& trials) {
  std::string json = "[";
  for (const Trial& trial : trials) {
    json += fmt::format(R"({}{{"name":{},"config":{}}})", json.size() > 1 ? "," : "", json::quoted(trial.name),
                        json::quoted(trial.config));
  }
  return json + "]";
}

// How the child's last words have to be understood.
Result<Tried> judge(const Child& child) {
  auto answer = read_answer(child.said);
  const std::string doing = last_step(child.said);
  if (WIFSIGNALED(child.status)) {
    return failure("when it was tried, {} ended with signal {} ({}){}", doing, WTERMSIG(child.status),
                   strsignal(WTERMSIG(child.status)), last_line(child.complained));
  }
  if (!answer) {
    return failure("when it was tried, {} ended the process with exit code {}{}", doing, WEXITSTATUS(child.status),
                   last_line(child.complained));
  }
  if (!answer->refusal.empty()) return failure("{}", answer->refusal);
  return Tried{std::move(answer->errors), std::move(answer->warnings), std::move(answer->own),
               std::move(answer->brought), std::move(answer->opened)};
}

// As the system does that has no memory left.
bool was_killed(const Child& child) { return WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL; }

// Waits for the end.
Result<Tried> follow(Child& child, const ProbeConfig& config, const std::vector<Trial>& trials,
                     const std::atomic<bool>& stop) {
  const auto deadline = steady_clock::now() + config.time;
  while (!child.turn()) {
    if (stop) return failure("the host stops");
    if (steady_clock::now() < deadline) continue;
    return failure("when it was tried, {} did not end within {} ms", last_step(child.said), config.time.count());
  }
  auto tried = judge(child);
  if (tried && tried->errors.size() != trials.size()) return failure("when it was tried, its process lost its words");
  return tried;
}

}  // namespace

Probed probe(const ProbeConfig& config, const std::filesystem::path& copy, const std::vector<Trial>& trials,
             const std::atomic<bool>& stop) {
  auto child = Child::start(config.program, copy, trials_as_json(trials));
  if (!child) return tl::unexpected(Refusal{child.error(), true});
  auto tried = follow(*child, config, trials, stop);
  if (!tried) return tl::unexpected(Refusal{tried.error(), !has_begun(child->said) || was_killed(*child)});
  return std::move(*tried);
}

}  // namespace botel::plugin
