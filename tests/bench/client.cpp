#include "client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <stdexcept>

namespace {

using std::string_view;

void check(int code, const char* what) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(std::string(what) + ": " + mosquitto_strerror(code));
}

constexpr int kLargest = 65535;  // of the packets in flight that MQTT can number: no limit of ours

}  // namespace

Client::Client(const ClientOptions& options) : qos_(options.qos), plain_(options.plain) {
  mosquitto_lib_init();
  std::optional<botel::mqtt::NoSocketPairs> scope;
  if (!options.plain) scope.emplace();
  client_.reset(mosquitto_new(options.id.c_str(), true, this));
  if (!client_) throw std::runtime_error("mosquitto_new failed");
  mosquitto* client = client_.get();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, kLargest);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, kLargest);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  // Told that the application is threaded, libmosquitto writes nothing before mosquitto_loop_write.
  mosquitto_threaded_set(client, true);

  mosquitto_connect_callback_set(
      client, [](mosquitto*, void* self, int code) { static_cast<Client*>(self)->connected_ = code == 0; });
  mosquitto_message_callback_set(client, [](mosquitto*, void* self, const mosquitto_message* message) {
    const auto* payload = static_cast<const char*>(message->payload);
    const string_view view(payload, static_cast<size_t>(message->payloadlen));
    static_cast<Client*>(self)->call_handler([&](Client& that) {
      if (that.on_message_) that.on_message_(message->topic, view);
    });
  });
  mosquitto_subscribe_callback_set(client, [](mosquitto*, void* self, int packet_id, int, const int*) {
    static_cast<Client*>(self)->call_handler([&](Client& that) {
      that.last_subscribed_ = packet_id;
      if (that.on_subscribed_) that.on_subscribed_(packet_id);
    });
  });

  check(mosquitto_connect(client, "127.0.0.1", options.port, 60), "connect");
  while (!connected_) turn(std::chrono::milliseconds(1000));
}

int Client::subscribe(const std::string& filter) {
  int packet_id = 0;
  check(mosquitto_subscribe(client_.get(), &packet_id, filter.c_str(), qos_), "subscribe");
  return packet_id;
}

void Client::subscribe_and_wait(const std::string& filter) {
  const int packet_id = subscribe(filter);
  while (last_subscribed_ != packet_id) turn(std::chrono::milliseconds(1000));
}

void Client::unsubscribe(const std::string& filter) {
  check(mosquitto_unsubscribe(client_.get(), nullptr, filter.c_str()), "unsubscribe");
}

void Client::publish(const char* topic, std::string_view payload) {
  const int length = static_cast<int>(payload.size());
  check(mosquitto_publish(client_.get(), nullptr, topic, length, payload.data(), qos_, false), "publish");
}

void Client::turn(std::chrono::milliseconds longest_wait) {
  write_all();
  poll_socket(longest_wait);
  if (!write_all()) acknowledge_now();

  const auto now = std::chrono::steady_clock::now();
  if (now < next_misc_) return;
  check(mosquitto_loop_misc(client_.get()), "keepalive");
  next_misc_ = now + std::chrono::seconds(1);
}

bool Client::write_all() {
  if (!mosquitto_want_write(client_.get())) return false;
  check(mosquitto_loop_write(client_.get(), 1), "write");
  return true;
}

void Client::poll_socket(std::chrono::milliseconds longest_wait) {
  pollfd socket{mosquitto_socket(client_.get()), POLLIN, 0};
  // Something is left to write only when the kernel's buffer is full.
  if (mosquitto_want_write(client_.get())) socket.events |= POLLOUT;
  if (poll(&socket, 1, static_cast<int>(longest_wait.count())) > 0 && socket.revents != POLLOUT) read_all();
}

void Client::read_all() {
  // mosquitto_loop_read returns after some packets; only errno says that the socket is empty. A full socket pair says
  // so too: --plain then goes another way round poll().
  std::optional<botel::mqtt::ReadAhead::Scope> scope;
  if (!plain_) scope.emplace(read_ahead_, mosquitto_socket(client_.get()));
  do {
    errno = 0;
    check(mosquitto_loop_read(client_.get(), 1), "read");
  } while (!failure_ && (plain_ ? errno != EAGAIN : !read_ahead_.dry()));
  if (failure_) std::rethrow_exception(failure_);
}

// The broker leaves Nagle's algorithm on: after a PUBACK that needs no answer, its next packet would wait for our
// delayed TCP acknowledgement, 40 ms. What we write carries the acknowledgement; when there is nothing to write, ask
// for it.
void Client::acknowledge_now() {
  const int on = 1;
  setsockopt(mosquitto_socket(client_.get()), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}
