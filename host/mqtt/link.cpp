#include "mqtt/link.hpp"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/thread.hpp"
#include "mqtt/errors.hpp"
#include "mqtt/tls.hpp"

namespace botel::mqtt {
namespace {

using std::chrono::milliseconds;

constexpr int kMostReadsARound = 512;  // so that a flood does not hold up what must be written
// Messages that arrive in a round before it is known whether they are new: so few that the log of those taken in does
// not outgrow the packet ids. (libmosquitto reads up to a thousand more.)
constexpr std::size_t kMostBlindly = 1000;
constexpr unsigned kMostFruitless = 4;
constexpr std::chrono::seconds kRenewal{5};
constexpr std::chrono::seconds kSessionOfRun = std::chrono::hours(1);  // while the host is not connected

// What an MQTT 5 reason code, or a return code of MQTT 3.1.1's CONNACK, says.
std::string reason(int code, int version) {
  if (version == 3 && code > 0 && code < 6) return mosquitto_connack_string(code);
  return mosquitto_reason_string(code);
}

}  // namespace

// A try to connect, on its own thread: looking up a name and opening a connection may block for minutes.
struct Link::Attempt {
  Attempt() : finished(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Attempt() { close(finished); }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const int finished;  // readable when the try is over
  std::atomic<bool> over{false};
  std::string error;  // of the try that is over; empty: a connection, whose greeting is still to come
};

// libmosquitto holds a mutex while it calls these: they only collect.
struct Link::Callbacks {
  static void on_disconnect(mosquitto*, void* self, int code, const mosquitto_property*) {
    // Smaller ones are libmosquitto's own errors.
    if (code >= 0x80) static_cast<Link*>(self)->farewell_ = code;
  }
  // libmosquitto treats any code but 0 as an error of reading.
  static void on_connect(mosquitto*, void* self, int code, int flags, const mosquitto_property* properties) {
    std::uint16_t maximum = 65535;
    mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM, &maximum, false);
    std::uint8_t qos = 2;
    mosquitto_property_read_byte(properties, MQTT_PROP_MAXIMUM_QOS, &qos, false);
    static_cast<Link*>(self)->greeting_ = {code, (flags & 1) != 0, maximum, qos};
  }
  static void on_message(mosquitto*, void* self, const mosquitto_message* message, const mosquitto_property*) {
    Link& link = *static_cast<Link*>(self);
    if (link.arrived_ == link.inbox_.size()) link.inbox_.emplace_back();
    Arrival& slot = link.inbox_[link.arrived_++];
    const std::string_view payload(static_cast<const char*>(message->payload),
                                   static_cast<std::size_t>(message->payloadlen));
    slot.packet = message->qos > 0 ? static_cast<std::uint16_t>(message->mid) : 0;
    slot.message.size = payload.size();
    slot.message.over_limit = payload.size() > link.config_.max_payload;
    slot.message.topic = message->topic;
    slot.message.payload = slot.message.over_limit ? "" : payload;
    if (slot.message.over_limit && link.config_.outline) {
      slot.message.payload = link.config_.outline(slot.message.topic, payload);
    }
    slot.message.retained = message->retain;
    const bool may_come_again = link.has_session() && slot.packet != 0;
    slot.hash = may_come_again ? hash(payload, hash(slot.message.topic)) : 0;
    if (link.reads_too_far()) link.read_ahead_.pause();
  }
  static void on_subscribe(mosquitto*, void* self, int packet, int count, const int* codes, const mosquitto_property*) {
    Link& link = *static_cast<Link*>(self);
    const bool granted = count == 1 && codes[0] < 0x80;
    link.answers_.push_back({packet, granted ? "" : mosquitto_reason_string(count == 1 ? codes[0] : 0x80)});
  }
  static void on_unsubscribe(mosquitto*, void* self, int packet, const mosquitto_property*) {
    static_cast<Link*>(self)->unsubscribed_.push_back(packet);
  }
  static void on_publish(mosquitto*, void* self, int packet, int code, const mosquitto_property*) {
    static_cast<Link*>(self)->acknowledgements_.push_back({packet, code});
  }
};

Result<std::unique_ptr<Link>> Link::create(LinkConfig config, Counters& counters) {
  std::unique_ptr<Link> link(new Link(std::move(config), counters));
  if (auto done = link->set_up(); !done) return tl::unexpected(done.error());
  return link;
}

Link::Link(LinkConfig config, Counters& counters)
    : config_(std::move(config)),
      received_(counters.add("mqtt_messages_received_total", "Messages from the broker")),
      redelivered_(counters.add("mqtt_messages_redelivered_total", "Messages that came again, which are ignored")),
      published_(counters.add("mqtt_messages_published_total", "Messages given to the broker")),
      dropped_(counters.add("mqtt_messages_dropped_total", "Messages that could not be sent")),
      connections_(counters.add("mqtt_connections_total", "Connections made to the broker")) {}

Link::~Link() = default;

Result<> Link::set_up() {
  static const int initialized = mosquitto_lib_init();
  if (initialized != MOSQ_ERR_SUCCESS) return failure("libmosquitto: {}", describe(initialized));
  if (config_.tls) {
    auto tls = Tls::create({config_.host, config_.port, config_.ca, config_.cert, config_.key});
    if (!tls) return tl::unexpected(tls.error());
    tls_ = std::move(*tls);
  }
  const NoSocketPairs scope;
  const char* id = config_.client_id.empty() ? nullptr : config_.client_id.c_str();
  const bool is_clean = !config_.keep_session && !session_begun_;
  client_.reset(mosquitto_new(id, is_clean, this), [tls = tls_](mosquitto* old) { mosquitto_destroy(old); });
  if (!client_) return failure("libmosquitto: {}", std::strerror(errno));
  mosquitto* client = client_.get();

  mosquitto_threaded_set(client, true);
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, config_.version == 5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, 65535);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, Redeliveries::kMost / 2);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_v5_callback_set(client, Callbacks::on_connect);
  mosquitto_disconnect_v5_callback_set(client, Callbacks::on_disconnect);
  mosquitto_message_v5_callback_set(client, Callbacks::on_message);
  mosquitto_subscribe_v5_callback_set(client, Callbacks::on_subscribe);
  mosquitto_unsubscribe_v5_callback_set(client, Callbacks::on_unsubscribe);
  mosquitto_publish_v5_callback_set(client, Callbacks::on_publish);

  if (!config_.user.empty()) {
    const char* password = config_.password.empty() ? nullptr : config_.password.c_str();
    if (const int error = mosquitto_username_pw_set(client, config_.user.c_str(), password)) {
      return failure("user name and password: {}", describe(error));
    }
  }
  if (tls_) tls_->use_for(client);
  return {};
}

pollfd Link::descriptor() const {
  if (state_ == State::connecting) return {attempt_->finished, POLLIN, 0};
  if (state_ == State::waiting) return {-1, 0, 0};
  if (state_ == State::renewing) return goodbye_->descriptor();
  const short write = mosquitto_want_write(client_.get()) ? POLLOUT : 0;
  return {mosquitto_socket(client_.get()), static_cast<short>((renew_ ? 0 : POLLIN) | write), 0};
}

SteadyTime Link::next_tick() const {
  const bool will_ask = connected() && redeliveries_.to_confirm() > 0 && !redeliveries_.is_asked();
  return will_ask ? std::min(next_tick_, ask_to_confirm_at_) : next_tick_;
}

void Link::tick(SteadyTime now) {
  if (state_ == State::connecting && attempt_->over.load(std::memory_order_acquire)) finish_attempt();
  if (state_ == State::renewing) go_on_with_renewal(now);
  if (now < next_tick_) return;
  next_tick_ = now + std::chrono::seconds(1);
  ask_for_lost(now);
  if (state_ == State::waiting) {
    if (!cut_) start_attempt();
  } else if (state_ == State::greeting || state_ == State::connected) {
    if (const int error = mosquitto_loop_misc(client_.get())) lost(describe(error));
  }
}

// How long the broker keeps the session from now on, or from when it has lost the host; null where MQTT has no words
// for it.
std::shared_ptr<const mosquitto_property> Link::session_expiry(std::chrono::seconds time) const {
  mosquitto_property* properties = nullptr;
  if (config_.version == 5) {
    mosquitto_property_add_int32(&properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL,
                                 static_cast<std::uint32_t>(time.count()));
  }
  return {properties, [](mosquitto_property* list) { mosquitto_property_free_all(&list); }};
}

void Link::start_attempt() try {
  state_ = State::connecting;
  attempt_ = std::make_shared<Attempt>();
  const auto expiry = config_.keep_session ? config_.session_expiry : std::min(config_.session_expiry, kSessionOfRun);
  start_thread([attempt = attempt_, client = client_, tls = tls_, host = config_.host, port = config_.port,
                keepalive = static_cast<int>(config_.keepalive.count()), expiry = session_expiry(expiry)] {
    if (const auto loaded = tls ? tls->load() : Result<>(); !loaded) {
      attempt->error = loaded.error();
    } else if (const int error =
                   mosquitto_connect_bind_v5(client.get(), host.c_str(), port, keepalive, nullptr, expiry.get())) {
      attempt->error = describe(error);
    }
    attempt->over.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(attempt->finished, &one, sizeof one);
  }).detach();
} catch (const std::system_error& error) {
  attempt_.reset();
  lost(error.what());
}

void Link::finish_attempt() {
  const auto attempt = std::exchange(attempt_, nullptr);
  if (!attempt->error.empty()) return lost(attempt->error);
  state_ = State::greeting;
  if (tls_) tls_->made(client_.get());
  if (!cut_) return;
  close_unwritten();
  lost("nothing may be written");
}

void Link::lost(std::string why) {
  const bool was_connected = state_ == State::connected;
  disconnected(was_connected);
  if (auto reason = tls_ ? tls_->take_reason() : ""; !reason.empty()) why = std::move(reason);
  if (was_connected && !cut_) look_for_culprit();
  if (was_connected) keep_session_from_now_on();
  const SteadyTime now = std::chrono::steady_clock::now();
  const milliseconds delay = backoff_.failed(now);
  next_tick_ = now + delay;
  trouble_ = std::move(why);
  log::warning("{} {}:{}: {}; next try in {} ms", was_connected ? "lost the broker" : "no connection to the broker",
               config_.host, config_.port, trouble_, delay.count());
}

void Link::disconnected(bool was_connected) {
  state_ = State::waiting;
  losses_ += was_connected ? 1 : 0;
  // What arrived behind a greeting that was not even looked at is dispatched all the same.
  if (greeting_ && greeting_->code == 0) redeliveries_.connected(greeting_->session_present);
  subscriptions_.forget_answers();
  answers_.clear();
  unsubscribed_.clear();
  lost_filters_.clear();
  to_ask_.clear();
  greeting_.reset();
  farewell_.reset();
  read_ahead_.clear();
  more_to_read_ = renew_ = false;
}

// The first connection of a run has told the broker to forget what an earlier run left. The next ones go on with its
// session. libmosquitto knows only one kind for each client.
void Link::keep_session_from_now_on() {
  if (config_.keep_session || config_.version != 5 || std::exchange(session_begun_, true)) return;
  outbox_.forget_packets();
  if (const auto done = set_up(); !done) log::error("{}", done.error());
}

// An MQTT 3.1.1 broker has no way to refuse a message but to end the connection, and libmosquitto sends the message
// again in each: one message must not hold up all others for ever. Sent one at a time, it shows.
void Link::look_for_culprit() {
  const bool fruitless = !std::exchange(fruitful_, false) && outbox_.unacknowledged() > 0;
  fruitless_ = fruitless ? fruitless_ + 1 : 0;
  if (config_.version == 5 || fruitless_ < kMostFruitless) return;
  fruitless_ = 0;
  backoff_.reset();
  if (careful()) {
    ++dropped_;
    log::error("the broker ends each connection in which it gets one message, of {} bytes to {}: it is dropped",
               outbox_.front().payload.size(), log::printable(outbox_.front().topic));
    outbox_.drop_front();
  } else {
    careful_until_ = outbox_.last_id();
    log::error("the broker ends each connection at once: {} messages that it has not acknowledged go one by one now",
               outbox_.unacknowledged());
  }
  outbox_.forget_packets();
  if (const auto done = set_up(); !done) log::error("{}", done.error());
}

void Link::read() {
  more_to_read_ = false;
  if (state_ != State::greeting && state_ != State::connected) return;
  read_unwritten_ = true;
  const ReadAhead::Scope scope(read_ahead_, mosquitto_socket(client_.get()));
  for (int i = 0; i < kMostReadsARound; ++i) {
    renew_ = renew_ || reads_too_far();
    if (renew_) return;
    if (reads_blindly() && arrived_ >= kMostBlindly) break;
    errno = 0;
    if (const int error = mosquitto_loop_read(client_.get(), 1)) return lost(ended(error));
    if (broker_left()) return;
    // Where libmosquitto should read in another way than ours, it is errno that says that the socket is empty.
    if (read_ahead_.dry() || (read_ahead_.empty() && errno == EAGAIN)) return;
  }
  more_to_read_ = true;
}

// After an MQTT 5 broker's DISCONNECT libmosquitto has no socket any more, and calls that a success.
bool Link::broker_left() {
  if (mosquitto_socket(client_.get()) >= 0) return false;
  lost(farewell("the broker has ended the connection"));
  return true;
}

// Why reading has failed.
std::string Link::ended(int error) const {
  if (greeting_ && greeting_->code != 0) return "refused: " + reason(greeting_->code, config_.version);
  if (state_ != State::greeting || config_.tls) return farewell(describe(error));
  return farewell(fmt::format("the other side ends the connection without a greeting: is {} a port for TLS (mqtts://)?",
                              config_.port));
}

// What the broker gave as its reason, or `otherwise`.
std::string Link::farewell(const std::string& otherwise) const {
  return farewell_ ? mosquitto_reason_string(*farewell_) : otherwise;
}

void Link::write() {
  if (state_ != State::greeting && state_ != State::connected) return;
  ask_to_confirm();
  const bool read_something = std::exchange(read_unwritten_, false);
  if (mosquitto_want_write(client_.get())) {
    if (const int error = mosquitto_loop_write(client_.get(), 1)) return lost(describe(error));
    if (broker_left()) return;
  } else if (read_something) {
    // Where nothing is written the kernel delays its acknowledgement, for which a broker with Nagle's algorithm waits
    // 40 ms before it sends the next packet.
    const int yes = 1;
    setsockopt(mosquitto_socket(client_.get()), IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
  }
  if (renew_ && !mosquitto_want_write(client_.get())) begin_renewal();
}

// Messages come faster than the broker confirms their acknowledgements.
bool Link::reads_too_far() const { return connected() && has_session() && redeliveries_.is_full(arrived_); }

// What arrives may come again, or be the first of many that are new.
bool Link::reads_blindly() const {
  return has_session() && (state_ == State::greeting || redeliveries_.may_come_again());
}

// A broker such as mosquitto 2.0 writes all that waits for the host at once: its answers come after all that. It closes
// the connection when it has taken in the goodbye, and the acknowledgements before it.
void Link::begin_renewal() {
  log::info("the broker sends far ahead of what it knows to be acknowledged: the connection is made anew");
  goodbye_.emplace(client_.get());
  renewed_by_ = std::chrono::steady_clock::now() + kRenewal;
  state_ = State::renewing;
}

void Link::go_on_with_renewal(SteadyTime now) {
  if (!goodbye_->advance() && now < renewed_by_) return;
  goodbye_.reset();
  if (mosquitto_socket(client_.get()) >= 0) close_unwritten();
  disconnected(true);
  keep_session_from_now_on();
  next_tick_ = now;
}

void Link::cut(const std::string& why) {
  cut_ = true;
  if (state_ != State::greeting && state_ != State::connected) return;
  close_unwritten();
  lost(why);
}

// libmosquitto finds that the other side has ended the connection.
void Link::close_unwritten() {
  shutdown(mosquitto_socket(client_.get()), SHUT_RDWR);
  read_ahead_.end();
  const ReadAhead::Scope scope(read_ahead_, mosquitto_socket(client_.get()));
  while (mosquitto_socket(client_.get()) >= 0 && mosquitto_loop_read(client_.get(), 1) == MOSQ_ERR_SUCCESS) {
  }
}

void Link::leave(SteadyTime deadline) {
  bool untaken = false;  // something that was read, and must not be acknowledged
  for (;;) {
    take_acknowledgements();
    untaken = untaken || std::exchange(arrived_, 0) > 0;
    if (!untaken) {
      if (connected()) send_waiting();
      ask_to_confirm_at_ = {};
      write();
    }
    const bool knows_all = outbox_.unacknowledged() == 0 && (redeliveries_.to_confirm() == 0 || !config_.keep_session);
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (!connected() || knows_all || left <= milliseconds(0)) break;
    if (!more_to_read_) {
      pollfd wanted = descriptor();
      poll(&wanted, 1, static_cast<int>(left.count()));
    }
    read();
  }
  if (!connected()) return;
  // A goodbye would take along the acknowledgements of what is left to the next run.
  if (untaken) return close_unwritten();
  const auto no_session = config_.keep_session ? nullptr : session_expiry(std::chrono::seconds(0));
  Goodbye(client_.get(), no_session.get()).finish(deadline);
}

}  // namespace botel::mqtt
