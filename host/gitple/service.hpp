// The Gitple side of the host: requests make and end rooms, messages go to their bots, what bots do goes out. [driver]
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/counters.hpp"
#include "base/log.hpp"
#include "gitple/answer_topics.hpp"
#include "gitple/ended.hpp"
#include "gitple/room.hpp"
#include "mqtt/client.hpp"
#include "runtime/runtime.hpp"

namespace botel::gitple {

struct ServiceConfig {
  std::vector<std::string> requests{"s/+/a/+/t/+/req/#"};
  std::vector<std::string> answers{"s/+/a/+/u/+/r/+/res/#"};
  std::chrono::milliseconds idle{std::chrono::minutes(10)};             // until a silent room times out
  std::chrono::milliseconds request_timeout{std::chrono::seconds(30)};  // until a start or an end is given up
  std::chrono::milliseconds answer_timeout{std::chrono::seconds(30)};   // until a bot's own request is given up
  std::chrono::milliseconds leave_timeout{std::chrono::seconds(30)};    // until a room that may go goes by itself
  std::optional<std::chrono::milliseconds> drop_repeats = {};  // in which a message of a user is taken once; none: each
};

class Service final : public runtime::Port {
 public:
  // Who serves a Gitple bot id; null when nobody shall.
  using FindBot = std::function<runtime::Role*(const std::string& bot_id)>;
  // Who serves the rooms of an earlier run that belong to the bot `name` and have the Gitple bot id.
  using FindOwner = std::function<runtime::Role&(const std::string& bot_id, const std::string& name)>;

  Service(ServiceConfig config, mqtt::Client& client, runtime::Runtime& runtime, FindBot find_bot, FindOwner find_owner,
          Counters& counters);
  ~Service() override { close(false); }

  // Subscribes to requests and answers; `done` is called once, when all are granted or one is refused.
  void open(mqtt::Client::Done done);

  // For the end: answers with an error what is still owed, unless `another_run` will answer it. Handlers may be
  // running.
  void close(bool another_run);

  void receive(const mqtt::Message& message);

  [[nodiscard]] std::size_t rooms() const { return rooms_.size(); }

  // Now and then: gives up memory that nobody needs any more.
  void tidy() { ended_.forget(runtime_.now().steady); }

  // The store: what Runtime::save() does not know of.
  [[nodiscard]] bool has_changes() const { return unanswered_.has_changes(); }
  void save(store::Batch& batch) { unanswered_.save(batch); }

  // Makes the room of an earlier run, which Runtime then makes what it was; its bot may be missing. Null: `record` is
  // no room.
  runtime::Actor* restore(const store::Actor& record, const store::State& state);
  // When all rooms are there: what was not answered is served again.
  void restore(store::Request request);
  // When all of it is there, and the bots are: tells them. `away`: for how long nobody handled anything.
  void resume(std::chrono::milliseconds away);

  // A bot has gone, or is not to be used: gitple does not wait for the starts and ends that are under way with it.
  void give_up(const runtime::Role& role);

  // `next` is to take over: rooms whose state it cannot read begin anew, with another start.
  void restart_unreadable(const runtime::Role& role, const runtime::Logic& next);

  // runtime::Port
  std::int32_t check(const botel_effect& effect) const override;
  void handled(runtime::Actor& actor, const runtime::Event& event, const Result<>& committed) override;
  void perform(runtime::Actor& actor, runtime::Effect& effect) override;
  std::string origin(const runtime::Actor& actor) const override;
  std::string progress(const runtime::Actor& actor) const override;

 private:
  void receive_requests(const mqtt::Message& message);
  void receive_too_large(const mqtt::Message& message);
  void refuse_payload(const Source& source, const mqtt::Message& message, const Refusal& refusal);
  void serve_payload(const Source& source, Requests requests, const std::shared_ptr<Batch>& batch,
                     const std::map<std::size_t, std::string>& answered);
  bool receive_answer(const mqtt::Message& message);
  bool receive_message(const mqtt::Message& message);
  void receive_message(Room& room, const std::string& topic, const Incoming& incoming);
  [[nodiscard]] bool is_repeat(Room& room, const std::string& topic, const Incoming& incoming);

  void serve(Waiting request);
  void serve_all(std::vector<Waiting> requests);
  void refuse(Reply& reply, std::string_view who, int code, const std::string& message);
  void keep_waiting(Room& room, Waiting request);
  void serve_start(Waiting request);
  void serve_end(Waiting request);
  void subscribed(const std::string& address, const Result<>& granted);
  void started(Room& room, const Result<>& committed);
  void end(Room& room, std::string_view why);
  void ended(Room& room);
  void wait_for_bot(Room& room);
  void time_out(Room& room);
  std::vector<Waiting> remove(Room& room);
  void forget_time(const std::string& place);

  Room& add(std::unique_ptr<Room> room);
  [[nodiscard]] std::function<void()> hold_until_answered(Room& room);
  void ask(Room& room, const runtime::Effect& effect);
  void wait_for_answer(Room& room, std::string id, std::uint64_t tag);
  void restore_progress(Room& room, const json::Document& progress);
  void restore_asked(Room& room, std::string_view list);
  void may_leave(Room& room);
  void disown(const std::string& topic);
  void answered(const std::string& id, const Answer& answer);
  void watch_idle(Room& room, SteadyTime due);

  Room* find(const std::string& address);
  void listen(Room& room);
  void unlisten(Room& room);

  const ServiceConfig config_;
  mqtt::Client& client_;
  runtime::Runtime& runtime_;
  const FindBot find_bot_;
  const FindOwner find_owner_;
  AnswerTopics answer_topics_;
  log::Throttle complaints_;  // about what comes in

  Unanswered unanswered_;  // outlives the rooms, which hold replies

  std::unordered_map<std::string, std::unique_ptr<Room>> rooms_;   // by address
  std::unordered_map<std::string, std::vector<Room*>> listeners_;  // by msgSub
  std::unordered_map<std::string, std::weak_ptr<std::int64_t>>
      last_times_;                                // by sp, app and room: see Room::last_time_ms
  std::unordered_map<std::string, Room*> asked_;  // by the id of a bot's own request
  bool restoring_ = false;                        // a request of an earlier run
  Ended ended_;
  std::string filter_;  // reused

  Counter& requests_;
  Counter& malformed_requests_;
  Counter& refused_requests_;
  Counter& retained_;
  Counter& over_limit_;
  Counter& messages_;
  Counter& malformed_messages_;
  Counter& stale_messages_;
  Counter& repeated_messages_;
  Counter& dropped_messages_;
  Counter& unknown_topics_;
  Counter& lost_answers_;
  Counter& timeouts_;
};

}  // namespace botel::gitple
