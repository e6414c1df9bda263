// Watches one folder for files, and says which of them have come to rest after a change. It has no thread: its owner
// polls the descriptor and passes the time in. Of one thread; its calls may wait for the disk.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace botel::plugin {

class Watcher {
 public:
  using Wanted = std::function<bool(std::string_view name)>;

  // Names that are not `wanted` do not exist for it. The others are told when nothing has happened to them for `quiet`;
  // what is there now is due at once. The folder may be missing: it is waited for.
  Watcher(std::filesystem::path folder, Wanted wanted, std::chrono::milliseconds quiet);
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // The same for good. -1, which poll() ignores, where inotify is not to be had.
  [[nodiscard]] int descriptor() const { return inotify_; }

  // Takes the events that are there: call it when the descriptor can be read, and before take().
  void read(SteadyTime now);

  // When to call take() at the latest. There is always such a time, because the folder is read now and then.
  [[nodiscard]] SteadyTime next() const;

  // The names that are at rest and not as they were told last: a file that is new, one that is another by what stat()
  // says (contents, times, owner, permissions), or none any more. Symbolic links are followed; only regular files are
  // files. A link that leads nowhere is trouble, and no file that is gone.
  [[nodiscard]] std::vector<std::string> take(SteadyTime now);

  // Makes due what is not as it was told, at rest or not: take(now) is to follow.
  void look_at_all(SteadyTime now);

  // Whether the folder is another one than at the last call, or has another owner or other permissions. True at the
  // first call, when there is a folder.
  [[nodiscard]] bool folder_changed() { return std::exchange(folder_changed_, false); }

  // Why the folder or something in it cannot be looked at or watched, to be logged when it changes; empty: all is well.
  // Meanwhile it is tried each second, and what cannot be looked at is not told as gone.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  // What stat() says about a file; all zero: there is none.
  struct Signature {
    std::uint64_t device = 0, inode = 0;
    std::uint32_t mode = 0, user = 0, group = 0;
    std::int64_t size = 0;
    std::array<std::int64_t, 2> modified{}, changed{};  // seconds, nanoseconds

    bool operator==(const Signature&) const = default;
  };
  struct Change {
    SteadyTime due{};
    std::optional<Signature> seen;  // when it was found without an event, so that there may be none of the next one
  };

  static Signature signature(int folder);
  static Result<Signature> look(int folder, const std::string& name);

  [[nodiscard]] bool happened(std::string_view name, SteadyTime now);
  void scan(SteadyTime now, SteadyTime due, bool restart);
  void watch();
  Result<> compare(SteadyTime due, bool restart);
  Result<> enter(int folder, bool empty);
  std::vector<std::string> settle(int folder, SteadyTime now);
  void tell(const std::string& name, const Signature& is);
  [[nodiscard]] Signature told(const std::string& name) const;

  const std::filesystem::path path_;
  const Wanted wanted_;
  const std::chrono::milliseconds quiet_;
  const int inotify_;
  const int inotify_error_;  // why there is none
  int watch_ = -1;           // of the folder; -1: it is not watched
  Signature folder_;         // the one that was compared last; without size and times, which each new file changes
  bool folder_changed_ = false;
  std::string trouble_;
  SteadyTime next_scan_{};
  std::map<std::string, Signature> told_;  // those that are there
  std::map<std::string, Change> pending_;
};

}  // namespace botel::plugin
