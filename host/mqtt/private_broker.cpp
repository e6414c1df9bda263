#include "mqtt/private_broker.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "base/files.hpp"

namespace botel::mqtt {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr auto kPid = "pid";  // the file
constexpr int kFirstPort = 1883;
constexpr int kPortsToTry = 200;
constexpr int kTries = 10;
constexpr std::chrono::seconds kStartTime{10};
constexpr std::chrono::seconds kStopTime{2};

class Socket {
 public:
  Socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  const int fd_;
};

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool is_free(int port) {
  const Socket probe;
  const int yes = 1;
  setsockopt(probe.fd(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in address = loopback(port);
  return bind(probe.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// The inode of the socket that listens on the port, as /proc/net/tcp names it; empty: nobody listens.
std::string listening_socket(int port) {
  const std::string address = fmt::format("0100007F:{:04X}", port);
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string number, local, remote, state, skipped, inode;
    fields >> number >> local >> remote >> state;
    for (int i = 0; i < 5; ++i) fields >> skipped;
    fields >> inode;
    if (local == address && state == "0A") return inode;
  }
  return {};
}

// Whether it is `pid` that listens on the port: two hosts that start at once may have chosen the same one.
bool listens(pid_t pid, int port) {
  const std::string inode = listening_socket(port);
  if (inode.empty()) return false;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
    if (fs::read_symlink(entry.path(), error) == "socket:[" + inode + "]") return true;
  }
  return false;
}

Result<int> choose(std::optional<int> port) {
  if (port) {
    if (is_free(*port)) return *port;
    return failure("port {} on 127.0.0.1 is taken", *port);
  }
  for (int candidate = kFirstPort; candidate < kFirstPort + kPortsToTry; ++candidate) {
    if (is_free(candidate)) return candidate;
  }
  return failure("no free port from {} to {}", kFirstPort, kFirstPort + kPortsToTry - 1);
}

// Debian keeps it where the PATH of most users does not lead.
Result<std::string> find_mosquitto() {
  std::string folders = "/usr/sbin:/usr/local/sbin:/sbin";
  if (const char* path = std::getenv("PATH")) folders = std::string(path) + ":" + folders;
  for (std::size_t begin = 0; begin <= folders.size();) {
    const auto end = std::min(folders.find(':', begin), folders.size());
    const std::string file = folders.substr(begin, end - begin) + "/mosquitto";
    if (access(file.c_str(), X_OK) == 0) return file;
    begin = end + 1;
  }
  return failure("there is no mosquitto on this machine (Debian package: mosquitto); or name a broker with --broker");
}

Result<fs::path> write_configuration(const fs::path& folder, int port) {
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path file = folder / "mosquitto.conf";
  std::ofstream out(file, std::ios::trunc);
  out << "# Written anew at every start.\n"
      << "listener " << port << " 127.0.0.1\n"
      << "allow_anonymous true\n"
      << "user root\n"  // started by root it stays root: to become another user would clear the parent-death signal
      << "max_inflight_messages 0\n"
      << "max_queued_messages 0\n"
      << "set_tcp_nodelay true\n"
      << "persistence true\n"
      << "persistence_location " << folder.string() << "/\n"
      << "log_dest file " << (folder / "mosquitto.log").string() << "\n"
      << "log_type error\nlog_type warning\n";
  out.close();
  if (!out) return failure("{} cannot be written", file.string());
  return file;
}

// A host that was killed leaves a broker that ends by itself, and until then writes down what it holds: what the next
// one reads.
void await_predecessor(const fs::path& folder) {
  const std::string pid = first_line(folder / kPid);
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string::npos) return;
  const std::string configuration = (folder / "mosquitto.conf").string();
  for (const auto deadline = steady_clock::now() + kStartTime; steady_clock::now() < deadline;) {
    std::ifstream command("/proc/" + pid + "/cmdline");
    const std::string words{std::istreambuf_iterator<char>(command), {}};
    if (words.find(configuration) == std::string::npos) return;
    std::this_thread::sleep_for(milliseconds(5));
  }
}

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(const char* program, const char* configuration, const char* log, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = open("/dev/null", O_RDWR);
  dup2(null, STDIN_FILENO);
  dup2(null, STDOUT_FILENO);
  // What it says before it opens its log itself.
  dup2(open(log, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
  execl(program, program, "-c", configuration, static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

Result<std::unique_ptr<PrivateBroker>> PrivateBroker::start(const fs::path& folder, std::optional<int> wanted) {
  const auto program = find_mosquitto();
  if (!program) return tl::unexpected(program.error());
  await_predecessor(folder);
  for (int tries = 1;; ++tries) {
    const auto port = choose(wanted);
    if (!port) return failure("the private broker: {}", port.error());
    const auto configuration = write_configuration(folder, *port);
    if (!configuration) return failure("the private broker: {}", configuration.error());
    auto broker = spawn(*program, *configuration, *port);
    // Somebody else may have taken the port at the same moment.
    if (broker || wanted || tries == kTries) return broker;
  }
}

Result<std::unique_ptr<PrivateBroker>> PrivateBroker::spawn(const std::string& program, const fs::path& configuration,
                                                            int port) {
  const std::string log = (configuration.parent_path() / "mosquitto.log").string();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return failure("the private broker: {}", std::strerror(errno));
  if (pid == 0) become(program.c_str(), configuration.c_str(), log.c_str(), parent);

  std::unique_ptr<PrivateBroker> broker(new PrivateBroker(pid, port));
  std::ofstream(configuration.parent_path() / kPid) << pid << '\n';
  for (const auto deadline = steady_clock::now() + kStartTime; steady_clock::now() < deadline;) {
    if (listens(pid, port)) return broker;
    if (broker->has_ended()) {
      return failure("the private broker ended at once; see {}", log);
    }
    std::this_thread::sleep_for(milliseconds(5));
  }
  return failure("the private broker does not accept connections");
}

bool PrivateBroker::has_ended() {
  if (pid_ != 0 && waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = 0;
  return pid_ == 0;
}

PrivateBroker::~PrivateBroker() {
  if (has_ended()) return;
  kill(pid_, SIGTERM);
  for (const auto deadline = steady_clock::now() + kStopTime; steady_clock::now() < deadline;) {
    if (has_ended()) return;
    std::this_thread::sleep_for(milliseconds(5));
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

}  // namespace botel::mqtt
