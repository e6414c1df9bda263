#include "mqtt/goodbye.hpp"

#include <fcntl.h>
#include <mosquitto.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace botel::mqtt {

Goodbye::Goodbye(mosquitto* client, const mosquitto_property* properties)
    : client_(client), socket_(fcntl(mosquitto_socket(client), F_DUPFD_CLOEXEC, 0)) {
  mosquitto_disconnect_v5(client_, 0, properties);
}

pollfd Goodbye::descriptor() const { return {socket_.get(), static_cast<short>(written_ ? POLLIN : POLLOUT), 0}; }

bool Goodbye::advance() {
  if (!written_) {
    if (mosquitto_socket(client_) >= 0 && mosquitto_loop_write(client_, 1) != MOSQ_ERR_SUCCESS) return true;
    written_ = mosquitto_socket(client_) < 0;
    if (!written_) return false;
  }
  std::array<char, 65536> bytes;
  ssize_t count = 0;
  do {
    count = recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  } while (count > 0);
  return count == 0 || errno != EAGAIN;
}

void Goodbye::finish(SteadyTime deadline) {
  while (!advance()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    pollfd wanted = descriptor();
    poll(&wanted, 1, static_cast<int>(left.count()));
  }
}

}  // namespace botel::mqtt
