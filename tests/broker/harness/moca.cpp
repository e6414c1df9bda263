#include "harness/moca.hpp"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace harness {

Moca::Moca(const Broker& broker, std::string type, std::string id)
    : client(broker.port()), type_(std::move(type)), id_(std::move(id)) {
  client.subscribe("moca/via/" + type_ + "/" + id_ + "/#");
}

std::string Moca::topic(const std::string& command) {
  return type_ + "/" + id_ + "/uuid-" + std::to_string(++last_uuid_) + "/" + command;
}

std::string Moca::configure(const std::string& payload) { return ask(type_ + "/configure/" + id_, payload); }

std::string Moca::request(const std::string& command, const std::string& payload) {
  return ask(topic(command), payload);
}

std::string Moca::old_request(const std::string& command, const std::string& payload) {
  return ask(type_ + "/users/" + id_ + "/" + command, payload);
}

std::string Moca::ask(const std::string& topic, const std::string& payload) {
  client.subscribe(topic + "/response");
  client.subscribe(topic + "/keepalive");
  client.publish(topic, payload);
  return answer(topic);
}

std::string Moca::send(const std::string& command, const std::string& payload) {
  const std::string to = topic(command);
  client.subscribe(to + "/response");
  client.subscribe(to + "/keepalive");
  client.publish(to, payload);
  return to;
}

std::string Moca::answer(const std::string& topic) {
  while (true) {
    const Received next = client.expect(topic + "/+", {}, "an answer");
    if (next.topic.ends_with("/response")) return next.payload;
  }
}

Moca::Media Moca::get_media(const std::string& command) { return rest_of_media(send(command)); }

Moca::Media Moca::rest_of_media(const std::string& topic) {
  Media media;
  while (true) {
    const std::string piece = answer(topic);
    if (!at(piece, "error").empty()) {
      media.error = piece;
      return media;
    }
    if (contains(R"("data":null)")(piece)) {
      media.filename = at(piece, "filename");
      media.mime = at(piece, "mime");
      return media;
    }
    media.bytes += from_base64(at(piece, "data"));
    ++media.pieces;
  }
}

// They come before anything that is asked now.
void Moca::skip_repeats() {
  request("get_nothing");
  client.forget();
}

Received Moca::pushed(const std::string& kind, const Client::Wanted& wanted) {
  return client.expect("moca/via/" + type_ + "/" + id_ + "/" + kind, wanted, "a push");
}

bool is_finished(const std::string& answer) { return at(answer, "step") == "finished"; }

std::string from_base64(const std::string& text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) throw std::runtime_error("Base64 without its padding");
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    unsigned value = 0;
    int padding = 0;
    for (std::size_t j = i; j < i + 4; ++j) {
      const auto digit = kDigits.find(text[j]);
      if (digit == kDigits.npos && (text[j] != '=' || j < text.size() - 2)) throw std::runtime_error("no Base64");
      padding += digit == kDigits.npos ? 1 : 0;
      value = value << 6 | (digit == kDigits.npos ? 0 : static_cast<unsigned>(digit));
    }
    for (int byte = 0; byte < 3 - padding; ++byte) bytes += static_cast<char>(value >> (16 - 8 * byte) & 0xFF);
  }
  return bytes;
}

std::vector<std::string> items(const std::string& list) {
  rapidjson::Document document;
  document.Parse(list.data(), list.size());
  if (!document.IsArray()) throw std::runtime_error("this is no list: " + list.substr(0, 300));
  std::vector<std::string> all;
  for (const auto& element : document.GetArray()) {
    rapidjson::StringBuffer buffer;
    rapidjson::Writer writer(buffer);
    element.Accept(writer);
    all.emplace_back(buffer.GetString(), buffer.GetSize());
  }
  return all;
}

}  // namespace harness
