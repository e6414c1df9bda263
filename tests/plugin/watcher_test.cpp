// What happens to the files in the folder.
#include "plugin/watcher.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "plugin/watcher_scene.hpp"

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace watching;

TEST_CASE("watcher: what is there at the start is due at once") {
  Scene scene({"b.so", "a.so", ".hidden.so", "readme.txt"});
  scene.now += 1h;
  CHECK(scene.watcher->next() <= scene.now);
  CHECK(scene.told() == "a.so b.so");
  CHECK(scene.told() == "");
  CHECK(scene.watcher->trouble() == "");
  CHECK(scene.watcher->next() == scene.now + 10s);
}

TEST_CASE("watcher: every way of writing a file is told once, when it has come to rest") {
  struct Way {
    std::string name;
    std::string command;
    std::string possible = "true";  // whether this machine can do it
  };
  const Way ways[] = {
      {"cp over", "cp new.so plugins/x.so"},
      {"cp over, with equal contents", "cp plugins/x.so same && cp same plugins/x.so"},
      {"cp over, with equal size and time", "cp -p plugins/x.so same && cp -p same plugins/x.so"},
      {"dd", "dd if=new.so of=plugins/x.so bs=1000"},
      {"dd into it", "dd if=new.so of=plugins/x.so bs=2 count=1 conv=notrunc"},
      {"mv", "mv new.so plugins/x.so"},
      {"mv from another file system",
       "d=$(mktemp -d /dev/shm/botel-test-XXXXXX) && mv new.so $d/x.so && mv $d/x.so plugins/x.so && rmdir $d",
       "test -w /dev/shm && test $(stat -c %d /dev/shm) != $(stat -c %d .)"},
      {"install", "install -m 755 new.so plugins/x.so"},
      {"tar over", "mv new.so x.so && tar -cf - x.so | tar -C plugins -xf -"},
      {"ld", "echo 'int x;' >x.c && g++ -shared -fPIC -x c x.c -o plugins/x.so"},
      {"rsync", "mv new.so x.so && rsync -a x.so plugins/", "command -v rsync"},
      {"rsync of a folder", "mkdir new && mv new.so new/x.so && rsync -a new/ plugins", "command -v rsync"},
      {"rsync into it", "mv new.so x.so && rsync --inplace x.so plugins/", "command -v rsync"},
      {"cmake -E copy", "cmake -E copy new.so plugins/x.so", "command -v cmake"},
      {"cmake --install",
       "mv new.so x.so && printf '%s\\n' 'cmake_minimum_required(VERSION 3.16)' 'project(x NONE)' "
       "'install(FILES x.so DESTINATION plugins)' >CMakeLists.txt && cmake -S . -B build && "
       "cmake --install build --prefix .",
       "command -v cmake"},
      {"rm", "rm plugins/x.so"},
      {"mv away", "mv plugins/x.so ."},
      {"sed -i", "sed -i s/one/two/ plugins/x.so"},
      {"strip", "cp /proc/self/exe plugins/x.so && strip plugins/x.so", "command -v strip"},
      {"ln -sf", "ln -sf ../new.so plugins/x.so"},
      {"ln -f", "ln -f new.so plugins/x.so"},
      {"touch", "touch plugins/x.so"},
      {"chmod", "chmod 600 plugins/x.so"},
      {"a folder in its place", "rm plugins/x.so && mkdir plugins/x.so"},
      {"a fifo in its place", "rm plugins/x.so && mkfifo plugins/x.so"},
  };
  for (const auto& way : ways) {
    CAPTURE(way.name);
    Scene scene({"x.so", "other.so"});
    scene.home.write("new.so", std::string(5000, 'n'));
    if (!scene.run(way.possible)) continue;
    REQUIRE(scene.told() == "other.so x.so");
    REQUIRE(scene.run(way.command));
    CHECK(scene.told_at_rest() == "x.so");
    CHECK_FALSE(scene.events());
    CHECK(scene.told() == "");
    CHECK(scene.told(10min) == "");
  }
}

TEST_CASE("watcher: a change within the quiet time begins it anew, as often as it comes") {
  Scene scene;
  std::ofstream file(scene.plugins / "x.so");
  for (int i = 0; i < 1000; ++i) {
    file << "some" << std::flush;
    scene.read();
    CHECK(scene.watcher->next() <= scene.now + kQuiet);
    CHECK(scene.told(kQuiet - 1ms) == "");
  }
  CHECK(scene.told(1ms) == "x.so");
}

TEST_CASE("watcher: names rest each by themselves, and those that are not wanted do not count") {
  Scene scene;
  scene.put("a.so", "one");
  scene.read();
  CHECK(scene.told(200ms) == "");
  for (const char* name : {"b.so", ".a.so", "a.so.tmp"}) scene.put(name, "one");
  scene.read();
  CHECK(scene.told(100ms) == "a.so");
  CHECK(scene.watcher->next() == scene.now + 200ms);
  CHECK(scene.told(200ms) == "b.so");
  scene.put("readme.txt", "one");
  scene.read();
  CHECK(scene.watcher->next() > scene.now + kQuiet);
}

TEST_CASE("watcher: who still writes to a file that was replaced does not keep the new one from resting") {
  Scene scene({"x.so"});
  REQUIRE(scene.told() == "x.so");
  std::ofstream old(scene.plugins / "x.so");
  REQUIRE(scene.run("echo two >new && mv new plugins/x.so"));
  scene.read();
  CHECK(scene.told(200ms) == "");
  old << "some" << std::flush;
  scene.read();
  CHECK(scene.told(100ms) == "x.so");
}

TEST_CASE("watcher: a file that is written through a mapping is told") {
  Scene scene({"x.so"});
  REQUIRE(scene.told() == "x.so");
  const int file = open((scene.plugins / "x.so").c_str(), O_RDWR | O_CLOEXEC);
  void* bytes = mmap(nullptr, 3, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  REQUIRE(bytes != MAP_FAILED);
  std::memcpy(bytes, "two", 3);
  munmap(bytes, 3);
  CHECK_FALSE(scene.events());
  close(file);
  CHECK(scene.told_at_rest() == "x.so");
}

TEST_CASE("watcher: what came and went is not told") {
  Scene scene({"x.so"});
  REQUIRE(scene.told() == "x.so");
  REQUIRE(scene.run("cp plugins/x.so plugins/y.so; mv plugins/y.so plugins/z.so; rm plugins/z.so"));
  CHECK(scene.told_at_rest() == "");
}

TEST_CASE("watcher: only regular files are files, also behind symbolic links") {
  Scene scene;
  REQUIRE(
      scene.run("mkdir plugins/folder.so d; mkfifo plugins/fifo.so; ln -s /dev/null plugins/device.so;"
                "ln -s ../d plugins/d.so; echo one >file; ln -s ../file plugins/link.so"));
  CHECK(scene.told_at_rest() == "link.so");
  CHECK(scene.told(2min) == "");
  CHECK(scene.watcher->trouble() == "");
}

TEST_CASE("watcher: names are bytes") {
  Scene scene;
  const std::string names[] = {"\x01\n'\".so", "a b.so", "\xff\xfe.so"};
  for (const auto& name : names) scene.put(name, "one");
  CHECK(scene.told_at_rest() == names[0] + " " + names[1] + " " + names[2]);
}

TEST_CASE("watcher: changes without events are found by reading the folder, and must come to rest, too") {
  Scene scene;
  REQUIRE(scene.run("echo one >file; ln -s ../file plugins/x.so"));
  REQUIRE(scene.told_at_rest() == "x.so");
  scene.home.write("file", "longer");
  CHECK_FALSE(scene.events());
  CHECK(scene.told(1min) == "");
  scene.home.write("file", "longer still");
  CHECK(scene.told(kQuiet) == "");
  CHECK(scene.watcher->next() == scene.now + kQuiet);
  CHECK(scene.told(kQuiet) == "x.so");
  CHECK(scene.told(1min) == "");
}

TEST_CASE("watcher: look_at_all makes due what is not as it was told, at rest or not") {
  Scene scene({"a.so", "b.so", "c.so"});
  REQUIRE(scene.told() == "a.so b.so c.so");
  scene.put("a.so", "two");
  scene.read();
  scene.put("d.so", "one");
  fs::remove(scene.plugins / "b.so");
  scene.watcher->look_at_all(scene.now);
  CHECK(scene.watcher->next() == scene.now);
  CHECK(scene.told() == "a.so b.so d.so");
  CHECK(scene.told_at_rest() == "");
}

TEST_CASE("watcher: when events are lost, all is looked at") {
  Scene scene({"x.so"});
  REQUIRE(scene.told() == "x.so");
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  int most = 0;
  if (!(limit >> most) || most > 1'000'000) return;
  const fs::path others[] = {scene.home.write("plugins/a", ""), scene.home.write("plugins/b", "")};
  // By turns, because an event that is as the one before is none.
  for (int i = 0; i <= most; ++i) REQUIRE(chmod(others[i % 2].c_str(), 0600) == 0);
  scene.put("x.so", "two");
  scene.put("y.so", "two");
  CHECK(scene.told_at_rest() == "x.so y.so");
  CHECK_FALSE(scene.events());
  scene.put("x.so", "three");
  CHECK(scene.told_at_rest() == "x.so");
}
