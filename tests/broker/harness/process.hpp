// Processes and folders that a test starts and that end with it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace harness {

// How long a test waits for what must come. Only a failing test waits that long.
inline constexpr std::chrono::seconds kPatience{10};

// Waits until `condition` holds; throws `what` when it does not in time.
void wait_until(const std::string& what, const std::function<bool()>& condition);

[[nodiscard]] std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& text);

// A folder of its own, removed at the end.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// A child process. Its stderr is appended to a file; it is killed with its owner, and when the test dies.
class Process {
 public:
  struct Options {
    std::vector<std::string> command;
    std::filesystem::path log;             // stderr
    std::vector<std::string> environment;  // NAME=VALUE, beside the test's own
  };
  explicit Process(const Options& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();

  // The first line of stdout from here on that starts with `prefix`; throws when there is none in time.
  std::string line(const std::string& prefix);

  void signal(int number) const;
  // Waits for the end: the exit code, or the number of the signal, negative.
  int wait();
  // What its stderr has said so far.
  [[nodiscard]] std::string log() const { return read_file(log_); }
  // Waits for `text` in it, for the `times`-th time.
  void wait_for_log(const std::string& text, int times = 1);

 private:
  pid_t pid_ = -1;
  int out_ = -1;  // its stdout
  std::string unread_;
  std::filesystem::path log_;
  bool ended_ = false;
  int status_ = 0;
};

// Runs a command to its end: its exit code. What it says goes to `log`.
int run(const std::vector<std::string>& command, const std::filesystem::path& log);

// How often `part` is in `text`.
[[nodiscard]] int count(const std::string& text, const std::string& part);
// The lines of `text` in which `part` is.
[[nodiscard]] std::vector<std::string> lines_with(const std::string& text, const std::string& part);

}  // namespace harness
