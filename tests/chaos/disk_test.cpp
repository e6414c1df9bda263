// A disk without room. Where nothing may be mounted this is told as skipped (see CMakeLists.txt).
#include <doctest/doctest.h>

#include "chaos/stage.hpp"

using namespace chaos;

namespace {

// Room for the plugin's copy and for a while of traffic.
constexpr int kMegabytes = 16;

struct Disk {
  harness::TempDir dir;
  SmallDisk disk{dir / "disk", kMegabytes};
  [[nodiscard]] std::string data() const { return (disk.folder() / "data").string(); }
  // Whether it is there; the table tells when it is not.
  bool is_there(const std::string& name) {
    if (!disk.refusal().empty()) print_skipped(name, disk.refusal());
    return disk.refusal().empty();
  }
};

}  // namespace

TEST_CASE("chaos: full disk: nothing is acknowledged until there is room, and nothing is lost") {
  const std::string name = "full disk";
  Disk disk;
  if (!disk.is_there(name)) return;
  Stage stage({.name = name, .data = disk.data()});
  check_clean(stage.play({full_disks(disk.disk, stage.random, times(3, 20))}), stage);
}

TEST_CASE("chaos: full disk: kills meanwhile lose nothing") {
  const std::string name = "full disk, kills and resets";
  Disk disk;
  if (!disk.is_there(name)) return;
  Stage stage({.name = name, .proxied = true, .data = disk.data()});
  check_clean(
      stage.play({full_disks(disk.disk, stage.random, times(2, 20)), kills(stage.host, stage.random, times(4, 60)),
                  resets(*stage.proxy, stage.random, times(4, 60)), faints(stage.host, stage.random, times(1, 5))}),
      stage);
}
