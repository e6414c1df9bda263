// A bot or a connector as its actors know it: a name, and whichever version of its logic serves them at the moment.
// Another one takes it over between two events of each actor (Runtime::take_over), so it does not matter how many
// there are. [driver]
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "runtime/logic.hpp"

namespace botel::runtime {

class Actor;

// Lives longer than its actors.
class Role {
 public:
  // `name`: the id of its descriptors; `kind`: BOTEL_BOT or BOTEL_CONNECTOR. One of the other kind is somebody else.
  explicit Role(std::string name, std::int32_t kind = BOTEL_BOT) : name_(std::move(name)), kind_(kind) {}
  Role(const Role&) = delete;
  Role& operator=(const Role&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int32_t kind() const { return kind_; }

  // Null: it is missing.
  [[nodiscard]] const std::shared_ptr<Logic>& logic() const { return logic_; }
  // Whether it handles events; otherwise they wait: for a moment while it is suspended, or for another version.
  [[nodiscard]] bool serves() const { return logic_ && !suspended_ && !failing_; }
  [[nodiscard]] bool is_gone() const { return !logic_ || failing_; }
  void suspend(bool suspended) { suspended_ = suspended; }
  void set_failing(bool failing) { failing_ = failing; }
  // Its version may be rolled back: an event that it fails to handle waits for that (see Runtime::give_up_failed).
  void set_on_probation(bool on_probation) { on_probation_ = on_probation; }

  // Its actors; those whose state a version cannot read that reads schemas from `oldest` to `newest`; and those among
  // these that the version which is there can read.
  [[nodiscard]] std::size_t actors() const;
  [[nodiscard]] std::size_t unreadable(std::uint32_t oldest, std::uint32_t newest) const;
  [[nodiscard]] std::size_t would_lose(std::uint32_t oldest, std::uint32_t newest) const;

 private:
  friend class Actor;
  friend class Runtime;

  const std::string name_;
  const std::int32_t kind_;
  std::shared_ptr<Logic> logic_;
  bool suspended_ = false, failing_ = false, on_probation_ = false;
  std::map<std::uint32_t, std::size_t> schemas_;    // how many actors have a state of each
  std::unordered_set<Actor*> stuck_;                // they have events, and a state that logic_ cannot read
  std::unordered_map<Actor*, std::string> failed_;  // on probation, at their first event: in the plugin's words
};

}  // namespace botel::runtime
