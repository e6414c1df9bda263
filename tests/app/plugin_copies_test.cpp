#include "app/plugin_copies.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "temp_folder.hpp"

using namespace botel;

namespace fs = std::filesystem;

TEST_CASE("plugin copies: they are in the data directory, or in a folder of this host's own elsewhere") {
  const TempFolder folder;
  app::Config config;
  config.data = folder.path / "data";
  CHECK(app::choose_plugin_copies(config) == config.data / "loaded");

  fs::create_directories(config.data / "loaded");
  std::ofstream(config.data / "loaded" / "old.so") << "old";
  config.plugin_copies = folder.path / "elsewhere";
  const auto one = app::choose_plugin_copies(config);
  REQUIRE(one);
  CHECK(one->parent_path() == config.plugin_copies);
  CHECK(app::choose_plugin_copies(config) == one);
  CHECK_FALSE(fs::exists(config.data / "loaded"));
  config.data = folder.path / "other-data";
  CHECK(app::choose_plugin_copies(config) != one);
}

TEST_CASE("plugin copies: a folder in which others could replace them is refused") {
  const TempFolder folder;
  app::Config config;
  config.data = folder.path / "data";
  config.plugin_copies = folder.path;
  fs::permissions(folder.path, fs::perms(0777));
  CHECK_FALSE(app::choose_plugin_copies(config));
  fs::permissions(folder.path, fs::perms(01777));
  CHECK(app::choose_plugin_copies(config));
  if (geteuid() == 0) {
    REQUIRE(chown(folder.path.c_str(), 65534, 65534) == 0);
    CHECK_FALSE(app::choose_plugin_copies(config));
  }
  fs::permissions(folder.path, fs::perms(0777));
  config.plugins_writable_by_others = true;
  CHECK(app::choose_plugin_copies(config));
  config.plugin_copies = "/proc/nowhere";
  CHECK(app::choose_plugin_copies(config).error() == "plugin_copies /proc/nowhere: No such file or directory");
}
