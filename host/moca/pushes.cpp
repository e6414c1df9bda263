#include "moca/pushes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace botel::moca {
namespace {

constexpr std::array<std::string_view, 3> kServers{"unknown", "older", "newer"};  // in the order of their enumeration

std::size_t number(const json::Document& object, std::string_view key) {
  const auto value = object.find(key);
  const auto number = value ? json::integer(*value) : std::nullopt;
  return number && *number > 0 ? static_cast<std::size_t>(*number) : 0;
}

}  // namespace

Pushes::Pushes(PushTimes times, runtime::Runtime& runtime, mqtt::Client& client, runtime::Actor& connector,
               std::string topic)
    : times_(times), runtime_(runtime), client_(client), connector_(connector), topic_(std::move(topic)) {
  runtime_.hold(connector_);
}

void Pushes::begin(Item own) {
  state_ = State::beginning;
  own_ = std::move(own);
  runtime_.hold(connector_);
  runtime_.touch(connector_);
  // Not at once: what the connector pushes in the same event is still to come.
  runtime_.timers().cancel(timer_);
  timer_ = runtime_.timers().set(runtime_.now().steady, [this] { go_on(); });
}

void Pushes::end() {
  state_ = State::closed;
  own_ = {};
  chats_.clear();
  barrier_.clear();
  go_on();
}

// Lets leave what may, and looks again when more may.
void Pushes::go_on() {
  const SteadyTime now = runtime_.now().steady;
  if (state_ == State::beginning) push_barrier();
  if (state_ == State::waiting && now >= until_) {
    state_ = State::open;
    barrier_.clear();
    runtime_.touch(connector_);
  }
  push_own();
  may_leave() ? runtime_.release(connector_) : runtime_.hold(connector_);
  look_again();
}

void Pushes::push_barrier() {
  state_ = State::waiting;
  until_ = runtime_.now().steady + times_.barrier;
  auto [chats, contacts] = barrier_.for_user(own_.id);
  expected_ = std::move(contacts);
  if (!chats.empty()) publish("chat", chats);
}

void Pushes::push_own() {
  if (!may_leave()) return;
  if (!own_.json.empty()) publish("contact", json::array({std::exchange(own_, {}).json}));
  if (!chats_.empty()) publish("chat", std::exchange(chats_, {}));
}

void Pushes::look_again() {
  runtime_.timers().cancel(std::exchange(timer_, 0));
  const bool is_waiting = state_ == State::waiting;
  if (!is_waiting && (state_ != State::open || may_leave())) return;
  timer_ = runtime_.timers().set(is_waiting ? until_ : taken_in_at(), [this] { go_on(); });
}

bool Pushes::may_leave() const {
  if (state_ != State::open) return false;
  return server_ == Server::newer || runtime_.now().steady >= taken_in_at();
}

// When the server has taken in the last push.
SteadyTime Pushes::taken_in_at() const {
  const SteadyTime at_last = pushed_ + times_.longest;
  return open_requests_ > 0 ? at_last : std::min(last_ + times_.quiet, at_last);
}

// Contacts make no server ask.
void Pushes::publish(std::string_view kind, std::string_view list) {
  client_.publish(fmt::format("{}{}s", topic_, kind), list);
  runtime_.touch(connector_);
  if (kind != "contact") pushed_ = last_ = runtime_.now().steady;
}

bool Pushes::has_room() const {
  return may_leave() || (waiting_ < runtime::kMostInMemory && bytes_ < runtime::kMaxEffectBytes);
}

void Pushes::queued(std::string_view kind, const std::vector<std::string>& items, std::size_t bytes) {
  ++waiting_;
  bytes_ += bytes;
  if (state_ == State::open || kind != "chat") return;
  for (const std::string& chat : items) barrier_.add(chat);
}

void Pushes::leave(std::string_view kind, const std::string& list) {
  waiting_ -= std::min<std::size_t>(waiting_, 1);
  bytes_ -= std::min(bytes_, list.size());
  publish(kind, list);
  if (may_leave()) return;
  runtime_.hold(connector_);
  look_again();
}

void Pushes::push_chats(std::string list) {
  chats_ = std::move(list);
  go_on();
}

void Pushes::heard(Form form) {
  Server server = Server::unknown;
  if (form != Form::configure) server = form == Form::users ? Server::older : Server::newer;
  if (std::exchange(server_, server) == server) return;
  runtime_.touch(connector_);
  go_on();
}

void Pushes::asked(std::string_view contact) {
  last_ = runtime_.now().steady;
  // A server that has asked for one of them will ask for the other, however busy it is.
  if (state_ == State::waiting && std::erase(expected_, contact) > 0) {
    until_ = expected_.empty() ? last_ : last_ + times_.longest;
  }
  go_on();
}

void Pushes::request_over() {
  open_requests_ -= std::min<std::size_t>(open_requests_, 1);
  last_ = runtime_.now().steady;
  go_on();
}

std::string Pushes::json() const {
  return fmt::format(R"({{"open":{},"server":"{}","own":{},"barrier":{},"waiting":{},"bytes":{}}})",
                     state_ == State::open, kServers.at(static_cast<std::size_t>(server_)),
                     own_.json.empty() ? "null" : own_.json, barrier_.json(), waiting_, bytes_);
}

// Nobody knows whether MOCA has heard of the end, nor whether a server has done with the last push: both begin anew.
void Pushes::restore(const json::Document& kept, bool is_configured) {
  const auto open = kept.find("open");
  if (is_configured) state_ = open && open->raw == "false" ? State::beginning : State::open;
  const auto server = std::ranges::find(kServers, json::text(kept, "server"));
  if (server != kServers.end()) server_ = static_cast<Server>(server - kServers.begin());
  if (server_ != Server::newer) pushed_ = last_ = runtime_.now().steady;
  waiting_ = number(kept, "waiting");
  bytes_ = number(kept, "bytes");
  const auto own = kept.present("own");
  if (auto contact = own ? read_contact(own->raw) : failure("")) own_ = std::move(*contact);
  const auto barrier = kept.find("barrier");
  const auto chats = barrier ? json::read(barrier->raw) : failure("");
  for (const auto& chat : chats ? chats->elements : std::vector<json::Value>()) barrier_.add(chat.raw);
}

void Pushes::resume() { go_on(); }

}  // namespace botel::moca
