// The other half of Link: what goes to and fro over a connection.
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <algorithm>

#include "base/log.hpp"
#include "mqtt/errors.hpp"
#include "mqtt/link.hpp"
#include "mqtt/tls.hpp"

namespace botel::mqtt {
namespace {

constexpr std::chrono::seconds kAskAgain{10};  // for a subscription that is missed
constexpr int kFewInFlight = 100;
// Packets of a kind that wait for the broker's answer: libmosquitto searches through all of them for each.
constexpr std::size_t kWindow = 1000;
// When the broker is asked to confirm what was acknowledged: after so many messages, or so long after the last time. It
// is asked to take back a filter that nobody has.
constexpr std::size_t kConfirmAfter = 1000;
constexpr std::chrono::milliseconds kConfirmPause{100};
constexpr auto kNobodysFilter = "botel/none";

}  // namespace

void Link::dispatch(const OnMessage& on_message) {
  if (greeting_) greeted();
  for (const auto& answer : std::exchange(answers_, {})) {
    const auto lost = subscriptions_.answered(answer.packet, answer.reason);
    if (!lost) continue;
    if (lost->is_news) {
      log::error("the broker does not grant the subscription to {}: {}; it is asked for again every {} s",
                 log::printable(lost->filter), answer.reason, kAskAgain.count());
    }
    lost_filters_.push_back(lost->filter);
  }
  take_acknowledgements();
  outbox_.tell();
  if (connected()) send_waiting();
  ask_waiting();
  const std::size_t arrived = std::exchange(arrived_, 0);
  for (std::size_t i = 0; i < arrived; ++i) {
    const Arrival& arrival = inbox_[i];
    ++received_;
    if (has_session() && arrival.packet != 0 && redeliveries_.again(arrival.packet, arrival.hash)) {
      ++redelivered_;
    } else {
      on_message(arrival.message);
    }
  }
}

void Link::greeted() {
  state_ = State::connected;
  backoff_.connected(std::chrono::steady_clock::now());
  trouble_.clear();
  if (tls_) tls_->accepted();
  ++connections_;
  const Greeting greeting = *std::exchange(greeting_, std::nullopt);
  log::info("connected to the broker {}:{}{}", config_.host, config_.port,
            greeting.session_present ? ", which has kept the session" : "");
  if (greeting.receive_maximum < kFewInFlight) {
    log::warning(
        "the broker takes only {} unacknowledged messages at a time: it will be slow; in mosquitto's words, it "
        "needs max_inflight_messages 0",
        greeting.receive_maximum);
  }
  qos_ = std::min(config_.qos, greeting.maximum_qos);
  if (qos_ < config_.qos) {
    log::warning("the broker takes QoS 0 only: what is on its way when a connection is lost does not arrive");
  }
  redeliveries_.connected(greeting.session_present);
  for (const auto& filter : disowned_) disown(filter);
  for (const auto& filter : subscriptions_.all()) to_ask_.push_back(filter);
  ask_waiting();
  send_waiting();
}

void Link::take_acknowledgements() {
  for (const int packet : std::exchange(unsubscribed_, {})) redeliveries_.answered(packet);
  for (const auto& [packet, code] : std::exchange(acknowledgements_, {})) {
    const bool arrived = code < 0x80;
    if (!outbox_.acknowledged(packet, arrived)) continue;
    fruitful_ = true;
    if (arrived) continue;
    ++dropped_;
    complaints_.error("the broker does not take a message: {}", mosquitto_reason_string(code));
  }
}

// The broker takes in and answers packets in their order. MQTT's own PINGREQ would do, but libmosquitto sends none when
// it is asked to.
void Link::ask_to_confirm() {
  const std::size_t count = redeliveries_.to_confirm();
  const auto now = std::chrono::steady_clock::now();
  const bool is_time = count >= kConfirmAfter || (count > 0 && now >= ask_to_confirm_at_);
  if (!is_time || !connected() || redeliveries_.is_asked()) return;
  int packet = 0;
  if (mosquitto_unsubscribe(client_.get(), &packet, kNobodysFilter) != MOSQ_ERR_SUCCESS) return;
  redeliveries_.asked(packet);
  ask_to_confirm_at_ = now + kConfirmPause;
}

// Packet ids are 16 bits wide, and each SUBSCRIBE has one until it is answered.
void Link::ask_waiting() {
  for (; connected() && !to_ask_.empty() && subscriptions_.unanswered() < kWindow; to_ask_.pop_front()) {
    if (subscriptions_.misses(to_ask_.front())) ask(to_ask_.front());
  }
  if (settled()) disowned_.clear();
}

void Link::ask(const std::string& filter) {
  // What a bot says never comes back to a bot of the same host: two rooms with crossed topics would talk for ever.
  const int options = config_.version == 5 && !filter.starts_with("$share/") ? MQTT_SUB_OPT_NO_LOCAL : 0;
  int packet = 0;
  const int error = mosquitto_subscribe_v5(client_.get(), &packet, filter.c_str(), config_.qos, options, nullptr);
  // An error of our own is an answer, too: to a packet whose number no broker uses.
  if (error) packet = --refused_here_;
  subscriptions_.asked(packet, filter);
  if (error) answers_.push_back({packet, describe(error)});
}

// A broker's rules may change: what they take away, or do not give, is asked for again now and then.
void Link::ask_for_lost(SteadyTime now) {
  if (state_ != State::connected || lost_filters_.empty() || now < ask_again_) return;
  ask_again_ = now + kAskAgain;
  for (const auto& filter : std::exchange(lost_filters_, {})) {
    if (subscriptions_.misses(filter)) ask(filter);
  }
}

void Link::subscribe(const std::string& filter, Done done) {
  if (!subscriptions_.add(filter, std::move(done)) || !connected()) return;
  to_ask_.push_back(filter);
  ask_waiting();
}

void Link::unsubscribe(const std::string& filter) {
  if (subscriptions_.remove(filter)) disown(filter);
}

void Link::disown(const std::string& filter) {
  if (subscriptions_.holds(filter)) return;
  if (connected()) {
    mosquitto_unsubscribe(client_.get(), nullptr, filter.c_str());
  } else {
    disowned_.push_back(filter);
  }
}

void Link::publish(std::string_view topic, std::string_view payload, Over over) {
  outbox_.add(topic, payload, std::move(over));
  if (connected()) send_waiting();
}

void Link::send_waiting() {
  while (const store::Message* const message = outbox_.next()) {
    if (outbox_.unacknowledged() >= (careful() ? 1 : kWindow)) return;
    int packet = 0;
    const int error =
        mosquitto_publish(client_.get(), &packet, message->topic.c_str(), static_cast<int>(message->payload.size()),
                          message->payload.data(), qos_, false);
    if (error == MOSQ_ERR_SUCCESS) {
      ++published_;
      qos_ == 0 ? outbox_.sent_for_good() : outbox_.sent(packet);
    } else {
      ++dropped_;
      complaints_.error("a message of {} bytes to {} is dropped: {}", message->payload.size(),
                        log::printable(message->topic), describe(error));
      outbox_.drop_next();
    }
  }
}

void Link::save(store::Batch& batch) {
  outbox_.save(batch);
  redeliveries_.save(batch);
}

}  // namespace botel::mqtt
