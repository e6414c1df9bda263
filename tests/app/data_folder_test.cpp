#include "app/data_folder.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "temp_folder.hpp"

namespace fs = std::filesystem;
using botel::app::DataFolder;

TEST_CASE("data directory: it is made for its owner alone, held by one host, and says where the broker is") {
  const TempFolder root;
  const fs::path path = root.path / "a" / "b";
  {
    const auto folder = DataFolder::open(path);
    REQUIRE(folder);
    CHECK(fs::status(path).permissions() == fs::perms::owner_all);
    CHECK_FALSE(DataFolder::announced(path));
    REQUIRE((*folder)->announce("mqtt://127.0.0.1:1883"));
    CHECK(DataFolder::announced(path) == "mqtt://127.0.0.1:1883");

    const auto second = DataFolder::open(path);
    REQUIRE_FALSE(second);
    CHECK(second.error() ==
          fmt::format("data directory {} is used by another host, process {}", path.string(), getpid()));
    CHECK(DataFolder::announced(path) == "mqtt://127.0.0.1:1883");
  }
  CHECK_FALSE(DataFolder::announced(path));
  CHECK(DataFolder::open(path));
  std::ofstream(path / "broker") << "mqtt://127.0.0.1:1\n";
  CHECK_FALSE_MESSAGE(DataFolder::announced(path), "left behind by a host that was killed");
  CHECK_FALSE(DataFolder::open("/proc/nothing"));
}

TEST_CASE("data directory: others may not write to it any more, where that can be changed") {
  const TempFolder root;
  for (const auto extra : {fs::perms::group_write, fs::perms::others_write, fs::perms::all}) {
    const fs::path path = root.path / "data";
    fs::create_directories(path);
    fs::permissions(path, fs::perms(0755) | extra);
    REQUIRE(DataFolder::open(path));
    CHECK(fs::status(path).permissions() == fs::perms(0755));
    fs::permissions(path, fs::perms(0755) | extra);
    REQUIRE(DataFolder::open(path, true));
    CHECK(fs::status(path).permissions() == (fs::perms(0755) | extra));
  }
}

TEST_CASE("data directory: one of somebody else is refused, unless an operator trusts those who may write to it") {
  if (geteuid() != 0) return;
  const TempFolder root;
  REQUIRE(chown(root.path.c_str(), 65534, 65534) == 0);
  fs::permissions(root.path, fs::perms(0755));
  CHECK(DataFolder::open(root.path).error() ==
        fmt::format("data directory {} belongs to the user 65534, and this is the user 0", root.path.string()));
  fs::permissions(root.path, fs::perms(0777));
  CHECK(DataFolder::open(root.path).error() ==
        fmt::format("data directory {}: others may write to it, and that cannot be changed: `data_writable_by_others = "
                    "true` in [host] trusts them",
                    root.path.string()));
  CHECK(DataFolder::open(root.path, true));
}

TEST_CASE("data directory: it keeps the name by which a broker knows the host") {
  const TempFolder root;
  const auto id = DataFolder::open(root.path / "a").value()->client_id().value();
  CHECK(id.starts_with("botel-"));
  CHECK(DataFolder::open(root.path / "a").value()->client_id() == id);
  CHECK(DataFolder::open(root.path / "b").value()->client_id() != id);
}
