// How a plugin's file comes into the host: as a private copy, so that whatever is done to the file, what was judged is
// what is loaded, and what is mapped stays as it is. [any thread]
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "plugin/inspect.hpp"

namespace botel::plugin {

// Who may write where plugins lie, and run code as the host in that way.
enum class Writers {
  ours,  // root and the host's user
  any    // whoever can: an operator has said so
};

// Whether a file of this name in the plugins folder is looked at; otherwise the reason.
[[nodiscard]] Result<> check_name(std::string_view name);

// Whether `folder` may have plugins; otherwise the reason.
[[nodiscard]] Result<> check_folder(const std::filesystem::path& folder, Writers allowed = Writers::ours);

// Makes `folder` for copies, empty, for the host's user alone.
[[nodiscard]] Result<> make_cache(const std::filesystem::path& folder);

// The copy of a plugin's file, which is removed with its owner.
class Staged {
 public:
  // `copy`: nobody may have used that path before in this process, or what is loaded from there is the old library.
  static Result<Staged> copy_of(const std::filesystem::path& file, const std::filesystem::path& copy,
                                Writers allowed = Writers::ours);
  ~Staged();
  Staged(Staged&& other) noexcept;
  Staged& operator=(Staged&&) = delete;

  [[nodiscard]] const std::filesystem::path& copy() const { return copy_; }
  [[nodiscard]] const std::string& sha256() const { return sha256_; }  // in hexadecimal, as sha256sum has it

  // Whether this host can load it: by its note, which is there then.
  [[nodiscard]] Result<> judge();
  [[nodiscard]] const Note& note() const { return note_; }

  // The copy stays where it is.
  [[nodiscard]] std::filesystem::path release();

 private:
  explicit Staged(std::filesystem::path copy) : copy_(std::move(copy)) {}
  std::filesystem::path copy_;
  std::string sha256_;
  Note note_;
};

}  // namespace botel::plugin
