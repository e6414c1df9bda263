// The MOCA side of the host: connectors are configured step by step, asked for what they know, told what to send; what
// they push goes out. docs/moca.md says how. [driver]
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/counters.hpp"
#include "base/log.hpp"
#include "moca/connector.hpp"
#include "moca/directory.hpp"
#include "moca/recent.hpp"
#include "mqtt/client.hpp"
#include "runtime/runtime.hpp"

namespace botel::moca {

struct ServiceConfig {
  std::chrono::milliseconds step_timeout{std::chrono::minutes(15)};    // until a configuration is forgotten
  std::chrono::milliseconds answer_timeout{std::chrono::seconds(10)};  // from a connector's last sign of life
  std::chrono::milliseconds longest_answer{std::chrono::seconds(60)};
  std::chrono::milliseconds keepalive{std::chrono::seconds(3)};
  std::chrono::milliseconds repeat{std::chrono::minutes(1)};  // for so long a request that comes again is the same one
  PushTimes pushes{};
};

// Errors as MOCA is told of them: {"error":{"code":404,"message":"..."}}.
enum Code : int {
  kBadRequest = 400,
  kUnknown = 404,      // connector, contact, chat or message
  kConflict = 409,     // it is not configured, or something else is under way
  kFailed = 500,       // the connector could not
  kUnavailable = 503,  // nobody serves this type, or too much waits for it
  kTimeout = 504
};

class Service final : public runtime::Port {
 public:
  // Who serves connectors of a type.
  using FindRole = std::function<runtime::Role&(const std::string& type)>;

  Service(ServiceConfig config, mqtt::Client& client, runtime::Runtime& runtime, Directory& directory,
          FindRole find_role, Counters& counters);

  // A plugin serves connectors of this type: subscribes to what MOCA asks them, until give_up() and the last of them
  // has gone. Again: nothing.
  void offer(const std::string& type);
  // The filters that were asked for since the last call.
  [[nodiscard]] std::vector<std::string> take_filters() { return std::exchange(filters_, {}); }

  // False: it is nothing of MOCA's.
  [[nodiscard]] bool receive(const mqtt::Message& message);

  struct Status {
    std::string type, id;
    bool configured = false;
    std::string step;         // of a configuration that is under way
    std::size_t waiting = 0;  // requests that are not answered
  };
  [[nodiscard]] std::vector<Status> status() const;
  [[nodiscard]] std::size_t connectors() const { return connectors_.size(); }
  // Now and then: gives up memory that nobody needs any more.
  void tidy() { recent_.forget_old(runtime_.now().steady); }

  // The store: what Runtime::save() and Directory do not know of, and what waits until they are saved.
  [[nodiscard]] bool has_changes() const { return !secrets_.empty() || !new_media_.empty(); }
  void save(store::Batch& batch);
  // What save() has given away is in the store, and so is what Runtime has given with it.
  void saved();

  // Makes the connector of an earlier run, which Runtime then makes what it was. Null: `record` is no connector.
  runtime::Actor* restore(const store::Actor& record, const store::State& state);
  void restore(runtime::Actor& actor, store::Secret secret);
  // When all of it is there. `unsent`: topics on which something waits for the broker. `is_exact`: the store has all
  // that was done before.
  void resume(std::chrono::milliseconds away, const std::unordered_set<std::string>& unsent, bool is_exact = true);

  // Another version or configuration serves connectors of this type from now on, which are told.
  void taken_over(const std::string& type);
  // A role is about to be served by `next`: connectors whose state that cannot read begin anew.
  void restart_unreadable(const runtime::Role& role, const runtime::Logic& next);
  // Nobody serves it any more, for now: MOCA does not wait for the ends that are under way.
  void give_up(const runtime::Role& role);

  // runtime::Port
  std::int32_t check(const botel_effect& effect) const override;
  bool take(runtime::Actor& actor, runtime::Effect& effect) override;
  const std::string* secret(const runtime::Actor& actor, std::string_view name) const override;
  bool is_wanted(const runtime::Actor& actor, const runtime::Event& event) const override;
  void censor(runtime::Event& letter) const override;
  void handled(runtime::Actor& actor, const runtime::Event& event, const Result<>& committed) override;
  void perform(runtime::Actor& actor, runtime::Effect& effect) override;
  std::string origin(const runtime::Actor& actor) const override;
  std::string progress(const runtime::Actor& actor) const override;

 private:
  using Token = std::uint64_t;

  // Connectors of one service.
  struct Type {
    bool offered = false;        // by a plugin
    std::size_t connectors = 0;  // that there are
  };

  Type& subscribe(const std::string& type);
  void unsubscribe_unwanted(const std::string& type);
  Connector* find(std::string_view type, std::string_view id);
  Connector& add(const std::string& type, const std::string& id, std::uint64_t seed, runtime::Role& role);
  void wipe(Connector& connector);

  void request(const mqtt::Message& message, const Topic& topic);
  void configure(const mqtt::Message& message, const Topic& topic, Digest key);
  void begin_flow(const mqtt::Message& message, const Topic& topic);
  void check_step(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key);
  void serve(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key);
  void remove(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key);
  void leave(Connector& connector);

  // Requests that wait for their connectors.
  Token ask(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key);
  [[nodiscard]] bool is_full(const Connector& connector) const;
  void post(Connector& connector, Token token, runtime::Event event);
  void begin_media(Connector& connector, Token token);
  void post_media(Connector& connector, Token token);
  [[nodiscard]] Asked* asked(Connector& connector, Token token);
  void watch(Connector& connector, Token token);
  void look_at(Connector& connector, Token token);
  void time_out(Connector& connector, Token token);
  void answer(Connector& connector, Token token, const std::string& json);
  void fail(Connector& connector, Token token, int code, std::string_view message);
  void fail_contact(Connector& connector, Token token, int code, const std::string& why);
  void remember(const Asked& asked, const std::string& answer);
  void finish(Connector& connector, Token token);

  // What connectors do.
  [[nodiscard]] bool is_step(const botel_effect& effect) const;  // [any thread]
  [[nodiscard]] Asked* answered_by(Connector& connector, const runtime::Effect& effect);
  void sign_of_life(Connector& connector, const runtime::Effect& effect);
  void step(Connector& connector, const runtime::Effect& effect);
  void finished(Connector& connector, const runtime::Effect& effect);
  void reply(Connector& connector, const runtime::Effect& effect);
  void send_media(Connector& connector, const runtime::Effect& effect);
  void media_sent(Connector& connector, Token token, bool arrived);
  void go_on_with_media(Connector& connector, Token token);
  void look_up(Connector& connector, Token token);
  void find_messages(Connector& connector, Token token);
  void find_old_messages(Connector& connector, Token token);
  void found(const std::string& address, Token token, const Result<std::vector<std::string>>& items);
  std::vector<Item> read_items(const Connector& connector, std::string_view kind, const json::Document& list);
  [[nodiscard]] bool may_push(const Connector& connector);
  bool keep_items(Connector& connector, runtime::Effect& effect);
  void keep_secret(Connector& connector, const runtime::Effect& effect);

  void set_step(Connector& connector, std::string step, std::string schema);
  void wait_for_step(Connector& connector, SteadyTime until);
  void end_flow(Connector& connector);
  [[nodiscard]] std::string step_as_json(Connector& connector, const std::vector<Schema::Fault>& faults) const;
  void publish(const std::string& topic, std::string_view json) { client_.publish(topic + "/response", json); }
  [[nodiscard]] std::string failure_of(const Topic& topic, int code, std::string_view why);
  void refuse(const mqtt::Message& message, const Topic& topic, int code, std::string_view why);
  void refuse(Connector& connector, const mqtt::Message& message, const Topic& topic, int code, std::string_view why);
  void tell_resumed(Connector& connector, std::chrono::milliseconds away);
  void restore_progress(Connector& connector, const json::Document& progress);
  void restore_asked(Connector& connector, const json::Document& item);
  void resume(Connector& connector, const std::unordered_set<std::string>& unsent, bool is_exact);
  void resume_media(Connector& connector, Token token, bool is_unsent, bool is_exact);

  const ServiceConfig config_;
  mqtt::Client& client_;
  runtime::Runtime& runtime_;
  Directory& directory_;
  const FindRole find_role_;
  log::Throttle complaints_;
  mutable std::mutex check_mutex_;
  mutable log::Throttle check_complaints_;                                  // of check(); under check_mutex_
  std::map<std::string, Type, std::less<>> types_;                          // that are subscribed
  std::vector<std::string> filters_;                                        // since the last take_filters()
  std::unordered_map<std::string, std::unique_ptr<Connector>> connectors_;  // by address
  Recent recent_;
  std::vector<store::Secret> secrets_;  // since the last save()
  // Media that are asked for, by the address of their connector: since the last save(), and those that it has given.
  std::vector<std::pair<std::string, Token>> new_media_, given_media_;

  Counter& requests_;
  Counter& refused_;
  Counter& repeated_;
  Counter& echoes_;
  Counter& unknown_topics_;
  Counter& over_limit_;
  Counter& retained_;
  Counter& timeouts_;
  Counter& pushed_;
  Counter& bad_items_;
  Counter& dropped_pushes_;
};

}  // namespace botel::moca
