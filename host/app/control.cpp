#include "app/control.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/log.hpp"

namespace botel::app {
namespace {

namespace fs = std::filesystem;

constexpr auto kSocket = "control";
constexpr std::ptrdiff_t kMostConnections = 16;  // of a user
constexpr std::size_t kLongestRequest = 64 * 1024;
constexpr std::uint64_t kListener = 0;
constexpr std::chrono::seconds kSigns{1};     // of life, to who waits
constexpr std::chrono::seconds kPatience{5};  // of who waits
constexpr std::chrono::seconds kIdle{10};     // before the question is there, and until the answer is read

// The path of a socket has 107 bytes at most, that of a data directory may have more: the kernel knows it by number.
struct Address {
  explicit Address(const fs::path& folder) : folder(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    address.sun_family = AF_UNIX;
    const std::string path = fmt::format("/proc/self/fd/{}/{}", this->folder.get(), kSocket);
    path.copy(address.sun_path, sizeof address.sun_path - 1);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }

  Descriptor folder;
  sockaddr_un address{};
};

std::string describe(int error) { return std::strerror(error); }

// Who has connected; nobody: it is neither root nor the host's user.
std::optional<uid_t> user_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
  return peer.uid == 0 || peer.uid == geteuid() ? std::optional(peer.uid) : std::nullopt;
}

tl::unexpected<std::string> silent(const fs::path& data) {
  return failure("the host of {} gives no sign of life: it is stopped, or waits for its disk", data.string());
}

}  // namespace

std::string error_as_json(std::string_view why) { return fmt::format(R"({{"error":{}}})", json::quoted(why)); }

Result<std::unique_ptr<Control>> Control::open(const fs::path& data, OnRequest on_request) {
  const Address address(data);
  std::error_code ignored;
  fs::remove(data / kSocket, ignored);  // of a host that was killed
  Descriptor listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{.events = EPOLLIN, .data = {.u64 = kListener}};
  if (!listener.is_open() || !epoll.is_open() || bind(listener.get(), address.get(), sizeof address.address) != 0 ||
      chmod((data / kSocket).c_str(), 0600) != 0 || listen(listener.get(), 8) != 0 ||
      epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.get(), &wanted) != 0) {
    return failure("{}: {}", (data / kSocket).string(), describe(errno));
  }
  return std::unique_ptr<Control>(
      new Control(data / kSocket, std::move(listener), std::move(epoll), std::move(on_request)));
}

Control::Control(fs::path file, Descriptor listener, Descriptor epoll, OnRequest on_request)
    : file_(std::move(file)),
      listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      on_request_(std::move(on_request)),
      self_(std::make_shared<Control*>(this)) {}

Control::~Control() {
  *self_ = nullptr;
  std::error_code ignored;
  fs::remove(file_, ignored);
}

void Control::turn() {
  std::array<epoll_event, 16> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 0);
  for (int i = 0; i < count; ++i) {
    const auto [flags, data] = events[static_cast<std::size_t>(i)];
    if (data.u64 == kListener) {
      accept();
    } else if (flags & EPOLLOUT) {
      write(data.u64);
    } else {
      read(data.u64);
    }
  }
}

void Control::advance(SteadyTime now) {
  now_ = now;
  if (connections_.empty() || now < next_sign_) return;
  next_sign_ = now + kSigns;
  std::erase_if(connections_, [&](const auto& one) {
    const Connection& connection = one.second;
    const bool is_ours = connection.asked && connection.out.empty();
    if (is_ours) send(connection.socket.get(), " ", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    return !is_ours && now >= connection.since + kIdle;
  });
}

void Control::accept() {
  Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.is_open()) return;
  const auto user = user_of(socket.get());
  if (!user) {
    complaints_.warning("{}: somebody who is neither root nor the host's user has tried to connect", file_.string());
    return;
  }
  const auto is_theirs = [&](const auto& one) { return one.second.user == *user; };
  if (std::ranges::count_if(connections_, is_theirs) >= kMostConnections) return;
  epoll_event wanted{.events = EPOLLIN, .data = {.u64 = ++last_id_}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.get(), &wanted) != 0) return;
  connections_.emplace(last_id_, Connection{std::move(socket), *user, now_});
}

void Control::read(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  std::array<char, 4096> buffer{};
  const ssize_t size = ::read(connection.socket.get(), buffer.data(), buffer.size());
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0 || connection.in.size() > kLongestRequest) {
    connections_.erase(found);
    return;
  }
  connection.in.append(buffer.data(), static_cast<std::size_t>(size));
  const auto end = connection.in.find('\n');
  if (end == std::string::npos || connection.asked) return;
  connection.asked = true;
  const Answer answer = [self = self_, id](const std::string& json) {
    if (!*self || !(*self)->connections_.contains(id)) return;
    Connection& waiting = (*self)->connections_.at(id);
    waiting.out = json + "\n";
    waiting.since = (*self)->now_;
    (*self)->write(id);
  };
  const std::string line = connection.in.substr(0, end);
  const auto request = json::read(line);
  if (!request || !request->root.is(json::Kind::object)) return answer(error_as_json("this is no JSON object"));
  on_request_(*request, answer);
}

void Control::write(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = found->second;
  const ssize_t size = ::send(connection.socket.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  if (size > 0) connection.out.erase(0, static_cast<std::size_t>(size));
  epoll_event wanted{.events = EPOLLOUT, .data = {.u64 = id}};
  const bool goes_on = size >= 0 || errno == EAGAIN;
  if (connection.out.empty() || !goes_on ||
      epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &wanted) != 0) {
    connections_.erase(found);
  }
}

Result<std::string> ask(const fs::path& data, const std::string& request) {
  const Address address(data);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval patience{kPatience.count(), 0};
  for (const int direction : {SO_SNDTIMEO, SO_RCVTIMEO}) {
    setsockopt(socket.get(), SOL_SOCKET, direction, &patience, sizeof patience);
  }
  if (!address.folder.is_open() || connect(socket.get(), address.get(), sizeof address.address) != 0) {
    if (errno == EAGAIN) return silent(data);
    if (errno == EACCES) return failure("only root and the host's user may ask the host of {}", data.string());
    return failure("no host is running on the data directory {}: {}", data.string(), describe(errno));
  }
  const std::string line = request + "\n";
  if (send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return failure("the host does not listen: {}", describe(errno));
  }
  std::string answer;
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while ((size = ::read(socket.get(), buffer.data(), buffer.size())) > 0) {
    answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  if (size < 0 && errno == EAGAIN) return silent(data);
  answer.erase(0, answer.find_first_not_of(' '));
  if (answer.empty()) return failure("the host has given no answer");
  return answer;
}

}  // namespace botel::app
