// The one idea: actors, their events in order, each event one transaction. Knows no protocol and no broker.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/log.hpp"
#include "runtime/actor.hpp"
#include "runtime/timers.hpp"
#include "runtime/turn.hpp"
#include "runtime/workers.hpp"

namespace botel::runtime {

// [driver], all but hand_back().
class Runtime {
 public:
  // `wake` ends the driver's waiting, from any thread.
  Runtime(Counters& counters, std::function<void()> wake);

  // What time it is, for the round that begins. Fires the timers that are due.
  void advance(Time now);
  [[nodiscard]] const Time& now() const { return now_; }
  [[nodiscard]] Timers& timers() { return timers_; }

  // Puts an event at the end of the actor's queue.
  void post(Actor& actor, Event event);

  // Runs the handlers of the actors that have events, for a short while. False: one took long, so that another thread
  // drives now; leave at once and touch nothing.
  [[nodiscard]] bool run(Workers& workers);
  [[nodiscard]] bool has_work() const { return !ready_.empty(); }
  // Handlers that run on other threads.
  [[nodiscard]] const std::vector<const Actor*>& away() const { return away_; }

  // An event that waits to be tried again fails now: something that cannot wait comes behind it.
  void give_up_retry(Actor& actor);

  // While an actor is held its committed effects wait; timers and state do not.
  void hold(Actor& actor) { actor.held_ = true; }
  void release(Actor& actor);

  // Lets all committed effects leave now, whatever their delays.
  void flush(Actor& actor);

  // Forgets what is queued for the actor and cancels its timers, before it goes. No handler of it may be running.
  void retire(Actor& actor);

 private:
  Turn begin(Actor& actor);
  void finish(Turn& turn);
  void commit(Turn& turn);
  void fail(Turn& turn);
  bool retry(Turn& turn);
  void tell(Turn& turn, bool committed);
  void drop_cached(Actor& actor);
  void go_on(Actor& actor);
  void pump(Actor& actor);
  void perform_first(Actor& actor);
  void set_timer(Actor& actor, const Effect& effect);
  void cancel_timer(Actor& actor, std::uint64_t tag);
  void hand_back(Turn turn);
  void take_back();

  Time now_;
  Timers timers_;
  std::deque<Actor*> ready_;
  const std::function<void()> wake_;
  const std::uint64_t secret_;  // makes the seeds of events
  std::uint64_t last_id_;

  Actor* told_ = nullptr;  // whose protocol is being told of its event
  std::vector<const Actor*> away_;
  std::mutex mutex_;
  std::vector<Turn> returned_;  // under mutex_: turns that other threads have finished
  std::atomic<bool> any_returned_{false};

  log::Throttle complaints_;
  Counter& events_;
  Counter& failures_;
  Counter& retries_;
  Counter& slow_;
};

}  // namespace botel::runtime
