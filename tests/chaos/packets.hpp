// MQTT packets in a stream of bytes: as much of them as a test must see. It shares nothing with the host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace chaos {

enum class PacketType { connect = 1, connack = 2, publish = 3, puback = 4 };  // and those that nobody asks for

struct Packet {
  std::string_view bytes;  // all of it
  std::string_view body;   // behind the fixed header
  bool mqtt5 = true;       // as its connection speaks

  [[nodiscard]] PacketType type() const { return static_cast<PacketType>(static_cast<std::uint8_t>(bytes[0]) >> 4); }
  // Of a PUBLISH of QoS 1 or 2, and of a PUBACK.
  [[nodiscard]] int id() const;
  // Of a PUBLISH.
  [[nodiscard]] int qos() const { return bytes[0] >> 1 & 3; }
  [[nodiscard]] bool duplicate() const { return (bytes[0] & 8) != 0; }
  [[nodiscard]] std::string_view topic() const;
  [[nodiscard]] std::string_view payload() const;
  // Of a CONNECT: its protocol's level.
  [[nodiscard]] int level() const;
  // Of a CONNACK.
  [[nodiscard]] bool session_present() const { return (body[0] & 1) != 0; }
};

// Calls `visit` for each packet at the beginning of `stream` that is whole; how many bytes these are.
std::size_t for_each_packet(std::string_view stream, bool mqtt5, const std::function<void(const Packet&)>& visit);

}  // namespace chaos
