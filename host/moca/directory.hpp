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
  // `store` lives longer. `wake` ends the driver's waiting, from any thread.
  Directory(store::Store& store, std::function<void()> wake) : store_(store), jobs_(std::move(wake)) {}

  // `number`: above those of all that was put before, in earlier runs, too.
  void put(store::ActorId actor, std::string_view kind, Item item, std::uint64_t number);
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
  std::vector<store::Item> items_;
  std::vector<store::ActorId> gone_;
  std::uint64_t changes_ = 0, given_ = 0,
                saved_ = 0;  // of changes: all, those that save() has given away, in the store
  std::vector<Waiting> waiting_;
  JobThread jobs_;
};

}  // namespace botel::moca
