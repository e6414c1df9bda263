#include "moca/service.hpp"

#include <botel/ext/connector.h>

#include <algorithm>
#include <utility>

#include "base/json_repair.hpp"
#include "moca/failures.hpp"
#include "mqtt/topics.hpp"

namespace botel::moca {

using runtime::Event;

Service::Service(ServiceConfig config, mqtt::Client& client, runtime::Runtime& runtime, Directory& directory,
                 FindRole find_role, Counters& counters)
    : config_(config),
      client_(client),
      runtime_(runtime),
      directory_(directory),
      find_role_(std::move(find_role)),
      recent_(config.repeat),
      requests_(counters.add("moca_requests_total", "Requests of MOCA")),
      refused_(counters.add("moca_requests_refused_total", "Requests of MOCA answered with an error")),
      repeated_(counters.add("moca_requests_repeated_total", "Requests of MOCA that came again")),
      echoes_(counters.add("moca_echoes_total", "Answers of our own that came back")),
      unknown_topics_(counters.add("moca_unknown_topics_total", "Messages on topics that are no request")),
      over_limit_(counters.add("moca_over_limit_total", "Payloads over the limit")),
      retained_(counters.add("moca_retained_total", "Retained messages, which are ignored")),
      timeouts_(counters.add("moca_timeouts_total", "Requests that a connector did not answer in time")),
      pushed_(counters.add("moca_items_pushed_total", "Contacts, chats and messages that connectors pushed")),
      bad_items_(counters.add("moca_items_dropped_total", "Items of connectors that are not as they should be")),
      dropped_pushes_(counters.add("moca_pushes_dropped_total", "Pushes of connectors that are not configured")) {}

void Service::offer(const std::string& type) {
  if (valid_type(type)) subscribe(type).offered = true;
}

// A refused one is asked for again: what broker and plugins allow may change at any time.
Service::Type& Service::subscribe(const std::string& type) {
  const auto [place, is_new] = types_.try_emplace(type);
  if (is_new) {
    filters_.push_back(type + "/#");
    client_.subscribe(filters_.back(), {});
  }
  return place->second;
}

// Another host may serve it: two would answer.
void Service::unsubscribe_unwanted(const std::string& type) {
  const auto found = types_.find(type);
  if (found == types_.end() || found->second.offered || found->second.connectors > 0) return;
  types_.erase(found);
  client_.unsubscribe(type + "/#");
}

bool Service::receive(const mqtt::Message& message) {
  // Most messages are gitple's.
  const std::string_view whole = message.topic;
  if (whole.starts_with("s/") || !types_.contains(whole.substr(0, whole.find('/')))) return false;
  if (is_echo(message.topic)) {
    ++echoes_;
    return true;
  }
  if (message.retained) {
    ++retained_;
    complaints_.warning("{}: a retained message is ignored", log::printable(message.topic));
    return true;
  }
  Topic topic = parse_topic(message.topic);
  // Its answers have longer ones.
  if (!mqtt::valid_topic(message.topic + "/keepalive")) topic = {};
  if (topic.command && !message.over_limit) {
    const json::Repaired repaired(message.payload);
    if (repaired.text() == message.payload) {
      request(message, topic);
    } else {
      request({message.topic, std::string(repaired.text())}, topic);
    }
    return true;
  }
  ++(message.over_limit ? over_limit_ : unknown_topics_);
  const auto why = message.over_limit ? "the payload is too large" : "the topic is no request";
  if (topic.has_answers) {
    refuse(message, topic, kBadRequest, why);
  } else {
    complaints_.warning("{}: {}", log::printable(message.topic), why);
  }
  return true;
}

void Service::refuse(const mqtt::Message& message, const Topic& topic, int code, std::string_view why) {
  ++refused_;
  complaints_.warning("{}: a request is refused with {}: {}", log::printable(message.topic), code,
                      log::printable(why, 500));
  publish(message.topic, failure_of(topic, code, why));
}

// A connector that cannot be asked may have told of a contact before.
void Service::refuse(Connector& connector, const mqtt::Message& message, const Topic& topic, int code,
                     std::string_view why) {
  if (topic.command != Command::get_contact || connector.asked.size() >= 2 * kMostAsked) {
    return refuse(message, topic, code, why);
  }
  fail(connector, ask(connector, message, topic, digest({message.topic, message.payload})), code, why);
}

// A step that failed can be tried again.
std::string Service::failure_of(const Topic& topic, int code, std::string_view why) {
  Connector* const connector = topic.command == Command::configure ? find(topic.type, topic.id) : nullptr;
  if (connector && connector->in_flow()) return with_error(step_as_json(*connector, {}), code, why);
  return failure_as_json(topic, code, why);
}

void Service::request(const mqtt::Message& message, const Topic& topic) {
  ++requests_;
  // The same message may well be sent twice. What tells it from the same request once more is its topic, but for the
  // older server's; there it is the broker that says what it hands over again.
  const bool is_another = topic.form == Form::users && topic.command == Command::send_message;
  const Digest key = is_another ? Digest{0, runtime_.new_id()} : digest({message.topic, message.payload});
  Connector* const connector = find(topic.type, topic.id);
  if (connector) connector->pushes.heard(topic.form);
  if (topic.command == Command::configure) return configure(message, topic, key);
  if (connector && topic.command == Command::get_contact) connector->pushes.asked(topic.argument);
  // Most have nothing in it.
  if (const auto json = json::read(message.payload); !json && !message.payload.empty()) {
    return refuse(message, topic, kBadRequest, "the payload is no JSON: " + json.error());
  }
  if (const auto* const known = recent_.find(key, runtime_.now().steady)) {
    ++repeated_;
    if (known->answer) publish(message.topic, *known->answer);
    return;
  }
  if (topic.command == Command::remove) {
    // What is not there is deleted already.
    return connector ? remove(*connector, message, topic, key) : publish(message.topic, R"({"success":true})");
  }
  if (!connector || connector->leaving) return refuse(message, topic, kUnknown, "no connector has this id");
  if (!connector->configured) {
    return refuse(*connector, message, topic, kConflict, "the connector is not configured yet");
  }
  if (connector->is_orphan()) return refuse(*connector, message, topic, kUnavailable, "the service is not there");
  serve(*connector, message, topic, key);
}

// Who is there -------------------------------------------------------------------------------------------------------

Connector* Service::find(std::string_view type, std::string_view id) {
  const auto found = connectors_.find(Connector::address_of(type, id));
  return found == connectors_.end() ? nullptr : found->second.get();
}

Connector& Service::add(const std::string& type, const std::string& id, std::uint64_t seed, runtime::Role& role) {
  auto connector = std::make_unique<Connector>(type, id, seed, *this, role, runtime_, client_, config_.pushes);
  ++subscribe(type).connectors;
  return *connectors_.emplace(connector->address, std::move(connector)).first->second;
}

void Service::remove(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key) {
  const bool again = std::exchange(connector.leaving, true);
  ask(connector, message, topic, key);
  end_flow(connector);
  if (again) return;
  if (connector.is_orphan()) return leave(connector);
  runtime_.give_up_retry(connector);
  runtime_.post(connector, {.kind = BOTEL_CONNECTOR_DELETE});
}

// All requests are answered, and nothing is left of it; when its handler has returned, if one is running.
void Service::leave(Connector& connector) {
  connector.leaving = connector.gone = true;
  if (runtime_.in_handler(connector)) return;
  while (!connector.asked.empty()) {
    const auto& [token, asked] = *connector.asked.begin();
    if (asked.command == Command::remove) {
      answer(connector, token, R"({"success":true})");
    } else {
      fail(connector, token, kUnknown, "the connector was deleted");
    }
  }
  wipe(connector);
}

void Service::wipe(Connector& connector) {
  const std::string address = connector.address, type = connector.type;
  runtime_.timers().cancel(connector.flow_timer);
  const store::ActorId id = runtime_.id(connector);
  std::erase_if(secrets_, [&](const store::Secret& secret) { return secret.actor == id; });
  directory_.wipe(id);
  runtime_.forget_letters(connector);
  runtime_.retire(connector);
  recent_.forget(address);
  connectors_.erase(address);
  --types_.at(type).connectors;
  unsubscribe_unwanted(type);
}

void Service::give_up(const runtime::Role& role) {
  std::vector<Connector*> leaving;
  for (const auto& [address, connector] : connectors_) {
    if (&connector->role == &role && connector->leaving) leaving.push_back(connector.get());
  }
  for (Connector* const connector : leaving) leave(*connector);
  const auto type = types_.find(role.name());
  if (type == types_.end() || role.logic()) return;  // it fails, and may come back
  type->second.offered = false;
  unsubscribe_unwanted(role.name());
}

void Service::restart_unreadable(const runtime::Role& role, const runtime::Logic& next) {
  for (const auto& [address, connector] : connectors_) {
    if (&connector->role != &role || next.can_read(connector->state_schema())) continue;
    connector->configured = false;
    end_flow(*connector);
    const auto waiting = connector->asked;
    for (const auto& [token, asked] : waiting) {
      if (asked.command != Command::remove) fail(*connector, token, kConflict, "the connector begins anew");
    }
    recent_.forget(address);
    runtime_.restart(*connector, runtime::Event{.kind = BOTEL_CONNECTOR_RESET});
    connector->pushes.end();
  }
}

std::vector<Service::Status> Service::status() const {
  std::vector<Status> all;
  for (const auto& [address, connector] : connectors_) {
    all.push_back({connector->type, connector->id, connector->configured, connector->step, connector->asked.size()});
  }
  std::ranges::sort(all, {}, [](const Status& status) { return std::pair(status.type, status.id); });
  return all;
}

}  // namespace botel::moca
