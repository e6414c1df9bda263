// What Plugins knows of one file of its folder.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/candidate.hpp"
#include "plugin/plugins.hpp"

namespace botel::plugin {

// Why it is refused.
inline constexpr auto kRolledBack = "it was rolled back: `botel reload` with its name takes it again";

// Until a version of which no handler has gone well is rolled back.
inline constexpr std::chrono::seconds kFailsAlways{5};

// A version that is loaded.
struct Plugins::Generation {
  unsigned number = 0;
  std::string sha256;
  Note note;
  std::filesystem::path copy;
  std::shared_ptr<Library> library;
  std::vector<Part> parts;
  std::vector<std::weak_ptr<runtime::Logic>> logics;  // by part; what could not be made has none
};

// What speaks against a version that nobody has tried yet.
struct Plugins::Objection {
  std::string why;           // empty: nothing
  bool to_a_name = false;    // which another file has
  bool to_a_schema = false;  // there are rooms whose state it cannot read
};

struct Plugins::File {
  explicit File(std::string name) : name(std::move(name)) {}

  const std::string name;
  std::unique_ptr<Generation> now;       // what serves; null: nothing of it does
  std::shared_ptr<Candidate> candidate;  // what is under way; null: nothing
  std::optional<Wish> again;             // what is to be looked at when nothing is
  std::vector<FileDone> waiting;
  Outcome last;
  bool has_news = false;            // since somebody began to wait
  std::optional<SteadyTime> retry;  // when what stood in the way may have passed
  unsigned generations = 0;
  bool first = true;  // nothing has come of it yet in this run
  bool gone = false;  // it is not in the folder

  enum class Names { own, lost, undecided };  // another file has one, or is about to
  Names names = Names::own;
  Wish undecided;  // what is to be looked at when that is known

  struct Refusal {
    std::string sha256, why;
    std::vector<std::string> names;  // of the bots and connectors in it, as far as that is known
  };
  std::optional<Refusal> refusal;   // of what lies in the folder
  std::vector<Part> refused_parts;  // with which what serves was refused

  enum class Health { good, rolling_back, failing };  // failing: its actors wait for a better one
  Health health = Health::good;

  // The handlers of what serves.
  struct Handled {
    std::uint64_t calls = 0, errors = 0;
  };
  struct Probation {
    SteadyTime until;
    Handled before;                           // it began
    std::optional<SteadyTime> failing_since;  // nothing has gone well so far

    // When it has to be looked at again.
    [[nodiscard]] SteadyTime next() const {
      return failing_since ? std::min(until, *failing_since + kFailsAlways) : until;
    }
  };
  std::optional<Probation> probation;

  [[nodiscard]] Handled handled() const {
    Handled all;
    for (const auto& weak : now->logics) {
      const auto logic = weak.lock();
      if (!logic) continue;
      all.calls += logic->calls;
      all.errors += logic->errors;
    }
    return all;
  }
};

}  // namespace botel::plugin
