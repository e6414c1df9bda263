// Plugins that need a library of their own, which is replaced while the host has the old one in memory.
#include <stdlib.h>

#include "plugin/images.hpp"
#include "plugin/plugins_stage.hpp"
#include "plugin/zoo.hpp"

using namespace plugins_test;

namespace {

// A plugins folder, and folders with libraries that its plugins find.
struct Shop : Disk {
  // Puts a version of the library there, under its name and by renaming, as those do that know what they do.
  void put_library(int version, const std::string& shelf = "lib") const {
    const fs::path to = library(shelf), fresh = to.string() + ".fresh";
    fs::create_directories(to.parent_path());
    fs::copy_file(fs::path(ZOO) / ("dep-" + std::to_string(version)) / to.filename(), fresh);
    fs::rename(fresh, to);
  }
  fs::path library(const std::string& shelf = "lib") const { return folder.path / shelf / "libzoo-dep.so.1"; }

  // Puts a plugin there that looks for its library on the shelf.
  void put_with(const std::string& variant, const std::string& name = "zoo.so",
                const std::string& shelf = "lib") const {
    std::string bytes = zoo::read(zoo::file(variant)), folder = "/zoo-dep";
    for (int i = 0; i < 16; ++i) folder += "/a-folder";
    std::string found = library(shelf).parent_path();
    REQUIRE(found.size() <= folder.size());
    found.resize(folder.size(), '/');
    const auto file = this->folder.write("fresh", zoo::replaced(bytes, folder, found));
    fs::permissions(file, fs::perms(0755));
    fs::rename(file, plugins / name);
  }
};

struct OpenShop : Shop {
  OpenShop() {
    put_library(1);
    put_with("needs-dep");
    stage.open();
    CHECK(stage.tell("dep") == "dep 1");
  }
  Stage stage{*this};
};

// What says, instead of the real program, that all is well, and that its own libc is another one than the test's.
fs::path replaced_libc(const Shop& shop) {
  const auto program =
      shop.folder.write("probe",
                        "#!/bin/sh\necho 'answer {\"refusal\":\"\",\"errors\":[\"\"],\"warnings\":[],\"own\":"
                        "[\"00:00:7 /elsewhere/libc.so.6\",\"00:00:8 /lib/libnobody.so\"],\"brought\":[]}'\n");
  fs::permissions(program, fs::perms(0755));
  return program;
}

}  // namespace

TEST_CASE("libraries: a new version is refused while the old version of its library is in memory") {
  OpenShop shop;
  shop.put_library(2);
  shop.put_with("needs-dep-too");
  const std::string refused = shop.stage.become();
  CHECK(has(refused, "refused: it needs "));
  CHECK(has(refused,
            "libzoo-dep.so.1 as it is now, and another version of that is in memory: restart the host, or "
            "give the new one another name"));
  CHECK(shop.stage.tell("dep") == "dep 1");
  CHECK(shop.stage.state() == "1.0.0 serving");
}

TEST_CASE("libraries: a new version is refused while the old version of a library is in memory that it opens itself") {
  Shop shop;
  shop.put_library(1);
  shop.put_with("opens-dep");
  Stage stage(shop);
  stage.open();
  CHECK(stage.tell("dep") == "dep 1");
  SUBCASE("at the same path") {
    shop.put_library(2);
    shop.put_with("opens-dep-too");
    CHECK(has(stage.become(), "libzoo-dep.so.1 as it is now, and another version of that is in memory"));
    CHECK(stage.tell("dep") == "dep 1");
    CHECK(stage.state() == "1.0.0 serving");
  }
  SUBCASE("and taken where it opens another path") {
    shop.put_library(2, "another");
    shop.put_with("opens-dep-too", "zoo.so", "another");
    CHECK(stage.become() == "zoo 2.0.0 takes over from zoo 1.0.0");
    CHECK(stage.tell("dep") == "dep 2");
  }
}

TEST_CASE("libraries: check says so, too, and before a symbol is missed") {
  OpenShop shop;
  shop.put_library(2);
  for (const std::string variant : {"needs-dep-too", "needs-more-of-dep"}) {
    CAPTURE(variant);
    shop.put_with(variant, "new.so");
    CHECK(has(shop.stage.check(shop.plugins / "new.so"), "new.so refused: it needs "));
    fs::rename(shop.plugins / "new.so", shop.plugins / "zoo.so");
    CHECK(has(shop.stage.become(), "libzoo-dep.so.1 as it is now, and another version of that is in memory"));
  }
  CHECK(shop.stage.tell("dep") == "dep 1");
}

TEST_CASE("libraries: a new version goes on with the library that is in memory when that is the one on disk") {
  OpenShop shop;
  shop.put_with("needs-dep-too");
  CHECK(shop.stage.become() == "zoo 2.0.0 takes over from zoo 1.0.0");
  CHECK(shop.stage.tell("dep") == "dep 1");
}

TEST_CASE("libraries: once nobody has the old one any more, the new one is taken") {
  OpenShop shop;
  shop.put_library(2);
  shop.put_with("needs-more-of-dep");
  CHECK(has(shop.stage.become(), "refused: it needs "));
  fs::remove(shop.plugins / "zoo.so");
  shop.stage.become();
  shop.stage.pass(milliseconds(1));
  shop.put_with("needs-more-of-dep");
  CHECK(shop.stage.become() == "zoo 3.0.0 serves");
  CHECK(shop.stage.tell("dep") == "dep 2");
}

TEST_CASE("libraries: two plugins do not share a library by its name alone; what was refused is tried again") {
  OpenShop shop;
  shop.put_library(2, "another");
  shop.put_with("other-needs-dep", "other.so", "another");
  const std::string refused = shop.stage.become("other.so");
  CHECK(has(refused, "it needs " + shop.library("another").string() + ", and " + shop.library().string()));
  CHECK(has(refused, "is in memory by that name: give one of them another soname"));
  CHECK(shop.stage.state("other") == " ");
  fs::remove(shop.plugins / "zoo.so");
  shop.stage.become();
  shop.stage.pass(std::chrono::seconds(11));
  CHECK(shop.stage.state("other") == "1.0.0 serving");
  CHECK(shop.stage.tell("dep", "another", "other") == "dep 2");
}

TEST_CASE("libraries: one of the host's own that was replaced is named, and a plugin gets it as it was") {
  Shop shop;
  shop.program = replaced_libc(shop);
  Stage stage(shop);
  shop.put("v1");
  stage.open();
  CHECK(stage.state() == "1.0.0 serving");
  const Shop elsewhere;
  elsewhere.put("v2");
  CHECK(has(stage.check(elsewhere.plugins / "zoo.so"),
            "warning: libc.so.6: replaced since the host started, which uses the old until it is restarted\n"));
  CHECK(stage.drop("lacks-a-symbol") ==
        "refused: it cannot be loaded: undefined symbol: nobody_has_this; libc.so.6: replaced since the host started, "
        "which has to be restarted");
}

TEST_CASE("libraries: an image is the file that was mapped, whatever its path leads to now") {
  OpenShop shop;
  const auto mapped = [&] {
    std::vector<botel::plugin::Image> found = botel::plugin::images();
    std::erase_if(found, [&](const auto& image) { return image.path.filename() != shop.library().filename(); });
    return found;
  };
  const auto before = mapped();
  REQUIRE(before.size() == 1);
  CHECK(botel::plugin::clashes(before).empty());
  shop.put_library(2);
  CHECK(mapped() == before);
  CHECK(botel::plugin::clashes({{"00:00:7", before[0].path}}).size() == 1);
  CHECK(botel::plugin::read_image(botel::plugin::to_text(before[0])) == before[0]);
}
