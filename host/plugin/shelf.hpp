// The copies of plugins that the data directory keeps over restarts: of each file the version that serves and the last
// good one before it.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace botel::plugin {

class Shelf {
 public:
  struct Kept {
    std::string copy;  // the name of its file in the folder
    std::string sha256;
  };
  struct Entry {
    std::optional<Kept> active;
    std::optional<Kept> previous;  // what a rollback goes back to
    bool proven = false;           // the active one has passed its probation
    bool failing = false;          // its rooms wait for another one
    std::string refused;           // the hash of a file that was rolled back, and is not taken again by itself
  };

  // Reads what `folder`, which is made where it is missing, has; copies that no entry names are removed. What cannot be
  // read is named in `complaints`, and as good as nothing.
  static Result<Shelf> open(std::filesystem::path folder, std::vector<std::string>& complaints);

  // By the name of a plugin's file; what has none is empty.
  [[nodiscard]] Entry& entry(const std::string& name) { return entries_[name]; }
  [[nodiscard]] const Entry& entry(const std::string& name) const;
  [[nodiscard]] std::map<std::string, Entry>& entries() { return entries_; }
  [[nodiscard]] const std::map<std::string, Entry>& entries() const { return entries_; }
  [[nodiscard]] std::filesystem::path path(const Kept& kept) const { return folder_ / kept.copy; }

  // Puts a copy of `file`, whose hash is known, on the shelf: all of it or nothing.
  [[nodiscard]] Result<Kept> keep(const std::filesystem::path& file, const std::string& name,
                                  const std::string& sha256) const;

  // The entries as they are, and where they are written down.
  [[nodiscard]] std::string list() const;
  [[nodiscard]] std::filesystem::path file() const;
  // Writes nothing where the list is there already: a host that starts with what it had needs no room on the disk.
  [[nodiscard]] static Result<> write(const std::filesystem::path& file, const std::string& list);

 private:
  explicit Shelf(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<> read();
  void sweep() const;

  std::filesystem::path folder_;
  std::map<std::string, Entry> entries_;
};

}  // namespace botel::plugin
