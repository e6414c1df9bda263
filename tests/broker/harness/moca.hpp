// A client that speaks to connectors as the published MOCA server does: for each request it subscribes to the answer,
// publishes, and waits, anew after each keepalive.
#pragma once

#include <string>

#include "harness/client.hpp"
#include "harness/world.hpp"

namespace harness {

class Moca {
 public:
  // `id`: of the connector.
  Moca(const Broker& broker, std::string type, std::string id);

  // One step of the configuration, in the form of the text and in that of the server; the answer.
  std::string configure(const std::string& payload = "{}");
  std::string configure_by_uuid(const std::string& payload = "{}") { return request("configure", payload); }
  // TYPE/ID/UUID/COMMAND, with a UUID of its own for each.
  std::string request(const std::string& command, const std::string& payload = "{}");
  // TYPE/users/ID/COMMAND
  std::string old_request(const std::string& command, const std::string& payload = "{}");
  // Publishes and waits for the answer.
  std::string ask(const std::string& topic, const std::string& payload);

  // Only publishes; the topic.
  std::string send(const std::string& command, const std::string& payload = "{}");
  // The next answer there.
  std::string answer(const std::string& topic);

  struct Media {
    std::string bytes, filename, mime;
    int pieces = 0;
    std::string error;  // the answer, when it is one
  };
  Media get_media(const std::string& command);
  // What is still to come of it.
  Media rest_of_media(const std::string& topic);

  // After the crash of a host: what it says once more is not taken for an answer.
  void skip_repeats();

  // What the connector pushes: kind is contacts, chats or messages.
  Received pushed(const std::string& kind, const Client::Wanted& wanted = {});

  [[nodiscard]] std::string type() const { return type_; }
  [[nodiscard]] std::string id() const { return id_; }
  [[nodiscard]] std::string topic(const std::string& command);

  Client client;

 private:
  const std::string type_, id_;
  int last_uuid_ = 0;
};

// {"step":"finished", ...}
[[nodiscard]] bool is_finished(const std::string& answer);
// The bytes of a Base64 text; throws when it is none.
[[nodiscard]] std::string from_base64(const std::string& text);
// The items of a JSON list, each as JSON.
[[nodiscard]] std::vector<std::string> items(const std::string& list);

}  // namespace harness
