// A version of a plugin on its way into the host: a copy of its file, what trying it has shown, and its instances. What
// is done with it is Plugins' to say; what takes time is done here, on other threads than the driver's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/black_box.hpp"
#include "base/hash.hpp"
#include "plugin/library.hpp"
#include "plugin/probe.hpp"
#include "plugin/shelf.hpp"
#include "plugin/stage.hpp"
#include "runtime/role.hpp"

namespace botel::plugin {

// An instance that is wanted of a bot or a connector: for whom, and with which configuration, a JSON object.
struct Part {
  runtime::Role* role = nullptr;
  std::string config = "{}";

  bool operator==(const Part&) const = default;
};

// What is to be looked at, and why.
struct Wish {
  enum class From { folder, active, previous };  // the plugins folder, or the shelf
  From from = From::folder;
  bool told = false;           // the watcher has seen that something has become of it
  bool again = false;          // it may be taken now, though it was refused before
  bool by_hand = false;        // somebody names it: also when it was rolled back, or has crashed the host
  bool restart_rooms = false;  // whose state it cannot read
  bool last_resort = false;    // it is taken though there are such rooms, which wait

  // One look for both. `other` is at the folder, as this is.
  void merge(const Wish& other) {
    told |= other.told;
    again |= other.again;
    by_hand |= other.by_hand;
    restart_rooms |= other.restart_rooms;
  }
};

struct Candidate {
  explicit Candidate(Wish wish) : wish(wish) {}

  const Wish wish;

  // First. `folder`: where the file lies and whose owner matters; empty: it does not.
  void stage(const std::filesystem::path& folder, const std::filesystem::path& file, const std::filesystem::path& copy,
             Writers allowed);
  bool gone = false;  // there is no such file
  std::optional<Staged> staged;
  std::string sha256;
  [[nodiscard]] const Note& note() const { return staged->note(); }
  // Of the bots and connectors in it; none where its note cannot be read.
  [[nodiscard]] std::vector<std::string> names() const;

  // Then, with what the driver has decided in between.
  std::vector<Part> parts;
  std::vector<bool> needed;  // by part: nothing is taken without it; empty: whatever fails is only told
  void try_out(const ProbeConfig& config, const std::atomic<bool>& stop);
  std::vector<std::string> errors;  // by part
  std::vector<std::string> warnings;

  // Then: what comes from the folder is kept under the name of its file. `black_box` may be null.
  void load(const Shelf& shelf, const std::string& name, BlackBox* black_box);
  [[nodiscard]] std::uint64_t task() const { return hash(sha256); }  // of the black box
  std::optional<Shelf::Kept> kept;
  std::filesystem::path copy;  // of the library
  std::shared_ptr<Library> library;
  std::vector<std::shared_ptr<runtime::Logic>> logics;  // by part; null: see errors

  // Last, when it is to take over: what the shelf had before, and copies that are of no use then.
  Shelf::Entry before;
  std::vector<std::filesystem::path> superfluous;

  std::string error;      // why it is not taken; empty: so far nothing speaks against it
  bool may_pass = false;  // that is about this host and not about the file: it may pass by itself, as a full disk

  // It is not taken: ends what was made. An error: why the library stays in memory.
  [[nodiscard]] Result<> discard();

  // Whether all that is wanted of it can be served.
  [[nodiscard]] bool is_good() const;
  // For people: what is in it, a line each, and what was noticed.
  [[nodiscard]] std::string report() const;

 private:
  void check_libraries();
  void load_library();
  [[nodiscard]] std::shared_ptr<runtime::Logic> make(std::size_t part);
  void judge_errors();

  std::vector<Image> own_, brought_, opened_;  // libraries of the process in which it was tried
};

}  // namespace botel::plugin
