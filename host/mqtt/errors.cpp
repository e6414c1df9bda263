#include "mqtt/errors.hpp"

#include <fmt/core.h>
#include <mosquitto.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace botel::mqtt {

std::string describe(int error) {
  switch (error) {
    case MOSQ_ERR_ERRNO: return std::strerror(errno);
    case MOSQ_ERR_EAI:
    case MOSQ_ERR_LOOKUP: return "its name cannot be looked up";
    case MOSQ_ERR_KEEPALIVE: return "the broker does not answer any more";
    case MOSQ_ERR_MALFORMED_PACKET: return "the broker has sent a packet that is no MQTT";
    default: break;
  }
  const std::string_view text = mosquitto_strerror(error);
  return text == "Unknown error." ? fmt::format("error {} of libmosquitto", error) : std::string(text);
}

}  // namespace botel::mqtt
