// A folder that is watched with the real inotify, in a time that the test makes up.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/watcher.hpp"
#include "temp_folder.hpp"

namespace watching {

inline constexpr std::chrono::milliseconds kQuiet{300};

inline bool is_plugin(std::string_view name) { return name.ends_with(".so") && !name.starts_with("."); }

// A folder `plugins` that is watched, and room beside it.
struct Scene {
  explicit Scene(const std::vector<std::string>& files = {}, bool missing = false) {
    if (!missing) std::filesystem::create_directory(plugins);
    for (const auto& file : files) put(file, "one");
    watcher.emplace(plugins, is_plugin, kQuiet);
  }

  void put(const std::string& file, const std::string& bytes) const { home.write("plugins/" + file, bytes); }

  // By a shell in the folder above `plugins`.
  [[nodiscard]] bool run(const std::string& command) const {
    const std::string line = "cd '" + home.path.string() + "' && { " + command + "\n} >/dev/null 2>&1";
    return std::system(line.c_str()) == 0;
  }

  void read() { watcher->read(now); }

  // What is told `later` than now, which it then is.
  std::string told(std::chrono::milliseconds later = {}) {
    now += later;
    std::string names;
    for (const auto& name : watcher->take(now)) names += (names.empty() ? "" : " ") + name;
    return names;
  }

  // What is told after the events that are there, when it must be told after the quiet time and not before.
  std::string told_at_rest() {
    read();
    CHECK(told() == "");
    CHECK(told(kQuiet - std::chrono::milliseconds(1)) == "");
    return told(std::chrono::milliseconds(1));
  }

  [[nodiscard]] bool events() const {
    pollfd descriptor{watcher->descriptor(), POLLIN, 0};
    return poll(&descriptor, 1, 0) > 0;
  }

  TempFolder home;
  std::filesystem::path plugins = home.path / "plugins";
  botel::SteadyTime now;  // the first reading of the folder is just over, and helps nobody
  std::optional<botel::plugin::Watcher> watcher;
};

}  // namespace watching
