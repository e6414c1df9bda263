#include "cli/connect_session.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/log.hpp"
#include "cli/fresh_id.hpp"
#include "moca/topics.hpp"

namespace botel::cli {
namespace {

constexpr std::chrono::seconds kBrokerTime{5};
constexpr std::chrono::seconds kAnswerTime{10};  // of the service, from its last sign of life: as MOCA has it

std::string topic_of(const ConnectorName& name, ConnectSession::Wish wish) {
  return wish == ConnectSession::Wish::configure ? fmt::format("{}/configure/{}", name.type, name.id)
                                                 : fmt::format("{}/users/{}/delete", name.type, name.id);
}

}  // namespace

Result<ConnectorName> ConnectorName::make(const std::string& type, const std::string& id) {
  ConnectorName name{type, id.empty() ? std::to_string(fresh_id()) : id};
  if (!moca::valid_type(type)) {
    return failure("{} can be no type: one can stand in a topic, and is neither s nor moca", log::printable(type));
  }
  const std::string topic = topic_of(name, ConnectSession::Wish::configure);
  if (moca::parse_topic(topic).command) return name;
  return failure("{} can be no id: one can stand in a topic, and is neither users nor configure", log::printable(id));
}

ConnectSession::ConnectSession(mqtt::Client& client, View& view, ConnectorName name, Wish wish)
    : client_(client), view_(view), name_(std::move(name)), wish_(wish), topic_(topic_of(name_, wish_)) {}

std::string ConnectSession::how_to_go_on() const {
  return fmt::format("the same command with the id {} goes on", name_.id);
}

void ConnectSession::open(SteadyTime now) {
  deadline_ = now + kBrokerTime;
  const auto filters = {topic_ + "/response", topic_ + "/keepalive"};
  missing_ = static_cast<int>(filters.size());
  for (const auto& filter : filters) {
    client_.subscribe(filter, [this](const Result<>& result) { granted(result); });
  }
}

void ConnectSession::granted(const Result<>& result) {
  if (!result) return finish("the broker refuses a subscription: " + result.error());
  // advance() asks.
  if (--missing_ == 0 && stage_ == Stage::subscribing) stage_ = Stage::ready;
}

void ConnectSession::advance(SteadyTime now) {
  if (stage_ == Stage::ready) send("{}", now);
  if (now < deadline_) return;
  if (stage_ == Stage::subscribing) return finish("no connection to the broker");
  if (stage_ != Stage::waiting) return;
  if (answered_) return finish("no answer; " + how_to_go_on());
  finish(fmt::format("no answer: nobody serves {} on this broker; is `botel run` running, with a plugin for it?",
                     name_.type));
}

void ConnectSession::send(const std::string& payload, SteadyTime now) {
  stage_ = Stage::waiting;
  deadline_ = now + kAnswerTime;
  client_.publish(topic_, payload);
  view_.typing(true);
}

void ConnectSession::end(SteadyTime) {
  if (wish_ == Wish::remove) return finish("left before it was known to be deleted");
  finish(answered_ ? "left before it was configured; " + how_to_go_on() : "left before anybody answered");
}

void ConnectSession::finish(std::string trouble) {
  if (over()) return;
  stage_ = Stage::over;
  trouble_ = std::move(trouble);
  view_.typing(false);
}

// What comes in ---------------------------------------------------------------------------------------------------

void ConnectSession::receive(const mqtt::Message& message, Time now) {
  // Whatever comes while nothing is asked was asked by somebody else.
  if (message.retained || stage_ != Stage::waiting) return;
  if (message.topic == topic_ + "/keepalive") {
    answered_ = true;
    deadline_ = now.steady + kAnswerTime;
  } else if (message.topic == topic_ + "/response") {
    answered_ = true;
    receive_answer(message);
  }
}

void ConnectSession::receive_answer(const mqtt::Message& message) {
  view_.typing(false);
  if (message.over_limit) return finish(fmt::format("the answer has {} bytes, which is too much", message.size));
  if (wish_ == Wish::remove) {
    const auto deleted = read_delete_reply(message.payload);
    if (!deleted) return finish(deleted.error());
    view_.show("deleted");
    return finish();
  }
  const auto reply = read_connect_reply(message.payload);
  if (!reply) return finish(reply.error());
  if (!reply->error.empty()) return finish(reply->error);
  if (!reply->finished) return take_step(*reply);
  view_.show(reply->contact.empty() ? "connected" : "connected as " + reply->contact);
  finish();
}

// The same step once more, with what is wrong, keeps the answers that were right.
void ConnectSession::take_step(const ConnectReply& reply) {
  const bool again = !reply.faults.empty() && reply.step == step_ && reply.schema == schema_;
  if (!again) {
    auto fields = read_connect_fields(reply.schema);
    const std::string step = log::printable(reply.step);
    if (!fields) return finish(fmt::format("the step {} cannot be shown here: {}", step, fields.error()));
    step_ = reply.step;
    schema_ = reply.schema;
    form_ = ConnectForm(std::move(*fields));
    const auto description = describe_schema(schema_);
    if (description.empty()) view_.show(step);
    for (const auto& line : description) view_.show(line);
  }
  if (!reply.faults.empty()) {
    view_.show("(that is not accepted)");
    for (const auto& line : form_.ask_again(reply.faults)) view_.show(line);
  }
  stage_ = Stage::filling;
  describe_field();
}

// What the user says ----------------------------------------------------------------------------------------------

void ConnectSession::describe_field() {
  for (const auto& line : form_.description()) view_.show(line);
}

void ConnectSession::enter(std::string_view line, Time now) {
  if (!listens()) return;
  view_.sent(form_.field().label + ": " + (form_.field().hidden ? "(hidden)" : std::string(line)));
  if (const auto complaint = form_.enter(line)) return view_.show(*complaint);
  if (!form_.complete()) return describe_field();
  send(form_.json(), now.steady);
}

}  // namespace botel::cli
