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
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/log.hpp"
#include "mqtt/backoff.hpp"
#include "mqtt/client.hpp"
#include "mqtt/few_calls.hpp"
#include "mqtt/goodbye.hpp"
#include "mqtt/outbox.hpp"
#include "mqtt/redeliveries.hpp"
#include "mqtt/subscriptions.hpp"

struct mosquitto;
struct mosquitto_message;
struct mqtt5__property;

namespace botel::mqtt {

class Tls;

struct LinkConfig {
  std::string host = "127.0.0.1";
  int port = 1883;
  bool tls = false;
  std::string ca, cert, key;  // files; an empty ca means the system's
  std::string user, password;
  std::string client_id;  // empty: one is made up
  // Whether the broker keeps what comes while nobody is connected, and how long; needs a client_id that stays the same.
  // Otherwise it does so within the run only, and with MQTT 5.
  bool keep_session = false;
  std::chrono::seconds session_expiry{std::chrono::hours(24 * 7)};
  int version = 5;  // 5, or 3 for MQTT 3.1.1
  int qos = 1;      // of what is subscribed and published: 0 or 1
  std::chrono::seconds keepalive{30};
  std::size_t max_payload = 1 << 20;  // bytes; larger ones arrive as over_limit, with what `outline` makes of them
  std::string (*outline)(std::string_view topic, std::string_view payload) = nullptr;
  std::size_t max_waiting = 64 << 20;  // bytes that the broker has not acknowledged; beyond it full() says so
};

// [driver]
class Link final : public Client {
 public:
  // Called by dispatch() for each message, in the order of arrival; not for those that the broker hands over again.
  using OnMessage = std::function<void(const Message&)>;

  static Result<std::unique_ptr<Link>> create(LinkConfig config, Counters& counters);
  ~Link() override;

  using Client::publish;
  void publish(std::string_view topic, std::string_view payload, Over over) override;
  [[nodiscard]] std::uint64_t losses() const override { return losses_; }
  void subscribe(const std::string& filter, Done done) override;
  void unsubscribe(const std::string& filter) override;
  void disown(const std::string& filter) override;

  [[nodiscard]] pollfd descriptor() const;
  [[nodiscard]] bool connected() const { return state_ == State::connected; }
  // Why there is no connection, for people; empty while there is one.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  // Too much waits for the broker: make no more before it has less.
  [[nodiscard]] bool full() const { return outbox_.bytes() > config_.max_waiting; }
  // Whether the broker has answered all that was subscribed.
  [[nodiscard]] bool settled() const { return connected() && subscriptions_.settled() && to_ask_.empty(); }
  [[nodiscard]] bool grants(const std::string& filter) const { return subscriptions_.grants(filter); }
  // Something is left to be read, or dispatched, without polling.
  [[nodiscard]] bool has_more() const { return more_to_read_ || outbox_.has_news(); }

  // Connects when it is time, keeps alive. Call it in every round, at least once a second.
  void tick(SteadyTime now);
  [[nodiscard]] SteadyTime next_tick() const;

  void read();
  void dispatch(const OnMessage& on_message);
  void write();

  // Ends the connection without writing another byte, so that nothing is acknowledged that was read last, and makes no
  // new one before resume().
  void cut(const std::string& why);
  void resume() { cut_ = false; }  // makes connections again

  // Now and then: gives up memory that nobody needs any more.
  void tidy() {
    if (arrived_ == 0) inbox_ = {};
  }

  // For the end: waits, until `deadline` at most, until the broker has what waits for it, and has confirmed what was
  // acknowledged, and ends the connection. What comes in meanwhile is neither handled nor acknowledged: the broker
  // keeps it with the session, for the next run.
  void leave(SteadyTime deadline);

  // What an earlier run left, before the first tick().
  void restore(store::Message message) { outbox_.restore(std::move(message)); }
  void restore(const store::Received& received) { redeliveries_.restore(received); }
  // Something is there that must not be written, or acknowledged, before the store has it.
  [[nodiscard]] bool has_changes() const {
    return outbox_.has_new() || (config_.keep_session && redeliveries_.has_new());
  }
  // The store holds something that the broker has.
  [[nodiscard]] bool has_gone() const { return outbox_.has_gone() || redeliveries_.has_gone(); }
  void save(store::Batch& batch);

 private:
  enum class State { waiting, connecting, greeting, connected, renewing };
  struct Attempt;
  struct Callbacks;
  struct Answer {
    int packet;
    std::string reason;  // empty: granted
  };
  struct Greeting {
    int code;
    bool session_present;
    int receive_maximum;
    int maximum_qos;
  };
  struct Arrival {
    Message message;
    std::uint16_t packet;  // 0: QoS 0
    std::uint64_t hash;
  };
  struct Acknowledgement {
    int packet;
    int code;
  };

  Link(LinkConfig config, Counters& counters);
  Result<> set_up();
  void start_attempt();
  void finish_attempt();
  void greeted();
  void lost(std::string why);
  void disconnected(bool was_connected);
  void keep_session_from_now_on();
  void ask_to_confirm();
  [[nodiscard]] bool reads_too_far() const;
  [[nodiscard]] bool reads_blindly() const;
  void begin_renewal();
  void go_on_with_renewal(SteadyTime now);
  void look_for_culprit();
  [[nodiscard]] bool careful() const { return !outbox_.empty() && outbox_.front().id <= careful_until_; }
  bool broker_left();
  [[nodiscard]] std::string ended(int error) const;
  [[nodiscard]] std::string farewell(const std::string& otherwise) const;
  void close_unwritten();
  void ask_waiting();
  void ask(const std::string& filter);
  void ask_for_lost(SteadyTime now);
  void send_waiting();
  void take_acknowledgements();
  [[nodiscard]] bool has_session() const { return config_.keep_session || config_.version == 5; }
  [[nodiscard]] std::shared_ptr<const mqtt5__property> session_expiry(std::chrono::seconds time) const;

  const LinkConfig config_;
  std::shared_ptr<Tls> tls_;           // null: without
  std::shared_ptr<mosquitto> client_;  // shared with a thread that is still connecting at the end
  std::shared_ptr<Attempt> attempt_;
  State state_ = State::waiting;
  std::string trouble_ = "not connected yet";
  ReadAhead read_ahead_;
  bool more_to_read_ = false;
  bool read_unwritten_ = false;  // something was read since the last write
  SteadyTime next_tick_{};
  Backoff backoff_;
  std::uint64_t losses_ = 0;
  bool session_begun_ = false;  // in this run
  unsigned fruitless_ = 0;      // connections in a row that the broker ended without acknowledging anything
  bool fruitful_ = false;       // the one that there is is not one of them
  bool cut_ = false;
  std::uint64_t careful_until_ =
      0;         // messages up to this id go one by one, to find the one that the broker does not bear
  int qos_ = 0;  // of what is published in this connection

  // What libmosquitto's callbacks collected since the last dispatch().
  std::vector<Arrival> inbox_;  // the first arrived_ are in use: the strings keep their memory
  std::size_t arrived_ = 0;
  std::vector<Answer> answers_;
  std::vector<Acknowledgement> acknowledgements_;
  std::vector<int> unsubscribed_;  // packets
  std::optional<Greeting> greeting_;
  std::optional<int> farewell_;  // the reason code of a DISCONNECT

  Subscriptions subscriptions_;
  int refused_here_ = 0;  // counts down
  std::vector<std::string> lost_filters_;
  std::deque<std::string> to_ask_;     // filters that wait for the answers to others
  std::vector<std::string> disowned_;  // to be taken back in the next connection
  SteadyTime ask_again_{};
  log::Throttle complaints_;
  Outbox outbox_;
  Redeliveries redeliveries_;
  SteadyTime ask_to_confirm_at_{};  // whether it has taken in the acknowledgements
  bool renew_ = false;              // the connection, as soon as everything is written
  std::optional<Goodbye> goodbye_;
  SteadyTime renewed_by_{};

  Counter& received_;
  Counter& redelivered_;
  Counter& published_;
  Counter& dropped_;
  Counter& connections_;
};

}  // namespace botel::mqtt
