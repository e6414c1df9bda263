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

TEST_CASE("data directory: it keeps the name by which a broker knows the host") {
  const TempFolder root;
  const auto id = DataFolder::open(root.path / "a").value()->client_id().value();
  CHECK(id.starts_with("botel-"));
  CHECK(DataFolder::open(root.path / "a").value()->client_id() == id);
  CHECK(DataFolder::open(root.path / "b").value()->client_id() != id);
}
