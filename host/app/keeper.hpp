// When what has happened goes to the store, and how it comes back from there. [driver]
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "app/config.hpp"
#include "base/clock.hpp"
#include "gitple/service.hpp"
#include "moca/service.hpp"
#include "mqtt/link.hpp"
#include "runtime/runtime.hpp"
#include "store/slow_commits.hpp"
#include "store/store.hpp"
#include "store/writer.hpp"

namespace botel::app {

class Keeper {
 public:
  // The others live longer. `wake` ends the driver's waiting, from any thread.
  Keeper(store::Store& store, bool strict, runtime::Runtime& runtime, mqtt::Link& link, gitple::Service& gitple,
         moca::Service& moca, moca::Directory& directory, Counters& counters, std::function<void()> wake);

  // What the store holds becomes rooms, connectors and messages again, before the first round.
  [[nodiscard]] Result<> load();
  // When the bots are there, too: they are told, and requests that were not answered are served again. `away`: for how
  // long nobody handled anything; nothing: since the store was written. `ended_well`: the last run kept all that it
  // did.
  void resume(std::optional<std::chrono::milliseconds> away, bool ended_well);

  // After the handlers of a round, before anything of it is written to the broker. False: nothing may be written, as
  // the store does not take what it depends on; the link is cut until it does.
  [[nodiscard]] bool save(SteadyTime now);

  // No handler may run: what it did could not be kept.
  [[nodiscard]] bool stalled() const { return stalled_; }
  // When save() wants to be called again, whatever happens.
  [[nodiscard]] std::optional<SteadyTime> next() const;

  // For the end: all that there is, however long the disk takes. An error: it is not in the store, and was not by
  // `deadline`.
  [[nodiscard]] Result<> finish(SteadyTime deadline);

 private:
  [[nodiscard]] bool must_save() const;
  void write(SteadyTime now);
  void committed(SteadyTime now);
  void look_whether_slow(std::chrono::milliseconds taken, SteadyTime now);
  void stall();

  store::Store& store_;
  std::chrono::milliseconds since_written_{0};
  std::vector<store::Request> requests_;    // of an earlier run, as are
  std::unordered_set<std::string> unsent_;  // topics on which something waits for the broker
  const bool strict_;
  runtime::Runtime& runtime_;
  mqtt::Link& link_;
  gitple::Service& gitple_;
  moca::Service& moca_;
  moca::Directory& directory_;
  bool writing_ = false;
  bool stalled_ = false;
  SteadyTime last_{};
  SteadyTime clock_due_{};  // at once, so that no two runs have the same ids
  store::SlowCommits slow_;
  store::Writer writer_;
};

}  // namespace botel::app
