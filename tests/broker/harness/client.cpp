#include "harness/client.hpp"

#include <mqtt_protocol.h>

#include <stdexcept>

namespace harness {
namespace {

using std::chrono::steady_clock;

void check(int code, const char* what) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(std::string(what) + ": " + mosquitto_strerror(code));
}

bool matches(const std::string& filter, const std::string& topic) {
  bool result = false;
  return mosquitto_topic_matches_sub(filter.c_str(), topic.c_str(), &result) == MOSQ_ERR_SUCCESS && result;
}

bool fits(const Received& message, const std::string& filter, const Client::Wanted& wanted) {
  return !message.taken && matches(filter, message.topic) && (!wanted || wanted(message.payload));
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

// The messages that somebody may look for when the right one did not come.
std::string tail(const std::deque<Received>& received) {
  std::string text;
  for (const auto& message : received) {
    if (message.taken) continue;
    text += "\n  " + message.topic + "  " + message.payload.substr(0, 300);
  }
  return text.empty() ? " nothing" : text;
}

}  // namespace

Client::Client(int port, ClientOptions options)
    : port_(port), options_(std::move(options)), client_(nullptr, mosquitto_destroy) {
  mosquitto_lib_init();
  client_.reset(mosquitto_new(or_null(options_.id), options_.id.empty(), this));
  mosquitto* const client = client_.get();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, 65535);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  if (!options_.user.empty()) mosquitto_username_pw_set(client, options_.user.c_str(), or_null(options_.password));
  if (!options_.ca.empty()) {
    check(
        mosquitto_tls_set(client, options_.ca.c_str(), nullptr, or_null(options_.cert), or_null(options_.key), nullptr),
        "TLS");
  }
  mosquitto_connect_callback_set(
      client, [](mosquitto*, void* self, int code) { static_cast<Client*>(self)->connected_ = code == 0; });
  mosquitto_subscribe_callback_set(client, [](mosquitto*, void* self, int packet, int, const int* granted) {
    if (granted[0] < 0x80) static_cast<Client*>(self)->last_granted_ = packet;
  });
  mosquitto_message_callback_set(client, [](mosquitto*, void* self, const mosquitto_message* message) {
    auto& received = static_cast<Client*>(self)->received_;
    received.push_back(
        {received.size(), message->topic,
         std::string(static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)),
         message->retain});
  });
  connect();
}

void Client::connect() {
  connected_ = false;
  mosquitto_property* properties = nullptr;
  if (!options_.id.empty()) {
    mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600);
  }
  const int code = mosquitto_connect_bind_v5(client_.get(), "127.0.0.1", port_, 60, nullptr, properties);
  mosquitto_property_free_all(&properties);
  check(code, "connect");
  const auto deadline = steady_clock::now() + kPatience;
  while (!connected_) {
    if (steady_clock::now() > deadline) throw std::runtime_error("the broker does not accept the test's client");
    turn();
  }
}

void Client::reconnect() {
  mosquitto_disconnect(client_.get());
  connect();
}

void Client::turn() { check(mosquitto_loop(client_.get(), 20, 1), "the test's own connection"); }

void Client::subscribe(const std::string& filter) {
  int packet = 0;
  // Retain as published: so that a message of the host's that is retained is seen to be.
  check(mosquitto_subscribe_v5(client_.get(), &packet, filter.c_str(), 1,
                               MQTT_SUB_OPT_NO_LOCAL | MQTT_SUB_OPT_RETAIN_AS_PUBLISHED, nullptr),
        "subscribe");
  const auto deadline = steady_clock::now() + kPatience;
  while (last_granted_ != packet) {
    if (steady_clock::now() > deadline) throw std::runtime_error("no grant of " + filter);
    turn();
  }
}

void Client::publish(const std::string& topic, const std::string& payload, bool retain) {
  check(mosquitto_publish(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(),
                          options_.qos, retain),
        "publish");
}

Received Client::expect(const std::string& filter, const Wanted& wanted, const std::string& what) {
  const auto deadline = steady_clock::now() + kPatience;
  for (std::size_t next = 0;;) {
    for (; next < received_.size(); ++next) {
      if (!fits(received_[next], filter, wanted)) continue;
      received_[next].taken = true;
      return received_[next];
    }
    if (steady_clock::now() > deadline) {
      throw std::runtime_error("waited in vain for " + what + " on " + filter + "; there is:" + tail(received_));
    }
    turn();
  }
}

void Client::forget() {
  for (auto& message : received_) message.taken = true;
}

std::vector<Received> Client::unexpected(const std::string& filter, const Wanted& wanted) const {
  std::vector<Received> found;
  for (const auto& message : received_) {
    if (fits(message, filter, wanted)) found.push_back(message);
  }
  return found;
}

}  // namespace harness
