// The plugins of a host, hot: what is dropped into their folder takes over from what was there, once it has been judged
// and tried; what turns out to fail is rolled back; what is replaced is unloaded. Until a version takes over, the one
// before serves. [driver]
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/black_box.hpp"
#include "base/counters.hpp"
#include "plugin/candidate.hpp"
#include "base/job_thread.hpp"
#include "plugin/shelf.hpp"
#include "plugin/watcher.hpp"
#include "runtime/runtime.hpp"

namespace botel::plugin {

struct PluginsConfig {
  std::filesystem::path folder;
  std::filesystem::path data;  // the host's: `loaded` in it has what is in memory, `plugins` what is kept
  ProbeConfig probe;
  // A version is rolled back when so many of its handlers fail in the time behind its take-over.
  unsigned most_failures = 5;
  std::chrono::milliseconds probation{std::chrono::minutes(1)};
  std::chrono::milliseconds quiet{300};  // since the last write to a file until it is looked at
};

// What became of a file.
struct Outcome {
  std::int64_t time_ms = 0;
  bool good = false;
  std::string text;  // "echo 1.0.1 took over from 1.0.0"
};

// A bot or a connector that is loaded.
struct Status {
  std::string name, kind, version, abi, file, sha256;
  std::string state;        // serving, on probation, failing; idle: nobody wants it
  unsigned generation = 0;  // of its file, in this run
  std::size_t rooms = 0;
  std::uint64_t calls = 0, errors = 0;  // of this version
};

struct FileStatus {
  std::string name;
  bool loaded = false;
  bool can_go_back = false;  // there is a version for a rollback
  Outcome last;
};

class Plugins {
 public:
  // What they need of the rest of the house. All but `wake` are called by the driver.
  struct Surroundings {
    // The instances that are wanted of a bot or a connector.
    std::function<std::vector<Part>(const Item&)> parts;
    // `next` is about to take over, and rooms whose state it cannot read begin anew.
    std::function<void(const runtime::Role&, const runtime::Logic& next)> restart_unreadable;
    // Nobody serves a role any more, for now.
    std::function<void(const runtime::Role&)> gone;
    std::function<void()> wake;
  };
  struct Report {
    std::string file;  // empty: there is none
    Outcome outcome;
  };
  using Done = std::function<void(const std::vector<Report>&)>;

  // The others live longer; `black_box` may be null.
  Plugins(PluginsConfig config, runtime::Runtime& runtime, BlackBox* black_box, Surroundings surroundings,
          Counters& counters);
  ~Plugins();

  // Begins to load what is in the folder.
  [[nodiscard]] Result<> open();
  // Nothing is under way.
  [[nodiscard]] bool settled() const;

  [[nodiscard]] int descriptor() const { return watcher_->descriptor(); }
  void read(SteadyTime now) { watcher_->read(now); }
  void advance(const Time& now);
  [[nodiscard]] SteadyTime next() const;

  // What an operator may ask for. `name`: of a file, with or without its .so, or of a bot in it; empty: all. `done` is
  // called once, when something has come of all of them.
  void reload(const std::string& name, bool restart_rooms, const Done& done);
  void rollback(const std::string& name, const Done& done);
  // What would become of a file that were dropped in.
  void check(const std::filesystem::path& file, const Done& done);
  // Other parts are wanted.
  void reconfigure();

  [[nodiscard]] std::vector<Status> status() const;
  [[nodiscard]] std::vector<FileStatus> files() const;
  // Old versions that are still in memory, and why.
  [[nodiscard]] std::vector<std::string> leftovers() const;

  // For the end: false: a plugin does not return, so that nothing can be destroyed.
  [[nodiscard]] bool stop(SteadyTime deadline) { return loader_.stop(deadline); }

 private:
  struct Generation;
  struct File;
  using FileDone = std::function<void(const Report&)>;

  File& file(const std::string& name);
  [[nodiscard]] std::vector<File*> find(const std::string& name);
  [[nodiscard]] Report nobody(const std::string& name) const;
  [[nodiscard]] std::filesystem::path next_copy(const std::string& name);

  void look(File& file, Wish wish = {});
  void staged(File& file);
  [[nodiscard]] bool may_be_gone(const File& file) const;
  [[nodiscard]] bool is_settled(File& file);
  [[nodiscard]] bool has_crashed(File& file);
  [[nodiscard]] bool is_undecided(const File& file) const;
  [[nodiscard]] std::string objection(File& file, Candidate& candidate) const;
  [[nodiscard]] std::vector<Part> parts_of(const Note& note) const;
  void choose_parts(Candidate& candidate) const;
  void prepared(File& file);
  void take_over(File& file);
  void put_on_shelf(File& file);
  void shelved(File& file, const Result<>& written);
  void refuse(File& file, const std::string& why);
  [[nodiscard]] bool can_fall_back(const File& file, const Candidate& candidate);
  [[nodiscard]] bool fall_back(File& file, const Candidate& refused);
  void remove(File& file);
  void finish(File& file, bool good, std::string text);
  void free_names(const File& file);
  void throw_away(File& file);

  void watch_probation(File& file);
  void roll_back(File& file, std::uint64_t failures);
  void give_up(const File& file);
  void suspend(const File& file, bool suspended);

  void replace(File& file, std::unique_ptr<Generation> next);
  void unload_old();
  void unloaded(const Generation& old, const Result<>& gone);
  void save(std::vector<std::filesystem::path> superfluous);
  void discard(std::vector<std::filesystem::path> superfluous);

  const PluginsConfig config_;
  runtime::Runtime& runtime_;
  BlackBox* const black_box_;
  const Surroundings surroundings_;
  std::unique_ptr<Watcher> watcher_;
  std::optional<Shelf> shelf_;
  std::map<std::string, std::unique_ptr<File>> files_;  // by name
  std::map<std::string, File*> names_;                  // of bots and connectors: whose they are
  std::vector<std::unique_ptr<Generation>> old_;        // something of them may be in use
  struct Leftover {
    std::filesystem::path copy;
    std::string what;
  };
  std::vector<Leftover> leftovers_;
  unsigned copies_ = 0;
  std::string trouble_;
  Time now_;

  Counter& taken_over_;
  Counter& refused_;
  Counter& rolled_back_;
  Counter& not_unloaded_;
  JobThread loader_;  // the last, as its thread uses the others
};

}  // namespace botel::plugin
