// A plugin that is loaded: the only user of Boost.DLL. [init]
#pragma once

#include <botel/abi.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace botel::plugin {

// One bot or connector of a library. Keep `library` as long as the descriptor or an instance of it is used.
struct Offer {
  const botel_descriptor* descriptor;
  std::shared_ptr<const void> library;
  std::filesystem::path file;  // where it came from
};

// Inspects `file`, copies it into `cache` under a name of its own (so that whatever is done to the file meanwhile, what
// is mapped stays as it is), loads the copy, and checks that it is what its note says.
[[nodiscard]] Result<std::vector<Offer>> load(const std::filesystem::path& file, const std::filesystem::path& cache);

// Loads all plugins of `folder`, by name. A file that cannot be loaded, or that offers an id again, is named in the
// log, and the rest goes on. Copies of an earlier run are removed from
// `cache` first.
[[nodiscard]] Result<std::vector<Offer>> load_all(const std::filesystem::path& folder,
                                                  const std::filesystem::path& cache);

}  // namespace botel::plugin
