#include "app/plugin_copies.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "base/hash.hpp"
#include "base/writers.hpp"

namespace botel::app {

namespace fs = std::filesystem;

Result<fs::path> choose_plugin_copies(const Config& config) {
  const fs::path usual = config.data / "loaded", &chosen = config.plugin_copies;
  if (chosen.empty()) return usual;
  std::error_code error;
  fs::remove_all(usual, error);
  fs::create_directories(chosen, error);
  struct stat found {};
  if (error || stat(chosen.c_str(), &found) != 0) {
    return failure("plugin_copies {}: {}", chosen.string(), error ? error.message() : std::strerror(errno));
  }
  // In one as /tmp only its owner can replace what is somebody else's.
  if (found.st_mode & S_ISVTX) found.st_mode &= ~static_cast<mode_t>(S_IWGRP | S_IWOTH);
  if (auto ours = check_writers(found, "plugins_writable_by_others"); !ours && !config.plugins_writable_by_others) {
    return failure("plugin_copies {}: {}", chosen.string(), ours.error());
  }
  // Several hosts may name the same folder.
  return chosen / fmt::format("botel-{:016x}", hash(fs::absolute(config.data).lexically_normal().string()));
}

}  // namespace botel::app
