#include "plugin/shelf.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "base/files.hpp"
#include "plugin/zoo.hpp"

namespace fs = std::filesystem;
using botel::plugin::Shelf;

namespace {

// Hashes, as far as the shelf knows.
const std::string kOne(64, '1'), kTwo(64, '2'), kThree(64, '3');

// A shelf in a folder of the test's, and plugins' files beside it.
struct Scene {
  Shelf open() {
    complaints.clear();
    auto shelf = Shelf::open(folder, complaints);
    REQUIRE(shelf);
    return std::move(*shelf);
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& file : fs::directory_iterator(folder)) names.insert(file.path().filename());
    return names;
  }
  void write(const std::string& name, const std::string& bytes) const { home.write("shelf/" + name, bytes); }

  TempFolder home;
  const fs::path folder = home.path / "shelf";
  const fs::path file = home.write("x.so", "bytes of x"), other = home.write("y.so", std::string(100'000, 'y'));
  std::vector<std::string> complaints;
};

std::string kept(const std::optional<Shelf::Kept>& kept) { return kept ? kept->copy + " " + kept->sha256 : "none"; }

// For comparison.
std::string text(const Shelf::Entry& entry) {
  return kept(entry.active) + ", " + kept(entry.previous) + (entry.proven ? ", proven, " : ", ") + entry.refused;
}

unsigned mode(const fs::path& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

// An entry with one copy, as it stands in the list.
std::string entry(const std::string& copy, const std::string& sha256, const std::string& name = "x.so") {
  return R"({")" + name + R"(":{"active":{"copy":")" + copy + R"(","sha256":")" + sha256 +
         R"("},"previous":null,"proven":true,"refused":""}})";
}

}  // namespace

TEST_CASE("shelf: what was kept and written down is there again") {
  Scene scene;
  std::map<std::string, std::string> before;
  {
    Shelf shelf = scene.open();
    CHECK(scene.complaints.empty());
    CHECK(shelf.entries().empty());
    CHECK(shelf.list() == "{}\n");
    auto& entries = shelf.entries();
    entries["x.so"].active = shelf.keep(scene.file, "x.so", kOne).value();
    entries["x.so"].previous = shelf.keep(scene.other, "x.so", kTwo).value();
    entries["x.so"].refused = kThree;
    entries["\"quoted\" name\n.so"].active = shelf.keep(scene.other, "\"quoted\" name\n.so", kTwo).value();
    entries["\"quoted\" name\n.so"].proven = true;
    entries["gone.so"].previous = shelf.keep(scene.file, "gone.so", kThree).value();
    entries["refused.so"].refused = kTwo;
    for (const auto& [name, entry] : entries) before[name] = text(entry);
    entries["nothing.so"].proven = true;
    REQUIRE(botel::write_whole(shelf.file(), shelf.list()));
  }
  for (int i = 0; i < 2; ++i) {
    const Shelf shelf = scene.open();
    CHECK(scene.complaints.empty());
    std::map<std::string, std::string> after;
    for (const auto& [name, entry] : shelf.entries()) after[name] = text(entry);
    CHECK(after == before);
    CHECK(zoo::read(shelf.path(*shelf.entries().at("x.so").active)) == "bytes of x");
    CHECK(zoo::read(shelf.path(*shelf.entries().at("x.so").previous)) == std::string(100'000, 'y'));
    REQUIRE(botel::write_whole(shelf.file(), shelf.list()));
  }
}

TEST_CASE("shelf: only its owner can read it") {
  Scene scene;
  fs::create_directory(scene.folder);
  fs::permissions(scene.folder, fs::perms::all);
  fs::permissions(scene.file, fs::perms::all);
  const Shelf shelf = scene.open();
  CHECK(mode(scene.folder) == 0700);
  CHECK(mode(shelf.path(*shelf.keep(scene.file, "x.so", kOne))) == 0600);
}

TEST_CASE("shelf: a copy is whole, or it is an error and there is none") {
  Scene scene;
  const Shelf shelf = scene.open();
  SUBCASE("of a file that is not there") { CHECK_FALSE(shelf.keep(scene.home.path / "missing", "x.so", kOne)); }
  SUBCASE("of a folder") { CHECK_FALSE(shelf.keep(scene.home.path, "x.so", kOne)); }
  SUBCASE("under a name that no file can have") {
    CHECK_FALSE(shelf.keep(scene.file, std::string(250, 'x') + ".so", kOne));
  }
  SUBCASE("on a shelf that is gone") {
    fs::remove(scene.folder);
    CHECK_FALSE(shelf.keep(scene.file, "x.so", kOne));
    return;
  }
  CHECK(scene.files().empty());
}

TEST_CASE("shelf: a copy that was damaged is made anew") {
  Scene scene;
  const Shelf shelf = scene.open();
  const auto copy = shelf.path(*shelf.keep(scene.file, "x.so", kOne));
  for (const char* damage : {"", "bytes", "bytes of y", "bytes of x and more"}) {
    std::ofstream(copy) << damage;
    CHECK(shelf.path(*shelf.keep(scene.file, "x.so", kOne)) == copy);
    CHECK(zoo::read(copy) == "bytes of x");
  }
  CHECK(scene.files().size() == 1);
}

TEST_CASE("shelf: copies of files with other names or contents do not get in one another's way") {
  Scene scene;
  const Shelf shelf = scene.open();
  std::set<fs::path> copies;
  for (const char* name : {"x.so", "y.so", "list.json", "..so", "-.so"}) {
    for (const auto& sha256 : {kOne, kTwo}) copies.insert(shelf.path(*shelf.keep(scene.file, name, sha256)));
  }
  CHECK(copies.size() == 10);
  CHECK(scene.files().size() == 10);
}

TEST_CASE("shelf: a list that cannot be read is as good as none, is named, and costs no copy") {
  Scene scene;
  std::string list, copy;
  {
    Shelf shelf = scene.open();
    auto& active = shelf.entries()["x.so"].active;
    active = shelf.keep(scene.file, "x.so", kOne).value();
    copy = active->copy;
    list = shelf.list();
  }
  std::vector<std::string> lists = {"", "\n", "null", "[]", "7", "\"x\"", "{", list + "x", list.substr(0, 20), "\xff"};
  for (std::size_t size = 0; size + 2 < list.size(); size += 7) lists.push_back(list.substr(0, size));
  for (const auto& damaged : lists) {
    CAPTURE(damaged);
    scene.write("list.json", damaged);
    CHECK(scene.open().entries().empty());
    REQUIRE(scene.complaints.size() == 1);
    CHECK(scene.complaints[0] == (scene.folder / "list.json").string() + " cannot be read");
    CHECK(scene.files().contains(copy));
  }
  fs::remove(scene.folder / "list.json");
  fs::create_directory(scene.folder / "list.json");
  CHECK(scene.open().entries().empty());
  CHECK(scene.complaints.size() == 1);
  CHECK(scene.files().contains(copy));
}

TEST_CASE("shelf: a list of the right form with anything in it is read as far as it makes sense") {
  Scene scene;
  (void)scene.open();
  for (const std::string damaged :
       {R"({"x.so":5})", R"({"x.so":null})", R"({"x.so":[]})", R"({"x.so":{}})", R"({"x.so":{"active":"copy"}})",
        R"({"x.so":{"active":{"copy":[],"sha256":{}}}})", R"({"x.so":{"active":{"copy":"x"}}})",
        R"({"x.so":{"active":{"sha256":"x"},"proven":"true"}})"}) {
    CAPTURE(damaged);
    scene.write("list.json", damaged);
    const Shelf shelf = scene.open();
    for (const auto& [name, entry] : shelf.entries()) CHECK(text(entry) == "none, none, ");
  }
}

TEST_CASE("shelf: what is named that is none of its copies is not taken for one") {
  Scene scene;
  (void)scene.open();
  const std::string start = kOne.substr(0, 16) + ".";
  scene.home.write("outside.so", "outside");
  fs::create_directory(scene.folder / (start + "folder.so"));
  struct Case {
    std::string copy, sha256, name;
  };
  const Case cases[] = {
      {"../outside.so", kOne, "x.so"},
      {scene.home.path.string() + "/outside.so", kOne, "x.so"},
      {"..", kOne, "x.so"},
      {"..", "", "."},
      {".", kOne, "x.so"},
      {"", kOne, "x.so"},
      {"list.json", kOne, "x.so"},
      {"list.json", "list", "json"},
      {start + "../../outside.so", kOne, "../../outside.so"},
      {start + "folder.so", kOne, "folder.so"},
      {start + "x.so", kTwo, "x.so"},
      {start + "y.so", kOne, "x.so"},
      {start + "x.so\\u0000", kOne, "x.so"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.copy);
    scene.write("list.json", entry(one.copy, one.sha256, one.name));
    scene.write(start + "x.so", "some");
    const Shelf shelf = scene.open();
    for (const auto& [name, found] : shelf.entries()) CHECK(text(found) == "none, none, proven, ");
    CHECK(scene.complaints.size() == 1);
  }
  CHECK(fs::exists(scene.home.path / "outside.so"));
  scene.write("list.json", entry(start + "x.so", kOne));
  scene.write(start + "x.so", "some");
  CHECK(kept(scene.open().entries().at("x.so").active) == start + "x.so " + kOne);
}

TEST_CASE("shelf: a copy that is gone is named, and the other one stays") {
  Scene scene;
  Shelf shelf = scene.open();
  auto& entry = shelf.entries()["x.so"];
  entry.active = shelf.keep(scene.file, "x.so", kOne).value();
  entry.previous = shelf.keep(scene.file, "x.so", kTwo).value();
  REQUIRE(botel::write_whole(shelf.file(), shelf.list()));
  fs::remove(shelf.path(*entry.active));
  const Shelf again = scene.open();
  CHECK_FALSE(again.entries().at("x.so").active);
  CHECK(kept(again.entries().at("x.so").previous) == kept(entry.previous));
  REQUIRE(scene.complaints.size() == 1);
  CHECK(scene.complaints[0] == "x.so: the copy " + entry.active->copy + " is gone");
}

TEST_CASE("shelf: what no entry names is swept away") {
  Scene scene;
  std::set<std::string> named;
  {
    Shelf shelf = scene.open();
    auto& entry = shelf.entries()["x.so"];
    entry.active = shelf.keep(scene.file, "x.so", kOne).value();
    entry.previous = shelf.keep(scene.file, "x.so", kTwo).value();
    named = {entry.active->copy, entry.previous->copy, "list.json"};
    (void)shelf.keep(scene.file, "x.so", kThree);
    REQUIRE(botel::write_whole(shelf.file(), shelf.list()));
  }
  for (const char* name : {"list.json.new", "0.y.so.new", ".hidden", "some"}) scene.write(name, "some");
  fs::create_symlink(scene.file, scene.folder / "link");
  (void)scene.open();
  CHECK(scene.complaints.empty());
  CHECK(scene.files() == named);
  CHECK(zoo::read(scene.file) == "bytes of x");
}

TEST_CASE("shelf: a folder that cannot be made is an error") {
  Scene scene;
  CHECK_FALSE(Shelf::open(scene.file / "shelf", scene.complaints));
}

TEST_CASE("shelf: a list that is there already is not written again, as the disk may be full") {
  Scene scene;
  const Shelf shelf = scene.open();
  const auto inode = [&] {
    struct stat found {};
    REQUIRE(stat(shelf.file().c_str(), &found) == 0);
    return found.st_ino;
  };
  REQUIRE(Shelf::write(shelf.file(), "{\"x.so\":1}\n"));
  const auto before = inode();
  REQUIRE(Shelf::write(shelf.file(), "{\"x.so\":1}\n"));
  CHECK(inode() == before);
  REQUIRE(Shelf::write(shelf.file(), "{}\n"));
  CHECK(botel::read_whole(shelf.file()) == "{}\n");
  fs::remove_all(shelf.file());
  fs::create_directory(shelf.file());
  CHECK_FALSE(Shelf::write(shelf.file(), "{}\n"));
}
