#include "chaos/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "harness/process.hpp"

namespace chaos {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int listen_anywhere() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_in address = loopback(0);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 64) != 0) {
    throw std::runtime_error("the proxy cannot listen: " + std::string(std::strerror(errno)));
  }
  return listener;
}

int port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

void send_at_once(int socket) {
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

bool would_block() { return errno == EAGAIN || errno == EINTR; }

}  // namespace

Proxy::Proxy(int broker_port, Watch watch)
    : broker_port_(broker_port),
      watch_(std::move(watch)),
      listener_(listen_anywhere()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      port_(port_of(listener_)),
      thread_([this] { run(); }) {}

Proxy::~Proxy() {
  stopped_ = true;
  wake();
  thread_.join();
  ::close(listener_);
  ::close(wake_);
}

void Proxy::wake() const { eventfd_write(wake_, 1); }

void Proxy::reset() {
  const int wanted = ++resets_wanted_;
  wake();
  harness::wait_until("the proxy's reset", [&] { return resets_done_ >= wanted; });
}

void Proxy::freeze(bool frozen) {
  frozen_ = frozen;
  wake();
}

void Proxy::hold_host(bool held) {
  host_held_ = held;
  wake();
}

void Proxy::run() {
  while (!stopped_) {
    turn(-1);
    if (resets_done_ < resets_wanted_) {
      // One more packet, if there is any, so that it is torn.
      turn(5);
      for (auto& link : links_) close(*link, true);
      resets_done_ = resets_wanted_.load();
    }
    std::erase_if(links_, [](const auto& link) { return link->over; });
    connections_ = static_cast<int>(links_.size());
  }
  for (auto& link : links_) close(*link, false);
}

void Proxy::turn(int most_ms) {
  std::vector<pollfd> descriptors{{wake_, POLLIN, 0}};
  const bool frozen = frozen_;
  if (!frozen) {
    descriptors.push_back({listener_, POLLIN, 0});
    for (const auto& link : links_) {
      for (const Stream* stream : {&link->up, &link->down}) {
        const bool held = stream->from_host && host_held_;
        const bool reads = stream->unsent.empty() && !stream->ended && !held;
        descriptors.push_back({reads ? stream->from : -1, POLLIN, 0});
        descriptors.push_back({stream->unsent.empty() || held ? -1 : stream->to, POLLOUT, 0});
      }
    }
  }
  poll(descriptors.data(), descriptors.size(), most_ms);
  eventfd_t ignored = 0;
  eventfd_read(wake_, &ignored);
  if (frozen) return;
  const std::size_t served = links_.size();
  if (descriptors[1].revents != 0) accept_one();
  for (std::size_t index = 0; index < served; ++index) {
    const pollfd* const of_link = &descriptors[2 + 4 * index];
    serve(*links_[index], links_[index]->up, of_link[0].revents, of_link[1].revents);
    serve(*links_[index], links_[index]->down, of_link[2].revents, of_link[3].revents);
  }
}

void Proxy::accept_one() {
  const int host = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (host < 0) return;
  const int broker = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(broker_port_);
  if (connect(broker, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    // What the host would have seen of a broker that is not there, or nearly.
    const linger at_once{1, 0};
    setsockopt(host, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(host);
    ::close(broker);
    return;
  }
  send_at_once(host);
  send_at_once(broker);
  links_.push_back(std::make_unique<Link>(Link{host, broker}));
}

// A connection is over when one side is and has been heard to its end.
void Proxy::serve(Link& link, Stream& stream, short received, short sendable) {
  if (link.over) return;
  if (received != 0) read(link, stream);
  if ((received != 0 || sendable != 0) && !stream.unsent.empty()) {
    const ssize_t size = send(stream.to, stream.unsent.data(), stream.unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size > 0) stream.unsent.erase(0, static_cast<std::size_t>(size));
    if (size < 0 && !would_block()) return close(link, false);
  }
  if (stream.ended && stream.unsent.empty()) close(link, resets_done_ < resets_wanted_);
}

void Proxy::read(Link& link, Stream& stream) {
  char buffer[65536];
  const ssize_t size = recv(stream.from, buffer, sizeof buffer, MSG_DONTWAIT);
  if (size < 0 && would_block()) return;
  if (size <= 0) {
    stream.ended = true;
    return;
  }
  stream.unread.append(buffer, static_cast<std::size_t>(size));
  const auto& watch = stream.from_host ? watch_.from_host : watch_.from_broker;
  const std::size_t whole = for_each_packet(stream.unread, link.mqtt5, [&](const Packet& packet) {
    if (stream.from_host && packet.type() == PacketType::connect) link.mqtt5 = packet.level() == 5;
    if (watch) watch(packet);
  });
  // A connection that is to be reset ends within a packet.
  const bool torn = resets_done_ < resets_wanted_;
  stream.unsent.append(stream.unread, 0, torn ? whole / 2 : whole);
  stream.unread.erase(0, whole);
  stream.ended = torn;
}

void Proxy::close(Link& link, bool with_reset) {
  if (link.over) return;
  link.over = true;
  for (const int socket : {link.host, link.broker}) {
    const linger at_once{1, 0};
    if (with_reset) setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(socket);
  }
}

}  // namespace chaos
