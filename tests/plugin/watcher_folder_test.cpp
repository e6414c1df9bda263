// What happens to the folder itself.
#include "plugin/watcher.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "plugin/watcher_scene.hpp"

namespace fs = std::filesystem;
using botel::plugin::Watcher;
using namespace std::chrono_literals;
using namespace watching;

namespace {

dev_t device(const fs::path& path) {
  struct stat is {};
  return stat(path.c_str(), &is) == 0 ? is.st_dev : 0;
}

}  // namespace

TEST_CASE("watcher: a folder that is not there is waited for, and what was told of it stays") {
  Scene scene({}, true);
  const auto missing = [&] { return scene.watcher->trouble().ends_with("cannot be read: No such file or directory"); };
  CHECK(missing());
  CHECK_FALSE(scene.watcher->folder_changed());
  CHECK(scene.told() == "");
  CHECK(scene.watcher->next() == scene.now + 1s);

  REQUIRE(scene.run("mkdir plugins; echo one >plugins/x.so; echo one >plugins/y.so"));
  CHECK(scene.told(1s) == "");
  CHECK(scene.watcher->trouble() == "");
  CHECK(scene.watcher->folder_changed());
  REQUIRE(scene.told_at_rest() == "x.so y.so");

  for (const std::string command : {"mv plugins aside", "cp -a plugins new; rm -r plugins; mv new aside"}) {
    CAPTURE(command);
    REQUIRE(scene.run(command));
    CHECK(scene.told_at_rest() == "");
    CHECK(missing());
    CHECK(scene.told(1h) == "");
    REQUIRE(scene.run("mv aside plugins; echo two >plugins/x.so; touch -h plugins/y.so"));
    CHECK(scene.told(1s) == "");
    CHECK(scene.watcher->trouble() == "");
    CHECK(scene.told_at_rest() == "x.so y.so");
    scene.put("y.so", "three");
    CHECK(scene.told_at_rest() == "y.so");
  }
}

TEST_CASE("watcher: a folder that is gone before its events are read tells nothing as gone") {
  Scene scene({"x.so"});
  REQUIRE(scene.told() == "x.so");
  fs::remove(scene.plugins / "x.so");
  scene.read();
  fs::remove(scene.plugins);
  CHECK(scene.told(kQuiet) == "");
  CHECK(scene.watcher->trouble() != "");
  fs::create_directory(scene.plugins);
  CHECK(scene.told(1s) == "");
  CHECK(scene.told_at_rest() == "x.so");
}

TEST_CASE("watcher: a folder that is another before its events are read is looked at from the start") {
  Scene scene({"x.so"});
  REQUIRE(scene.told() == "x.so");
  fs::remove(scene.plugins / "x.so");
  scene.read();
  REQUIRE(scene.run("mkdir new; echo two >new/x.so; mv plugins old; mv new plugins"));
  CHECK(scene.told(kQuiet) == "");
  CHECK(scene.told_at_rest() == "x.so");
}

TEST_CASE("watcher: a folder in the place of another is compared with what was told of that") {
  for (const std::string command : {"mv plugins old; mv new plugins", "rm -r plugins; mv new plugins"}) {
    CAPTURE(command);
    Scene scene({"x.so", "y.so"});
    REQUIRE(scene.told() == "x.so y.so");
    REQUIRE(scene.watcher->folder_changed());
    REQUIRE(scene.run("mkdir new; echo two >new/y.so; echo one >new/z.so"));
    REQUIRE(scene.run(command));
    CHECK(scene.told_at_rest() == "x.so y.so z.so");
    CHECK(scene.watcher->folder_changed());
    scene.read();
    if (fs::exists(scene.home.path / "old")) scene.home.write("old/y.so", "old");
    CHECK_FALSE(scene.events());
    scene.put("x.so", "new");
    CHECK(scene.told_at_rest() == "x.so");
  }
}

TEST_CASE("watcher: a link to a folder that leads elsewhere from now on is found without an event") {
  Scene scene({}, true);
  REQUIRE(scene.run("mkdir a b; echo one >a/x.so; cp -p a/x.so b/y.so; ln -s a plugins"));
  scene.told(1s);
  REQUIRE(scene.told_at_rest() == "x.so");
  REQUIRE(scene.run("ln -sfn b plugins"));
  CHECK_FALSE(scene.events());
  CHECK(scene.told(1min) == "");
  CHECK(scene.told_at_rest() == "x.so y.so");
}

TEST_CASE("watcher: an empty folder on another file system is an unmounted one") {
  if (access("/dev/shm", W_OK) != 0 || device("/dev/shm") == device(fs::temp_directory_path())) return;
  std::string other = "/dev/shm/botel-test-XXXXXX";
  REQUIRE(mkdtemp(other.data()));
  Scene scene({}, true);
  REQUIRE(scene.run("mkdir a; echo one >a/x.so; ln -s a plugins"));
  scene.told(1s);
  REQUIRE(scene.told_at_rest() == "x.so");
  REQUIRE(scene.run("ln -sfn " + other + " plugins"));
  CHECK(scene.told(1min) == "");
  CHECK(scene.watcher->trouble().ends_with("is empty, and on another file system than before: is one not mounted?"));
  CHECK(scene.told_at_rest() == "");
  std::ofstream(fs::path(other) / "y.so") << "one";
  CHECK(scene.told(1s) == "");
  CHECK(scene.told_at_rest() == "x.so y.so");
  CHECK(scene.watcher->trouble() == "");
  fs::remove_all(other);
}

TEST_CASE("watcher: what cannot be looked at is not gone") {
  Scene scene({"x.so"});
  REQUIRE(scene.told() == "x.so");
  REQUIRE(scene.run("ln -sf nowhere plugins/x.so"));
  CHECK(scene.told_at_rest() == "");
  CHECK(scene.watcher->trouble() == "x.so cannot be looked at: the link leads nowhere");
  CHECK(scene.watcher->next() <= scene.now + 1s);
  CHECK(scene.told(1min) == "");
  scene.put("y.so", "one");
  CHECK(scene.told_at_rest() == "y.so");
  scene.put("nowhere", "two");
  scene.read();
  CHECK(scene.told(1s) == "");
  CHECK(scene.watcher->trouble() == "");
  CHECK(scene.told_at_rest() == "x.so");
  if (geteuid() == 0) return;  // who may read everything
  for (const char* mode : {"000", "400"}) {
    REQUIRE(scene.run("rm -f plugins/x.so; chmod " + std::string(mode) + " plugins"));
    CHECK(scene.told_at_rest() == "");
    CHECK(scene.watcher->trouble().ends_with("Permission denied"));
    REQUIRE(scene.run("chmod 700 plugins; echo three >plugins/x.so"));
    scene.told(1s);
    CHECK(scene.told_at_rest() == "x.so");
  }
}

TEST_CASE("watcher: folder_changed says that the folder's permissions may be others") {
  Scene scene({"x.so"});
  CHECK(scene.watcher->folder_changed());
  CHECK_FALSE(scene.watcher->folder_changed());
  REQUIRE(scene.told() == "x.so");
  REQUIRE(scene.run("touch plugins; touch plugins/x.so"));
  CHECK(scene.told_at_rest() == "x.so");
  CHECK_FALSE(scene.watcher->folder_changed());
  REQUIRE(scene.run("chmod o+w plugins"));
  scene.read();
  CHECK(scene.watcher->folder_changed());
  CHECK(scene.told_at_rest() == "");
  CHECK_FALSE(scene.watcher->folder_changed());
}

TEST_CASE("watcher: without inotify the folder is read each second") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  TempFolder home;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  Watcher watcher(home.path, is_plugin, kQuiet);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(watcher.descriptor() == -1);
  botel::SteadyTime now{1h};
  watcher.read(now);
  CHECK(watcher.take(now).empty());
  CHECK(watcher.trouble().ends_with("because inotify cannot watch it: Too many open files"));
  home.write("x.so", "one");
  CHECK(watcher.next() == now + 1s);
  CHECK(watcher.take(now + 1s).empty());
  CHECK(watcher.take(now + 1s + kQuiet) == std::vector<std::string>{"x.so"});
}
