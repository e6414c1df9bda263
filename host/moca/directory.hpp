// What connectors have told of their services: it is kept in the store, and found there for MOCA. [driver]
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/job_thread.hpp"
#include "base/result.hpp"
#include "moca/items.hpp"
#include "store/store.hpp"

namespace botel::moca {

class Directory {
 public:
  // `store` lives longer. `wake` ends the driver's waiting, from any thread. `first`: a number above all of earlier
  // runs.
  Directory(store::Store& store, std::int64_t first, std::function<void()> wake)
      : store_(store), last_number_(first), jobs_(std::move(wake)) {}

  void put(store::ActorId actor, std::string_view kind, Item item);
  void wipe(store::ActorId actor);

  // Finds items, as JSON, with all that was put before: when the store has it. `done` is called by advance().
  using Found = std::function<void(const Result<std::vector<std::string>>&)>;
  void find(store::ItemQuery query, Found done);

  [[nodiscard]] bool has_changes() const { return !items_.empty() || !gone_.empty(); }
  void save(store::Batch& batch);
  // What save() has given away is in the store.
  void saved();
  void advance() { jobs_.take(); }
  // Nobody waits for what find() finds.
  [[nodiscard]] bool idle() const { return waiting_.empty() && jobs_.idle(); }

 private:
  struct Waiting {
    store::ItemQuery query;
    Found done;
    std::uint64_t change;  // that must be in the store
  };
  void run(Waiting waiting);

  store::Store& store_;
  std::int64_t last_number_;
  std::vector<store::Item> items_;
  std::vector<store::ActorId> gone_;
  std::uint64_t changes_ = 0, given_ = 0,
                saved_ = 0;  // of changes: all, those that save() has given away, in the store
  std::vector<Waiting> waiting_;
  JobThread jobs_;
};

}  // namespace botel::moca
