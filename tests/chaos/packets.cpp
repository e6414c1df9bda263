#include "chaos/packets.hpp"

namespace chaos {
namespace {

struct Length {
  std::size_t value = 0, size = 0;  // size: of the length itself; 0: there is more to come
};

// A variable byte integer.
Length read_length(std::string_view text) {
  Length length;
  for (std::size_t at = 0; at < text.size() && at < 4; ++at) {
    length.value |= static_cast<std::size_t>(text[at] & 0x7f) << (7 * at);
    if ((text[at] & 0x80) == 0) return {length.value, at + 1};
  }
  return {};
}

int two_bytes(std::string_view text) {
  return static_cast<std::uint8_t>(text[0]) << 8 | static_cast<std::uint8_t>(text[1]);
}

}  // namespace

std::string_view Packet::topic() const { return body.substr(2, static_cast<std::size_t>(two_bytes(body))); }

int Packet::id() const { return two_bytes(type() == PacketType::publish ? body.substr(2 + topic().size()) : body); }

std::string_view Packet::payload() const {
  std::string_view rest = body.substr(2 + topic().size() + (qos() > 0 ? 2 : 0));
  if (!mqtt5) return rest;
  const Length properties = read_length(rest);
  return rest.substr(properties.size + properties.value);
}

int Packet::level() const { return body[2 + static_cast<std::size_t>(two_bytes(body))]; }

std::size_t for_each_packet(std::string_view stream, bool mqtt5, const std::function<void(const Packet&)>& visit) {
  std::size_t done = 0;
  while (done < stream.size()) {
    const Length length = read_length(stream.substr(done + 1));
    const std::size_t size = 1 + length.size + length.value;
    if (length.size == 0 || stream.size() - done < size) break;
    const std::string_view bytes = stream.substr(done, size);
    visit({bytes, bytes.substr(1 + length.size), mqtt5});
    done += size;
  }
  return done;
}

}  // namespace chaos
