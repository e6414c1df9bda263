#include "harness/moca_server.hpp"

#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <stdexcept>

#include "harness/moca.hpp"
#include "harness/process.hpp"
#include "harness/world.hpp"

namespace harness {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLook{100};
constexpr std::chrono::seconds kWait{10};  // for an answer, and anew after each keepalive
constexpr std::chrono::seconds kBusy{2};

rapidjson::Document parse(const std::string& json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  return document;
}

bool is_object(const std::string& json) { return parse(json).IsObject(); }

// An id in JSON, as a text.
std::string id_of(const std::string& json) { return at("{\"id\":" + json + "}", "id"); }

// Python's hash of an integer is the integer; that of a text is another one in each process.
std::uint64_t hash(const std::string& id) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  const bool is_number = error == std::errc() && end == id.data() + id.size();
  return is_number ? static_cast<std::uint64_t>(number) : std::hash<std::string>()(id);
}

std::uint64_t fold(int connector, const std::string& id) { return hash(id) ^ static_cast<std::uint64_t>(connector); }

std::uint64_t fold_message(int connector, const std::string& chat, const std::string& message) {
  return fold(connector, chat) ^ fold(connector, message);
}

}  // namespace

MocaServer::MocaServer(const Broker& broker, std::string type, Kind kind)
    : client_(broker.port(), {.qos = 0}), type_(std::move(type)), kind_(kind) {
  client_.subscribe(type_ + "/#");
  client_.subscribe("moca/via/" + type_ + "/#");
}

// What its users do ---------------------------------------------------------------------------------------------------

std::string MocaServer::configure(int connector, const std::vector<std::string>& steps) {
  connectors_.insert(connector);
  std::string answer;
  for (const std::string& step : steps) {
    const std::string to =
        kind_ == Kind::older ? type_ + "/configure/" + std::to_string(connector) : topic(connector, "configure", "");
    ask(to, step);
    if (&step == &steps.back() && std::exchange(busy_next_, false)) {
      const auto until = steady_clock::now() + kBusy;
      const auto is_history = [](const Received& message) { return message.topic.ends_with("/messages"); };
      while (steady_clock::now() < until && std::ranges::none_of(client_.received(), is_history)) client_.look();
    }
    answer = get(to, "").value_or("");
    if (is_finished(answer)) finish(connector, answer);
  }
  return answer;
}

// Whom it knows already stays a stranger.
void MocaServer::finish(int connector, const std::string& answer) {
  const std::string id = at(answer, "data.contact.contact_id");
  if (contact(connector, id)) return;
  store_contact(connector, id, at(answer, "data.contact"));
  contacts_.at(fold(connector, id)).is_self = true;
}

int MocaServer::send(int connector, const std::string& chat, const std::string& text) {
  const auto is_own = [=](const auto& one) { return one.second.connector == connector && one.second.is_self; };
  if (std::ranges::none_of(contacts_, is_own)) return 500;
  const std::string payload = R"({"chat_id":)" + quoted(chat) + R"(,"message":{"type":"text","content":)" +
                              quoted(text) + R"(,"url":null,"geo_point":null}})";
  const auto sent = get(topic(connector, "send_message", "send_message"), payload);
  if (!sent) return 504;
  const auto answer = parse(*sent);
  if (!answer.IsObject()) return 500;
  const bool has_id = answer.HasMember("message_id") && !answer["message_id"].IsNull();
  // No list has a hash; without an id there is a row all the same.
  if (has_id && (answer["message_id"].IsArray() || answer["message_id"].IsObject())) return 500;
  messages_.insert(fold_message(connector, chat, has_id ? at(*sent, "message_id") : ""));
  return has_id || kind_ == Kind::newer ? 200 : 500;
}

int MocaServer::remove(int connector) {
  const auto removed = get(topic(connector, "delete_connector", "delete"), "{}");
  if (!removed) return 504;
  if (!is_object(*removed)) return 500;
  connectors_.erase(connector);
  return 204;
}

MocaServer::Download MocaServer::download(int connector, const std::string& chat, const std::string& message) {
  const std::string to = topic(connector, "chats/" + chat + "/messages/" + message + "/get_media", "");
  Download download;
  for (std::string payload = "{}";; payload.clear()) {
    const auto piece = get(to, payload);
    if (!piece) return {504, {}};
    const auto json = parse(*piece);
    if (!json.IsObject()) return {500, {}};
    if (json.HasMember("data") && json["data"].IsString() && json["data"].GetStringLength() > 0) {
      download.bytes += from_base64(json["data"].GetString());
      asked_[to].until = steady_clock::now() + kWait;
      continue;
    }
    if (download.bytes.empty()) return {404, {}};
    const bool has_mime = !json.HasMember("mime") || json["mime"].IsString() || json["mime"].IsNull();
    return has_mime ? Download{200, download.bytes} : Download{500, {}};
  }
}

const MocaServer::Contact* MocaServer::contact(int connector, const std::string& id) const {
  const auto found = contacts_.find(fold(connector, id));
  if (found == contacts_.end() || found->second.connector != connector || found->second.id != id) return nullptr;
  return &found->second;
}

// Its loop ------------------------------------------------------------------------------------------------------------

void MocaServer::turn() {
  client_.look();
  while (seen_ < client_.received().size()) handle(client_.received()[seen_++]);
  const auto now = steady_clock::now();
  for (std::size_t i = 0; i < under_way_.size();) {
    if (now < under_way_[i].look || look(under_way_[i])) {
      ++i;
    } else {
      under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

void MocaServer::run_until(const std::string& what, const std::function<bool()>& condition) {
  const auto deadline = steady_clock::now() + 3 * kPatience;
  while (!condition()) {
    if (steady_clock::now() > deadline) throw std::runtime_error("waited in vain for " + what);
    turn();
  }
}

void MocaServer::settle() {
  run_until("all pushes to be handled", [this] { return under_way_.empty(); });
}

void MocaServer::handle(const Received& message) {
  const auto is_behind = [&](std::string_view end) { return message.topic.ends_with(end); };
  const auto asked = asked_.find(message.topic.substr(0, message.topic.rfind('/')));
  if (is_behind("/response") && asked != asked_.end()) asked->second.answers.push_back(message.payload);
  if (is_behind("/keepalive") && asked != asked_.end()) asked->second.until = steady_clock::now() + kWait;
  const std::string pushes = "moca/via/" + type_ + "/";
  if (!message.topic.starts_with(pushes)) return;
  const std::string rest = message.topic.substr(pushes.size());
  begin(std::stoi(rest), rest.substr(rest.find('/') + 1), message.payload);
}

void MocaServer::begin(int connector, const std::string& kind, const std::string& list) {
  ++pushed_;
  Push push{connector, steps_of(connector, kind, list)};
  if (go_on(push)) under_way_.push_back(std::move(push));
}

std::deque<MocaServer::Step> MocaServer::steps_of(int connector, const std::string& kind, const std::string& list) {
  std::deque<Step> steps;
  for (const std::string& item : items(list)) {
    if (kind == "contacts") store_contact(connector, at(item, "contact_id"), item);
    if (kind == "messages") {
      const auto store = [=, this, id = fold_message(connector, at(item, "chat_id"), at(item, "message_id"))] {
        messages_.insert(id);
      };
      steps.push_back({at(item, "contact_id"), store});
    }
    const std::string last = kind == "chats" ? at(item, "last_message") : "";
    if (!last.empty()) steps.push_back({at(last, "contact_id"), [] {}});
    if (kind != "chats") continue;
    for (const auto& participant : items(at(item, "participants"))) steps.push_back({id_of(participant), [] {}});
  }
  return steps;
}

bool MocaServer::go_on(Push& push) {
  for (; !push.steps.empty(); push.steps.pop_front()) {
    const Step& step = push.steps.front();
    if (must_ask(push.connector, step.contact)) {
      push.topic = topic(push.connector, "get_contact/" + step.contact, "get_contact/" + step.contact);
      push.look = steady_clock::now() + kLook;
      ask(push.topic, "{}");
      return true;
    }
    step.then();
  }
  return false;
}

bool MocaServer::look(Push& push) {
  push.look = steady_clock::now() + kLook;
  const auto asked = asked_.find(push.topic);
  // Where two have asked on one topic, one of them has had the answer.
  const bool is_lost = asked == asked_.end() || steady_clock::now() > asked->second.until;
  if (!is_lost && asked->second.answers.empty()) return true;
  const std::string answer = is_lost ? "" : asked->second.answers.front();
  if (!is_lost) asked_.erase(asked);
  if (is_lost || !is_object(answer)) {
    ++given_up_;
    return false;
  }
  // Who had to be asked for is a stranger.
  store_contact(push.connector, push.steps.front().contact, answer);
  contacts_.at(fold(push.connector, push.steps.front().contact)).is_self = false;
  push.steps.front().then();
  push.steps.pop_front();
  return go_on(push);
}

bool MocaServer::must_ask(int connector, const std::string& id) const {
  const Contact* const known = contact(connector, id);
  return !known || (kind_ == Kind::older && !known->is_self);
}

// Whether it is the own one is for the end of the configuration to say.
void MocaServer::store_contact(int connector, const std::string& id, const std::string& json) {
  Contact& row = contacts_[fold(connector, id)];
  row = {connector, id, at(json, "name"), at(json, "phone"), row.is_self};
}

// Asking --------------------------------------------------------------------------------------------------------------

// The older one asks for contacts of no other service than this.
std::string MocaServer::topic(int connector, const std::string& command, const std::string& old_command) {
  const std::string id = std::to_string(connector);
  if (kind_ == Kind::newer) return type_ + "/" + id + "/uuid-" + std::to_string(++last_uuid_) + "/" + command;
  return (old_command.starts_with("get_contact") ? "telegram" : type_) + "/users/" + id + "/" + old_command;
}

void MocaServer::ask(const std::string& topic, const std::string& payload) {
  asked_[topic] = {{}, steady_clock::now() + kWait};
  client_.publish(topic, payload);
}

// An empty `payload`: it was asked before.
std::optional<std::string> MocaServer::get(const std::string& topic, const std::string& payload) {
  if (!payload.empty()) ask(topic, payload);
  for (auto look = steady_clock::now();;) {
    turn();
    if (steady_clock::now() < look) continue;
    look = steady_clock::now() + kLook;
    Asked& asked = asked_.at(topic);
    if (asked.answers.empty() && look > asked.until) return {};
    if (asked.answers.empty()) continue;
    const std::string answer = asked.answers.front();
    asked.answers.pop_front();
    return answer;
  }
}

}  // namespace harness
