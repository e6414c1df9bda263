// A plugin's library in memory: the only user of Boost.DLL. [init]
#pragma once

#include <botel/abi.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "base/result.hpp"
#include "plugin/inspect.hpp"
#include "runtime/code.hpp"

namespace botel::plugin {

class Library : public runtime::Code {
 public:
  // Loads `copy`, a private copy of a plugin that has been judged: all of its symbols are bound at once, or it is an
  // error. `items`: what its note says, which must be what it is. Keep the copy as long as it is mapped: debuggers look
  // for it.
  static Result<std::shared_ptr<Library>> load(std::filesystem::path copy, const std::vector<Item>& items);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  // In the order of the items. Valid as long as this.
  [[nodiscard]] const std::vector<const botel_descriptor*>& descriptors() const { return descriptors_; }
  [[nodiscard]] const std::filesystem::path& copy() const { return copy_; }

  // Takes it out of memory; nobody may use it any more. Otherwise why it stays there: correctness does not depend on
  // it, and it is not tried again.
  [[nodiscard]] Result<> unload();

  // Whether the image of `copy` is in memory. [any thread]
  [[nodiscard]] static bool is_mapped(const std::filesystem::path& copy);

 private:
  struct Image;
  explicit Library(std::filesystem::path copy);
  Result<> open();
  Result<> find_descriptors(const std::vector<Item>& items);

  const std::filesystem::path copy_;
  std::unique_ptr<Image> image_;
  std::vector<const botel_descriptor*> descriptors_;
};

}  // namespace botel::plugin
