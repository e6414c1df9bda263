// The connection to the broker, by libmosquitto.
//
// It has no thread of its own (but for the moment of connecting, which may block): the driver polls its descriptors,
// then calls read(), dispatch() and, after the handlers and the commit, write(). libmosquitto is told that the
// application is threaded, so that nothing at all, acknowledgements included, is written before write().
#pragma once

#include <poll.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/log.hpp"
#include "mqtt/client.hpp"
#include "mqtt/few_calls.hpp"
#include "mqtt/subscriptions.hpp"

struct mosquitto;
struct mosquitto_message;

namespace botel::mqtt {

struct LinkConfig {
  std::string host = "127.0.0.1";
  int port = 1883;
  bool tls = false;
  std::string ca, cert, key;  // files; an empty ca means the system's
  std::string user, password;
  std::string client_id;  // empty: one is made up
  int version = 5;        // 5, or 3 for MQTT 3.1.1
  int qos = 1;            // of what is subscribed and published: 0, 1 or 2
  std::chrono::seconds keepalive{30};
  std::size_t max_payload = 1 << 20;   // bytes; larger ones arrive as over_limit, without their payload
  std::size_t max_waiting = 64 << 20;  // bytes that wait for a connection; beyond it the oldest are dropped and counted
};

// [driver]
class Link final : public Client {
 public:
  // Called by dispatch() for each message, in the order of arrival.
  using OnMessage = std::function<void(const Message&)>;

  static Result<std::unique_ptr<Link>> create(LinkConfig config, Counters& counters);
  ~Link() override;

  void publish(std::string_view topic, std::string_view payload) override;
  void subscribe(const std::string& filter, Done done) override;
  void unsubscribe(const std::string& filter) override;

  [[nodiscard]] pollfd descriptor() const;
  [[nodiscard]] bool connected() const { return state_ == State::connected; }
  // Why there is no connection, for people; empty while there is one.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  // Something is left to be read without polling.
  [[nodiscard]] bool has_more() const { return more_to_read_; }

  // Connects when it is time, keeps alive. Call it in every round, at least once a second.
  void tick(SteadyTime now);
  [[nodiscard]] SteadyTime next_tick() const { return next_tick_; }

  void read();
  void dispatch(const OnMessage& on_message);
  void write();

  // Says goodbye to the broker, for the end.
  void disconnect();

 private:
  enum class State { waiting, connecting, greeting, connected };
  struct Attempt;
  struct Callbacks;
  struct Answer {
    int packet;
    std::string reason;  // empty: granted
  };

  Link(LinkConfig config, Counters& counters);
  Result<> set_up();
  void start_attempt();
  void finish_attempt();
  void greeted();
  void lost(std::string why);
  void start_anew();
  bool broker_left();
  [[nodiscard]] std::string farewell(const std::string& otherwise) const;
  void ask(const std::string& filter);
  void ask_for_lost(SteadyTime now);
  void send(const std::string& topic, std::string_view payload);

  const LinkConfig config_;
  std::shared_ptr<mosquitto> client_;  // shared with a thread that is still connecting at the end
  std::shared_ptr<Attempt> attempt_;
  State state_ = State::waiting;
  std::string trouble_ = "not connected yet";
  ReadAhead read_ahead_;
  bool more_to_read_ = false;
  bool read_unwritten_ = false;  // something was read since the last write
  SteadyTime next_tick_{};
  unsigned failures_ = 0;           // without a lasting connection in between
  unsigned short_connections_ = 0;  // in a row
  long unacknowledged_ = 0;         // messages that libmosquitto has, and the broker perhaps not
  SteadyTime connected_at_{};
  std::minstd_rand random_{std::random_device{}()};

  // What libmosquitto's callbacks collected since the last dispatch().
  std::vector<Message> inbox_;  // the first arrived_ are in use: the strings keep their memory
  std::size_t arrived_ = 0;
  std::vector<Answer> answers_;
  std::optional<int> greeting_;  // the reason code of a CONNACK
  std::optional<int> farewell_;  // the reason code of a DISCONNECT

  Subscriptions subscriptions_;
  int refused_here_ = 0;  // counts down
  std::vector<std::string> lost_filters_;
  SteadyTime ask_again_{};
  log::Throttle complaints_;
  std::deque<std::pair<std::string, std::string>> waiting_;  // topic and payload, for the next connection
  std::size_t waiting_bytes_ = 0;
  std::string topic_;  // a NUL-terminated copy, reused

  Counter& received_;
  Counter& published_;
  Counter& dropped_;
  Counter& connections_;
};

}  // namespace botel::mqtt
