#include "harness/control.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <stdexcept>

namespace harness {

std::string ask(const std::filesystem::path& data, const std::string& bytes, bool listen) {
  const std::string file = (data / "control").string();
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  file.copy(address.sun_path, sizeof address.sun_path - 1);
  if (connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(socket);
    throw std::runtime_error("nobody listens on " + file);
  }
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t size = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) break;
    sent += static_cast<std::size_t>(size);
  }
  std::string answer;
  char buffer[4096];
  for (ssize_t size = 0; listen && (size = read(socket, buffer, sizeof buffer)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(size));
  }
  close(socket);
  return answer;
}

}  // namespace harness
