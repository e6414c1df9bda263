// The one idea: actors, their events in order, each event one transaction. Knows no protocol and no broker.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/black_box.hpp"
#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/log.hpp"
#include "runtime/actor.hpp"
#include "runtime/ready.hpp"
#include "runtime/timers.hpp"
#include "runtime/turn.hpp"
#include "runtime/workers.hpp"
#include "store/store.hpp"

namespace botel::runtime {

struct RuntimeConfig {
  unsigned threads = 16;                // that may be in handlers, more or less; beside those that may never return
  std::chrono::milliseconds slow{100};  // a handler that runs longer is named in the log
  std::chrono::milliseconds round{2};   // how long handlers may run until what they did is sent
};

// [driver], all but hand_back().
class Runtime {
 public:
  // `wake` ends the driver's waiting, from any thread.
  Runtime(RuntimeConfig config, Counters& counters, std::function<void()> wake, Time now = Time::now());

  // Before the first event: what actors become is kept in `store`, by way of save(); and `black_box` knows which
  // handlers run. Both may be null, and live longer than this.
  void keep(store::Store* store, BlackBox* black_box);

  // What time it is, for the round that begins. Fires the timers that are due.
  void advance(Time now);
  [[nodiscard]] const Time& now() const { return now_; }
  [[nodiscard]] Timers& timers() { return timers_; }
  // When advance() is to be called again.
  [[nodiscard]] std::optional<SteadyTime> next() const;

  // Whether the actor's queue has room.
  [[nodiscard]] bool can_queue(const Actor& actor) const {
    return actor.queued() < (store_ ? kMostInStore : kMostInMemory);
  }

  // Puts an event at the end of the actor's queue.
  void post(Actor& actor, Event event);

  // Runs the handlers of the actors that have events, for a short while. False: one took long, so that another thread
  // drives now; leave at once and touch nothing.
  [[nodiscard]] bool run(Workers& workers);
  [[nodiscard]] bool has_work() const { return ready_.next(crowded()) != nullptr; }

  // Handlers that run on other threads.
  struct Away {
    const Actor* actor;
    const Event* event;
    Logic* logic;
    SteadyTime since;
    SteadyTime complain;     // when it has run for too long, for the next time
    bool is_error = false;   // it has been counted as one
    bool has_extra = false;  // it may never return: there may be one more thread for it
  };
  // So many more threads there may be for those,
  static constexpr unsigned kMostExtraThreads = 256;
  // and after so long people are told that a handler hangs.
  static constexpr std::chrono::seconds kHangs{5};
  [[nodiscard]] const std::vector<Away>& away() const { return away_; }
  // Those that began after `time`, as the black box knows them.
  [[nodiscard]] std::vector<std::uint64_t> tasks_begun_after(SteadyTime time) const;

  // From now on `next` serves the role's actors, each from its next event on; null: nobody does, and their events wait.
  // The logic that served before is given up once nothing of it is in use: its handlers have returned, and what they
  // attached is dropped.
  void take_over(Role& role, std::shared_ptr<Logic> next);
  // What was given up since the last call; nobody else holds it.
  [[nodiscard]] std::vector<std::shared_ptr<Logic>> take_retired() { return std::exchange(retired_, {}); }
  [[nodiscard]] bool has_retired() const { return !retired_.empty(); }

  // The actor forgets its state and timers. `first`, if there is one, is what it handles next, before all that waits,
  // but behind a handler that runs now, of which nothing happens.
  void restart(Actor& actor, std::optional<Event> first);

  // Events that the role's logic has failed to handle on probation wait for another version, or for this: they are
  // tried again now, or have failed for good.
  void retry_failed(Role& role);
  void give_up_failed(Role& role);

  // Fails the event that waits to be tried again, or for another version, because a later event, such as the end, must
  // not wait.
  void give_up_retry(Actor& actor);

  // While an actor is held its committed effects wait; timers and state do not.
  void hold(Actor& actor) { actor.held_ = true; }
  void release(Actor& actor);

  // Lets all committed effects leave now, whatever their delays.
  void flush(Actor& actor);

  [[nodiscard]] static bool in_handler(const Actor& actor) { return actor.in_turn_; }

  // Forgets what is queued for the actor and cancels its timers, before it goes. No handler of it may be running.
  void retire(Actor& actor);

  // The actor's dead letters go, too.
  void forget_letters(const Actor& actor);

  // Times as the store keeps them, and back: on the host's own clock.
  [[nodiscard]] std::int64_t host_ms(SteadyTime time) const { return clock_.ms(time); }
  [[nodiscard]] std::int64_t host_ms() const { return clock_.ms(now_.steady); }
  [[nodiscard]] SteadyTime steady(std::int64_t host_ms) const { return clock_.steady(host_ms); }

  // A number above all that this, or an earlier run's, has returned.
  [[nodiscard]] std::uint64_t new_id() { return ++last_id_; }

  // The store ----------------------------------------------------------------------------------------------------

  // What Port::progress() says has changed.
  void touch(Actor& actor) { mark_changed(actor); }

  // Whether there is something that save() would write.
  [[nodiscard]] bool has_changes() const { return !unsaved_.empty() || !changes_empty(); }

  // What has changed since the last call: one transaction for all events handled in between, and the inbox for those
  // that were not.
  [[nodiscard]] store::Batch save();

  // What save() returned is in the store now: what was spilled can be had back.
  void saved();

  // The clock, and with it the ids, go on from an earlier run. Before any actor.
  void restore(const store::Clock& kept);
  // Makes an actor what it was in an earlier run. In this order, before its first event.
  void restore(Actor& actor, store::State state);
  void restore(Actor& actor, const store::Timer& timer);
  void restore(Actor& actor, store::Waiting effect);
  void restore_inbox(Actor& actor, std::size_t count);
  // By which the store knows it.
  [[nodiscard]] store::ActorId id(Actor& actor) {
    if (actor.id_ == 0) actor.id_ = ++last_actor_;
    return actor.id_;
  }
  // Ids of actors go on behind this one.
  void used(store::ActorId id) { last_actor_ = std::max(last_actor_, id); }

 private:
  Turn begin(Actor& actor, SteadyTime now);
  void call(Turn& turn) const;
  void finish(Turn& turn, SteadyTime now);
  void commit(Turn& turn);
  void fail(Turn& turn, std::string_view why = {});
  bool retry(Turn& turn);
  bool put_off(Turn& turn);
  bool pass_on(Turn& turn);
  void note_failure(const Turn& turn, std::string_view words, std::string_view what_next);
  void fail_waiting(Actor& actor, const std::string& error);
  void tell(Turn& turn, const Result<>& committed);
  Event take_first(Actor& actor);
  void go_on(Actor& actor);
  [[nodiscard]] bool set_aside(Actor& actor);
  [[nodiscard]] bool drop_unwanted(Actor& actor);
  void handle_again(Turn& turn);
  void restart_with(Actor& actor, Event first);
  void stamp(Event& event);
  void give_up_old();
  void queue(Actor& actor, Effect effect);
  void pump(Actor& actor);
  void watch_lane(Actor& actor);
  void perform_first(Actor& actor);
  void set_timer(Actor& actor, std::uint64_t tag, SteadyTime due);
  void cancel_timer(Actor& actor, std::uint64_t tag);
  void hand_back(Turn turn);
  void take_back();
  void complain_of_slow();
  void add_threads(Workers& workers);
  void name_slow(const Away& away, SteadyTime now, std::string_view how);
  [[nodiscard]] bool crowded() const { return away_.size() - extra_threads_ + 1 >= reserve_from_; }

  [[nodiscard]] bool condemned(Turn& turn);
  void bury(Turn& turn);

  void mark(Actor& actor);
  void mark_changed(Actor& actor);
  void note_timer(Actor& actor, std::uint64_t tag) {
    if (store_) actor.changed_timers_.insert(tag);
  }
  void save(Actor& actor);
  void save_queue(Actor& actor);
  void forget(Actor& actor);
  void spill(Actor& actor, Event event);
  void feed_hungry();
  enum class Fed { yes, soon, no };  // soon: the store is busy; no: it fails, or has not been given them yet
  [[nodiscard]] Fed feed(Actor& actor);
  [[nodiscard]] bool changes_empty() const;

  const RuntimeConfig config_;
  const std::size_t reserve_from_;
  Time now_;
  HostClock clock_;
  Timers timers_;
  Ready ready_;
  const std::function<void()> wake_;
  const std::uint64_t secret_;  // makes the seeds of events
  std::uint64_t last_id_;

  std::vector<std::shared_ptr<Logic>> replaced_;  // something of them may be in use
  std::vector<std::shared_ptr<Logic>> retired_;
  std::unordered_map<Actor*, std::optional<Event>>
      first_again_;  // of actors that begin anew once their handler has returned

  Actor* told_ = nullptr;  // whose protocol is being told of its event
  std::vector<Away> away_;
  unsigned extra_threads_ = 0;  // for them
  std::mutex mutex_;
  std::vector<Turn> returned_;  // under mutex_: turns that other threads have finished
  std::atomic<bool> any_returned_{false};

  store::Store* store_ = nullptr;
  BlackBox* black_box_ = nullptr;
  store::ActorId last_actor_ = 0;
  std::vector<Actor*> unsaved_;
  store::Batch changes_;  // what is gone since the last save(), and what was spilled
  std::vector<Actor*> hungry_;
  std::vector<std::uint64_t> buried_;  // tasks whose dead letters the store does not have yet
  Timers::Id feed_timer_ = 0;

  log::Throttle complaints_;
  Counter& events_;
  Counter& failures_;
  Counter& retries_;
  Counter& unwanted_;
  Counter& taken_over_;
  Counter& slow_;
  Counter& dead_letters_;
};

}  // namespace botel::runtime
