#include "harness/broker.hpp"

#include <arpa/inet.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace harness {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Debian keeps it where the PATH of most users does not lead.
std::string mosquitto() {
  for (const char* file : {"/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"}) {
    if (access(file, X_OK) == 0) return file;
  }
  return "mosquitto";
}

}  // namespace

Broker::Broker(std::filesystem::path folder, BrokerOptions options)
    : folder_(std::move(folder)), options_(std::move(options)) {
  std::filesystem::create_directories(folder_);
  for (int attempt = 0; attempt < 20; ++attempt) {
    port_ = free_port();
    // Somebody may have been quicker to take the port.
    if (try_start()) return;
  }
  throw std::runtime_error("mosquitto does not start: " + last_words());
}

void Broker::start() {
  if (!try_start()) throw std::runtime_error("mosquitto does not start again: " + last_words());
}

std::string Broker::last_words() const {
  const std::string text = log();
  return text.substr(text.size() - std::min<std::size_t>(text.size(), 1000));
}

bool Broker::try_start() {
  const passwd* const user = getpwuid(geteuid());
  // Started by root it would become another user, who cannot write here and outlives a killed test.
  write_file(folder_ / "mosquitto.conf",
             "listener " + std::to_string(port_) + " 127.0.0.1\n" + "allow_anonymous " +
                 (options_.anonymous ? "true" : "false") + "\n" + "user " + (user ? user->pw_name : "root") + "\n" +
                 "persistence " + (options_.keeps_sessions ? "true" : "false") + "\n" + "persistence_location " +
                 folder_.string() + "/\n" + "max_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n" +
                 "log_dest stderr\nlog_type all\n" + options_.lines);
  process_ = std::make_unique<Process>(
      Process::Options{{mosquitto(), "-c", (folder_ / "mosquitto.conf").string()}, folder_ / "mosquitto.log", {}});
  wait_until("mosquitto to listen", [this] { return !process_->running() || accepts(port_); });
  return process_->running();
}

// Told to, it saves its sessions.
void Broker::stop() {
  process_->signal(SIGTERM);
  process_->wait();
}

void Broker::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

void Broker::freeze() { process_->signal(SIGSTOP); }

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  bind(probe, reinterpret_cast<const sockaddr*>(&address), size);
  getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
  close(probe);
  return ntohs(address.sin_port);
}

bool accepts(int port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  const bool accepted = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return accepted;
}

void Broker::wait_for_subscription(const std::string& filter) const {
  constexpr std::string_view from = "Received SUBSCRIBE from ";
  wait_until("no subscription to " + filter, [&] {
    const std::string text = log();
    const auto asked = text.rfind("\t" + filter + " (QoS");
    const auto packet = asked == std::string::npos ? asked : text.rfind(from, asked);
    // Nothing of what was before, neither of this broker nor of this client.
    if (packet == std::string::npos || packet < text.rfind(" mosquitto version ")) return false;
    const auto name = packet + from.size();
    const std::string client = text.substr(name, text.find('\n', name) - name);
    const auto connected = text.rfind("Sending CONNACK to " + client + " ");
    return connected < packet && text.find("Sending SUBACK to " + client, asked) != std::string::npos;
  });
}

// A filter of a SUBSCRIBE has its QoS after it.
bool Broker::was_unsubscribed(const std::string& filter) const {
  return log().find("\t" + filter + "\n") != std::string::npos;
}

void Broker::wait_for_unsubscription(const std::string& filter) const {
  wait_until("UNSUBSCRIBE " + filter, [&] { return was_unsubscribed(filter); });
}

TakenPort::TakenPort(int port) : port_(port), socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const sockaddr_in address = loopback(port);
  // Connections of somebody who had it before may still be closing.
  const int yes = 1;
  setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) listen(socket_, 16);
  if (!accepts(port)) throw std::runtime_error("port " + std::to_string(port) + " is neither free nor taken");
}

TakenPort::~TakenPort() { close(socket_); }

}  // namespace harness
