// The configuration of a connector, as MOCA leads it: asks the service, asks the user what the service wants, and so on
// until it is finished. Or its end.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/connect_form.hpp"
#include "cli/connect_reply.hpp"
#include "cli/conversation.hpp"
#include "mqtt/client.hpp"

namespace botel::cli {

struct ConnectorName {
  std::string type, id;

  // An error: no connector can be called so. An empty id: one that nobody else has.
  static Result<ConnectorName> make(const std::string& type, const std::string& id);
};

// [driver]; `client` and `view` outlive it.
class ConnectSession final : public Conversation {
 public:
  enum class Wish { configure, remove };

  ConnectSession(mqtt::Client& client, View& view, ConnectorName name, Wish wish);

  void open(SteadyTime now) override;
  void receive(const mqtt::Message& message, Time now) override;
  void advance(SteadyTime now) override;
  [[nodiscard]] SteadyTime due() const override { return stage_ == Stage::filling ? SteadyTime::max() : deadline_; }

  [[nodiscard]] bool listens() const override { return stage_ == Stage::filling; }
  [[nodiscard]] bool users_turn(SteadyTime) const override { return listens(); }
  [[nodiscard]] std::string prompt() const override { return form_.prompt(); }
  [[nodiscard]] bool hides() const override { return listens() && form_.field().hidden; }
  void enter(std::string_view line, Time now) override;
  // What was configured so far stays with the service, for a while.
  void end(SteadyTime now) override;

  [[nodiscard]] bool over() const override { return stage_ == Stage::over; }
  // Empty where it is finished, or deleted.
  [[nodiscard]] const std::string& trouble() const override { return trouble_; }

 private:
  enum class Stage { subscribing, ready, waiting, filling, over };

  void granted(const Result<>& result);
  void send(const std::string& payload, SteadyTime now);
  void receive_answer(const mqtt::Message& message);
  void take_step(const ConnectReply& reply);
  void describe_field();
  void finish(std::string trouble = {});
  [[nodiscard]] std::string how_to_go_on() const;

  mqtt::Client& client_;
  View& view_;
  const ConnectorName name_;
  const Wish wish_;
  const std::string topic_;
  Stage stage_ = Stage::subscribing;
  int missing_ = 0;  // subscriptions that are not granted yet
  SteadyTime deadline_{};
  bool answered_ = false;  // there is somebody who serves it
  std::string step_;       // that is being filled in, and its schema
  std::string schema_;
  ConnectForm form_;
  std::string trouble_;
};

}  // namespace botel::cli
