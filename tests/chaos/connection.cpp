#include "chaos/connection.hpp"

#include <mqtt_protocol.h>
#include <poll.h>

#include <stdexcept>
#include <thread>

namespace chaos {
namespace {

using std::chrono::milliseconds;

bool is_outage(int code) {
  return code == MOSQ_ERR_NO_CONN || code == MOSQ_ERR_CONN_LOST || code == MOSQ_ERR_CONN_REFUSED ||
         code == MOSQ_ERR_ERRNO || code == MOSQ_ERR_KEEPALIVE;
}

void check(int code, const char* what) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(std::string(what) + ": " + mosquitto_strerror(code));
}

}  // namespace

Connection::Connection(int port, std::string id, std::vector<std::string> filters, Listener listener)
    : port_(port), filters_(std::move(filters)), listener_(std::move(listener)), client_(nullptr, mosquitto_destroy) {
  mosquitto_lib_init();
  client_.reset(mosquitto_new(id.c_str(), false, this));
  mosquitto* const client = client_.get();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, 65535);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 65535);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_callback_set(client, [](mosquitto* self_client, void* self, int code) {
    if (code != 0) return;
    std::vector<char*> filters;
    for (const auto& filter : static_cast<Connection*>(self)->filters_) {
      filters.push_back(const_cast<char*>(filter.c_str()));
    }
    // A broker that lost its sessions has lost the subscriptions, too.
    check(mosquitto_subscribe_multiple(self_client, nullptr, static_cast<int>(filters.size()), filters.data(), 1, 0,
                                       nullptr),
          "subscribe");
  });
  mosquitto_subscribe_callback_set(
      client, [](mosquitto*, void* self, int, int, const int*) { static_cast<Connection*>(self)->ready_ = true; });
  mosquitto_publish_callback_set(
      client, [](mosquitto*, void* self, int) { --static_cast<Connection*>(self)->unacknowledged_; });
  mosquitto_message_callback_set(client, [](mosquitto*, void* self, const mosquitto_message* message) {
    static_cast<Connection*>(self)->take(*message);
  });
}

void Connection::take(const mosquitto_message& message) noexcept try {
  const auto size = static_cast<std::size_t>(message.payloadlen);
  listener_(message.topic, std::string(static_cast<const char*>(message.payload), size));
} catch (...) {
  failure_ = std::current_exception();
}

void Connection::connect() {
  ready_ = false;
  mosquitto_property* properties = nullptr;
  mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, 3600);
  const int code = mosquitto_connect_bind_v5(client_.get(), "127.0.0.1", port_, 60, nullptr, properties);
  mosquitto_property_free_all(&properties);
  connected_ = code == MOSQ_ERR_SUCCESS;
  if (!connected_ && !is_outage(code)) check(code, "connect");
}

void Connection::publish(const std::string& topic, const std::string& payload) {
  const int code = mosquitto_publish(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()),
                                     payload.data(), 1, false);
  if (code != MOSQ_ERR_SUCCESS && !is_outage(code)) check(code, "publish");
  ++unacknowledged_;
}

void Connection::wait(milliseconds most) const {
  if (!connected_) return std::this_thread::sleep_for(milliseconds(20));
  const short events = mosquitto_want_write(client_.get()) ? POLLIN | POLLOUT : POLLIN;
  pollfd descriptor{mosquitto_socket(client_.get()), events, 0};
  poll(&descriptor, 1, static_cast<int>(most.count()));
}

void Connection::turn() {
  if (!connected_) connect();
  if (!connected_) return;
  const int code = mosquitto_loop(client_.get(), 0, 1);
  if (failure_) std::rethrow_exception(failure_);
  if (code == MOSQ_ERR_SUCCESS) return;
  if (!is_outage(code)) check(code, "the test's own connection");
  connected_ = ready_ = false;
  ++losses_;
}

}  // namespace chaos
