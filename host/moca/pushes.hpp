// When the pushes of one connector leave, so that no published MOCA server loses any; docs/moca.md says what they need.
//
// After the end of a configuration a server that sees the user's own contact before its transaction has committed takes
// it for a stranger's, for ever. Nothing tells when that is, so a barrier is pushed first: chats that name two
// contacts, for which the server asks one after the other. It has committed when it asks for the second. Where it does
// not ask, a time has to do.
//
// A server of the older kind asks for each contact that a push names, and gives up a push when another one makes it ask
// for the same contact meanwhile: before the next push it must have stopped asking. The form of its requests tells what
// a server is. Until one has come, it is taken for one of these.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "moca/barrier.hpp"
#include "moca/items.hpp"
#include "moca/topics.hpp"
#include "mqtt/client.hpp"
#include "runtime/runtime.hpp"

namespace botel::moca {

struct PushTimes {
  std::chrono::milliseconds barrier{3000};  // until a server that does not ask is taken to be ready
  std::chrono::milliseconds quiet{500};     // after the last request for a contact a push is taken in
  std::chrono::milliseconds longest{std::chrono::minutes(2)};  // for a server that never stops asking, or never goes on
};

// What the connector pushes waits in Runtime, as effects, and is kept there over restarts; this says when they leave.
// [driver]
class Pushes {
 public:
  // `connector` pushes nothing until begin(). `topic`: all that is before the kind. All of them live longer.
  Pushes(PushTimes times, runtime::Runtime& runtime, mqtt::Client& client, runtime::Actor& connector,
         std::string topic);
  ~Pushes() { runtime_.timers().cancel(timer_); }
  Pushes(const Pushes&) = delete;
  Pushes& operator=(const Pushes&) = delete;

  // The connector is configured. `own`: the user's contact, which is pushed first, as it may be another one than
  // before.
  void begin(Item own);
  // The connector is not configured any more.
  void end();

  // Whether another push may be queued.
  [[nodiscard]] bool has_room() const;
  // A push of the connector is queued in Runtime. `kind`: contact, chat or message.
  void queued(std::string_view kind, const std::vector<std::string>& items, std::size_t bytes);
  // Runtime performs it.
  void leave(std::string_view kind, const std::string& list);
  // Chats that MOCA has asked for are pushed, too. Only the last of these lists waits.
  void push_chats(std::string list);

  // A request of MOCA has come.
  void heard(Form form);
  // One for a contact has come,
  void asked(std::string_view contact);
  // waits for its answer, and has it.
  void request_opened() { ++open_requests_; }
  void request_over();

  // For the store, and from there. resume(): when all of an earlier run is there.
  [[nodiscard]] std::string json() const;
  void restore(const json::Document& kept, bool is_configured);
  void resume();

 private:
  enum class State {
    closed,     // it is not configured
    beginning,  // it is, and the barrier is to be pushed
    waiting,    // for the server
    open
  };
  enum class Server { unknown, older, newer };

  void go_on();
  void push_barrier();
  void push_own();
  void publish(std::string_view kind, std::string_view list);
  [[nodiscard]] bool may_leave() const;
  [[nodiscard]] SteadyTime taken_in_at() const;
  void look_again();

  const PushTimes times_;
  runtime::Runtime& runtime_;
  mqtt::Client& client_;
  runtime::Actor& connector_;
  const std::string topic_;

  State state_ = State::closed;
  Server server_ = Server::unknown;
  Barrier barrier_;                      // of what waits for the end of a configuration
  std::vector<std::string> expected_;    // contacts for which the server has not asked yet
  SteadyTime until_{};                   // then it is taken to be ready
  Item own_;                             // to be pushed; its JSON is empty where it was
  std::string chats_;                    // a list that MOCA has asked for; empty: none
  std::size_t waiting_ = 0, bytes_ = 0;  // pushes of the connector

  std::size_t open_requests_ = 0;  // for contacts
  SteadyTime pushed_{};            // the last one that a server asks about
  SteadyTime last_{};              // that, or the last sign that it asks
  runtime::Timers::Id timer_ = 0;
};

}  // namespace botel::moca
