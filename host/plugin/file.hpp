// What Plugins knows of one file of its folder.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugin/candidate.hpp"
#include "plugin/plugins.hpp"

namespace botel::plugin {

// A version that is loaded.
struct Plugins::Generation {
  unsigned number = 0;
  std::string sha256;
  Note note;
  std::filesystem::path copy;
  std::shared_ptr<Library> library;
  std::vector<Part> parts;
  std::vector<std::weak_ptr<runtime::Logic>> logics;  // by part

  // "echo 1.0.0"
  [[nodiscard]] std::string describe() const {
    std::string text;
    for (const Item& item : note.items) text += (text.empty() ? "" : ", ") + item.id + " " + item.version;
    return text;
  }
};

struct Plugins::File {
  explicit File(std::string name) : name(std::move(name)) {}

  const std::string name;
  std::unique_ptr<Generation> now;       // what serves; null: nothing of it does
  std::shared_ptr<Candidate> candidate;  // what is under way; null: nothing
  std::optional<Wish> again;             // what is to be looked at when nothing is
  std::vector<FileDone> waiting;
  Outcome last;
  unsigned generations = 0;
  bool first = true;                    // nothing has come of it yet in this run
  bool gone = false;                    // it is not in the folder
  bool failing = false;                 // its actors wait
  bool lost_name = false;               // another file has a name of it,
  bool undecided = false;               // or is about to
  std::string refused;                  // the hash of the file that was refused last
  std::optional<SteadyTime> probation;  // until when
  std::uint64_t forgiven = 0;           // errors before that

  [[nodiscard]] std::uint64_t errors() const {
    std::uint64_t all = 0;
    for (const auto& weak : now->logics) {
      if (const auto logic = weak.lock()) all += logic->errors;
    }
    return all;
  }
};

}  // namespace botel::plugin
