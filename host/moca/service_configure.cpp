// Another part of Service: connectors are configured, step by step.
#include <botel/ext/connector.h>

#include <algorithm>
#include <utility>

#include "base/random.hpp"
#include "moca/service.hpp"

namespace botel::moca {
namespace {

constexpr std::size_t kLongestStep = 64 * 1024;    // bytes of a step's payload
constexpr std::size_t kMostUnconfigured = 10'000;  // connectors that somebody has begun to configure

// Below 2^53, so that JSON has it as it is.
std::uint64_t random_seed() { return random_number() >> 11; }

}  // namespace

void Service::configure(const mqtt::Message& message, const Topic& topic, Digest key) {
  const auto payload =
      message.payload.size() <= kLongestStep ? json::read(message.payload) : failure("it is too large");
  if (!payload || !payload->root.is(json::Kind::object)) {
    return refuse(message, topic, kBadRequest,
                  "the payload is no JSON object" + (payload ? "" : ": " + payload.error()));
  }
  const bool is_beginning = payload->members.empty();
  // {} means the step that is there now, not what that was before.
  if (const auto* const known = recent_.find(key, runtime_.now().steady); known && !(is_beginning && known->answer)) {
    ++repeated_;
    if (known->answer) publish(message.topic, *known->answer);
    return;
  }
  Connector* const connector = find(topic.type, topic.id);
  if (!connector) return begin_flow(message, topic);
  if (connector->leaving) return refuse(message, topic, kConflict, "the connector is being deleted");
  const auto is_step = [](const auto& one) { return one.second.command == Command::configure; };
  if (std::ranges::any_of(connector->asked, is_step)) {
    return refuse(message, topic, kConflict, "the step before is still being handled");
  }
  if (connector->is_orphan()) return refuse(message, topic, kUnavailable, "the service is not there");
  if (!connector->in_flow()) return begin_flow(message, topic);
  wait_for_step(*connector, runtime_.now().steady + config_.step_timeout);
  if (!is_beginning) return check_step(*connector, message, topic, key);
  recent_.forget(std::exchange(connector->last_key, Digest()));
  publish(message.topic, step_as_json(*connector, {}));
}

// What is given where nothing was asked for begins it, as {} does: what was asked before is forgotten. It may be given
// again, to the step that it leads to.
void Service::begin_flow(const mqtt::Message& message, const Topic& topic) {
  Connector* connector = find(topic.type, topic.id);
  runtime::Role& role = connector ? connector->role : find_role_(topic.type);
  if (role.is_gone()) return refuse(message, topic, kUnavailable, "the service is not there");
  const auto unconfigured = [](const auto& one) { return !one.second->configured; };
  if (!connector && connectors_.size() >= kMostUnconfigured &&
      std::ranges::count_if(connectors_, unconfigured) >= static_cast<long>(kMostUnconfigured)) {
    return refuse(message, topic, kUnavailable, "too many connectors are being configured");
  }
  if (!connector) {
    connector = &add(topic.type, topic.id, random_seed(), role);
    connector->pushes.heard(topic.form);
  }
  wait_for_step(*connector, runtime_.now().steady + config_.step_timeout);
  const Token token = ask(*connector, message, topic, digest({message.topic, "{}"}));
  post(*connector, token,
       {.kind = BOTEL_CONNECTOR_CONFIGURE, .format = BOTEL_FORMAT_JSON, .payload = "{}", .detail = R"({"step":""})"});
}

// A wrong answer gets the same step again, with what is wrong.
void Service::check_step(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key) {
  if (!connector.compiled) {
    auto compiled = Schema::compile(connector.schema);
    if (!compiled) {
      set_step(connector, "", "");
      return refuse(message, topic, kFailed, "the step's schema is refused: " + compiled.error());
    }
    connector.compiled = std::move(*compiled);
  }
  const auto faults = connector.compiled->check(message.payload);
  if (!faults.empty()) return publish(message.topic, step_as_json(connector, faults));
  const Token token = ask(connector, message, topic, key);
  post(connector, token,
       {.kind = BOTEL_CONNECTOR_CONFIGURE,
        .format = BOTEL_FORMAT_JSON,
        .payload = message.payload,
        .detail = fmt::format(R"({{"step":{}}})", json::quoted(connector.step))});
}

std::string Service::step_as_json(Connector& connector, const std::vector<Schema::Fault>& faults) const {
  std::string json = fmt::format(R"({{"step":{},"schema":{})", json::quoted(connector.step), connector.schema);
  if (!faults.empty()) {
    std::vector<std::string> errors;
    for (const auto& [pointer, text] : faults) {
      errors.push_back(fmt::format(R"({{"pointer":{},"message":{}}})", json::quoted(pointer), json::quoted(text)));
    }
    json += R"(,"errors":)" + json::array(errors);
  }
  return json + "}";
}

void Service::set_step(Connector& connector, std::string step, std::string schema) {
  connector.step = std::move(step);
  connector.schema = std::move(schema);
  connector.compiled.reset();
  wait_for_step(connector, runtime_.now().steady + config_.step_timeout);
}

// Also where the connector has not said yet what it wants, or could not: nobody may come back.
void Service::wait_for_step(Connector& connector, SteadyTime until) {
  connector.flow_until = until;
  runtime_.timers().cancel(connector.flow_timer);
  connector.flow_timer = runtime_.timers().set(until, [this, &connector] {
    connector.flow_timer = 0;
    complaints_.info("connector {}: nobody has gone on with its configuration", log::printable(connector.address));
    end_flow(connector);
    if (!connector.stays) leave(connector);
  });
  runtime_.touch(connector);
}

void Service::end_flow(Connector& connector) {
  runtime_.timers().cancel(std::exchange(connector.flow_timer, 0));
  connector.step.clear();
  connector.schema.clear();
  connector.compiled.reset();
  runtime_.touch(connector);
}

}  // namespace botel::moca
