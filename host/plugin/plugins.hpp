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
#include "base/job_thread.hpp"
#include "plugin/candidate.hpp"
#include "plugin/shelf.hpp"
#include "plugin/watcher.hpp"
#include "runtime/runtime.hpp"

namespace botel::plugin {

struct PluginsConfig {
  std::filesystem::path folder;
  Writers writers = Writers::ours;  // of the folder, and of the files in it
  std::filesystem::path data;       // the host's: `plugins` in it has what is kept
  std::filesystem::path copies;     // what is in memory: a folder of the host's own
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
  std::string name, kind, version, abi, sha256;
  std::string state;        // serving, on probation, failing; idle: nobody wants it
  unsigned generation = 0;  // of its file, in this run
  std::size_t rooms = 0;
  std::uint64_t calls = 0, errors = 0;  // of this version
};

struct FileStatus {
  std::string name;
  std::vector<Status> offers;  // none: it is not loaded
  bool can_go_back = false;    // there is a version for a rollback
  Outcome last;
  std::string refused;  // why what lies in the folder is not what serves; empty: it is
};

class Plugins {
 public:
  // What they need of the rest of the house. All but `wake` are called by the driver.
  struct Surroundings {
    // What speaks against a bot or a connector; empty: nothing.
    std::function<std::string(const Item&)> objection;
    // The instances that are wanted of it.
    std::function<std::vector<Part>(const Item&)> parts;
    // It serves from now on.
    std::function<void(const Item&)> serves;
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

  // What an operator may ask for. `name`: of a file, with or without its .so, or of a bot in it; empty: all, but what
  // has failed or crashed is taken again only where it is named. `done` is called once, when something has come of all
  // of them.
  void reload(const std::string& name, bool restart_rooms, const Done& done);
  void rollback(const std::string& name, const Done& done);
  // What would become of a file that were dropped in.
  void check(const std::filesystem::path& file, const Done& done);
  // Other parts are wanted.
  void reconfigure();

  // Those in the folder.
  [[nodiscard]] std::vector<FileStatus> files() const;
  // Why nobody serves the bot or the connector: "dice.so is refused".
  [[nodiscard]] std::string why_not_served(const std::string& name) const;
  // Old versions that are still in use or in memory, and why.
  [[nodiscard]] std::vector<std::string> leftovers() const;

  // For the end: false: a plugin does not return, so that nothing can be destroyed.
  [[nodiscard]] bool stop(SteadyTime deadline);

 private:
  struct Generation;
  struct File;
  struct Objection;
  using FileDone = std::function<void(const Report&)>;

  // Orders and answers.
  File& file(const std::string& name);
  [[nodiscard]] std::vector<File*> find(const std::string& name);
  [[nodiscard]] Report nobody(const std::string& name) const;
  [[nodiscard]] const File& place_of(const Candidate& candidate, const File& unknown) const;
  [[nodiscard]] std::string check_objection(const File& file, const Candidate& candidate) const;
  [[nodiscard]] std::string fate(const File& file, const Candidate& candidate) const;
  [[nodiscard]] std::vector<Status> offers(const File& file) const;
  [[nodiscard]] std::filesystem::path next_copy(const std::string& name);

  // How a version comes to take over, step by step, or does not.
  void look_at_first();
  void look(File& file, Wish wish = {});
  void staged(File& file);
  void put_off(File& file, const Objection& objection);
  void tried(File& file);
  void load(File& file);
  void loaded(File& file);
  void shelved(File& file, const Result<>& written);
  void take_over(File& file);
  [[nodiscard]] std::string describe_take_over(const File& file, const Generation& next) const;
  [[nodiscard]] std::string describe_what_goes_on(const File& file, const std::optional<Wish>& instead) const;
  void serve(const Part& part, std::shared_ptr<runtime::Logic> logic, bool restart_rooms);
  void refuse(File& file, const Objection& objection);
  void finish(File& file, bool good, std::string text, bool is_news = true);
  void remove(File& file);
  void throw_away(File& file);

  // What decides about it.
  [[nodiscard]] bool may_be_gone(const File& file) const;
  [[nodiscard]] bool is_settled(File& file);
  [[nodiscard]] bool is_as_it_shall_be(const File& file, const Wish& wish) const;
  [[nodiscard]] bool is_to_be_rolled_back(const File& file) const;
  [[nodiscard]] bool may_wait_for_a_name(const File& file) const;
  [[nodiscard]] Objection objection(const File& file, const Candidate& candidate) const;
  [[nodiscard]] std::string crash_objection(const File& file, const Candidate& candidate) const;
  [[nodiscard]] std::vector<Part> parts_of(const Note& note) const;
  void choose_parts(const File& file, Candidate& candidate) const;
  void free_names(const File& file);

  // What is kept.
  void put_on_shelf(File& file);
  [[nodiscard]] bool can_fall_back(const File& file, const Candidate& candidate) const;
  [[nodiscard]] std::optional<Wish> instead_of(const File& file, const Candidate& refused,
                                               const Objection& objection) const;
  void watch_probation(File& file);
  void begin_probation(File& file);
  void pass_probation(File& file);
  void roll_back(File& file, std::uint64_t failures);
  void give_up(File& file);
  void try_again(File& file);
  [[nodiscard]] const Shelf::Entry& entry(const File& file) const;
  void save(std::vector<std::filesystem::path> superfluous);

  // What is replaced.
  void replace(File& file, std::unique_ptr<Generation> next);
  void unload_old();
  void forget_leftovers();
  void unloaded(const std::string& what, const std::filesystem::path& copy, const Result<>& gone);

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
  SteadyTime next_search_{};  // for those that have gone meanwhile
  unsigned copies_ = 0;
  std::string trouble_;
  Time now_;

  Counter& taken_over_;
  Counter& refused_;
  Counter& rolled_back_;
  Counter& not_unloaded_;
  // The last, as their threads use the others. Trying takes longest: nothing else waits for it, and it not for checks.
  JobThread loader_, prober_, checker_;
};

}  // namespace botel::plugin
