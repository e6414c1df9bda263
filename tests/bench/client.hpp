// A libmosquitto client, MQTT 5, driven by its own poll(): a turn reads all there is, then writes all that the
// callbacks queued. One thread. A lost connection or a refused call throws: a benchmark has nothing to save.
#pragma once

#include <mosquitto.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mqtt/few_calls.hpp"

struct ClientOptions {
  std::string id;
  int port = 1883;     // on 127.0.0.1
  int qos = 1;         // of subscriptions and publishes
  bool plain = false;  // leave libmosquitto's system calls as they are: see host/mqtt/few_calls.hpp
};

class Client {
 public:
  // Called inside turn(), and may call anything but turn(). The views are valid until the handler returns.
  using MessageHandler = std::function<void(std::string_view topic, std::string_view payload)>;
  using SubscribedHandler = std::function<void(int packet_id)>;

  explicit Client(const ClientOptions& options);  // returns when the broker has accepted it

  void on_message(MessageHandler handler) { on_message_ = std::move(handler); }
  void on_subscribed(SubscribedHandler handler) { on_subscribed_ = std::move(handler); }

  int subscribe(const std::string& filter);  // returns the packet id that on_subscribed gets
  void subscribe_and_wait(const std::string& filter);
  void unsubscribe(const std::string& filter);
  void publish(const char* topic, std::string_view payload);  // only queued until the turn's end

  void turn(std::chrono::milliseconds longest_wait);

 private:
  void poll_socket(std::chrono::milliseconds longest_wait);
  void read_all();
  bool write_all();  // false: there was nothing
  void acknowledge_now();

  // No exception may cross libmosquitto: it waits here until read_all() is out of it.
  template <typename Call>
  void call_handler(Call call) noexcept {
    try {
      call(*this);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  struct Closer {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };
  std::unique_ptr<mosquitto, Closer> client_;
  const int qos_;
  const bool plain_;
  botel::mqtt::ReadAhead read_ahead_;
  bool connected_ = false;
  int last_subscribed_ = 0;
  std::chrono::steady_clock::time_point next_misc_;
  MessageHandler on_message_;
  SubscribedHandler on_subscribed_;
  std::exception_ptr failure_;
};
