// What becomes of the files in a plugins folder, while rooms go on.
#include "plugin/plugins_stage.hpp"

using namespace plugins_test;

TEST_CASE("plugins: a new version takes over some time after its file was written, with the rooms as they are") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  CHECK(stage.last() == "zoo 1.0.0 serves");
  CHECK(stage.tell("hello") == "1.0.0 hello");
  disk.put("v2");
  stage.pass(milliseconds(0));
  stage.pass(milliseconds(299));
  CHECK(stage.tell("hello") == "1.0.0 hello");
  stage.pass(milliseconds(1));
  CHECK(stage.last() == "zoo 2.0.0 takes over from zoo 1.0.0");
  CHECK(stage.tell("state") == "1.0.0");
  CHECK(stage.tell("hello") == "2.0.0 hello");
  CHECK(stage.status().generation == 2);
  CHECK(stage.status().rooms == 1);
  CHECK(stage.status().calls == 2);
  stage.pass(milliseconds(1));
  CHECK(stage.loaded() == 1);  // the old image and its copy are gone
  CHECK(stage.plugins->leftovers().empty());
}

TEST_CASE("plugins: the same content again is no reload") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  CHECK(stage.drop("v1") == "zoo 1.0.0 serves");
  CHECK(stage.reload("zoo") == "zoo.so: zoo 1.0.0 is there already");
  CHECK(stage.status().generation == 1);
}

TEST_CASE("plugins: whatever is wrong with a file, the version before it goes on") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.tell("hello");
  for (const char* variant :
       {"cannot-be-made", "exits-when-loaded", "exits-when-made", "crashes-when-loaded", "crashes-when-made",
        "crashes-at-the-start", "crashes-at-a-message", "aborts-when-made", "starts-a-thread", "abi-major", "abi-minor",
        "has-no-note", "has-no-entry", "other-note", "lacks-a-symbol", "has-a-private-library", "wants-a-greeting"}) {
    CAPTURE(variant);
    CHECK(has(stage.drop(variant), "refused: "));
    CHECK(stage.tell("hello") == "1.0.0 hello");
    CHECK(stage.state() == "1.0.0 serving");
    // It is not tried again by itself, but when somebody asks for it.
    const auto tried = stage.plugins->files().at(0).last.text;
    CHECK(stage.reload("zoo") == "zoo.so refused: " + tried);
  }
  fs::resize_file(disk.plugins / "zoo.so", 1000);
  CHECK(has(stage.become(), "refused: it is cut off"));
  CHECK(stage.drop("stripped") == "zoo 2.0.0 takes over from zoo 1.0.0");
  CHECK(stage.tell("hello") == "2.0.0 hello");
  stage.pass(milliseconds(1));
  CHECK(stage.loaded() == 1);
}

TEST_CASE("plugins: other names than *.so, dot-files and sub-folders are nothing") {
  const Disk disk;
  disk.put("v1", ".zoo.so");
  disk.put("v1", "zoo.so.old");
  fs::create_directory(disk.plugins / "folder.so");
  fs::create_directory(disk.plugins / "sub");
  disk.put("v1", "sub/zoo.so");
  Stage stage(disk);
  stage.open();
  CHECK(stage.plugins->files().empty());
  CHECK(stage.reload("") == ": there are no plugins");
  CHECK(stage.reload("zoo") == " refused: no plugin has the name zoo");
  CHECK(stage.rollback("") == " refused: no plugin has the name \"\"");
}

TEST_CASE("plugins: rooms of a file that is gone keep state and events, and go on when it is back") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.tell("hello");
  fs::remove(disk.plugins / "zoo.so");
  stage.become();
  CHECK(stage.plugins->files().empty());
  CHECK(stage.gone == Lines{"zoo"});
  CHECK(stage.tell("a") == "");
  CHECK(stage.tell("b") == "");
  stage.pass(milliseconds(1));
  CHECK(stage.loaded() == 0);
  CHECK(has(stage.rollback("zoo"), "refused"));
  stage.drop("v2");
  CHECK(stage.said() == "2.0.0 a, 2.0.0 b");
}

TEST_CASE("plugins: a version that cannot read the state of rooms is refused, unless they are to begin anew") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  for (const char* room : {"one", "two", "three"}) stage.tell("hello", room);
  const std::string refused = stage.drop("reads-2-only");
  CHECK(has(refused, "refused: "));
  CHECK(has(refused, "cannot read those of 3 rooms"));
  CHECK(stage.tell("hello", "one") == "1.0.0 hello");
  CHECK(has(stage.reload("zoo"), "3 rooms"));
  CHECK(stage.reload("zoo", true) == "zoo.so: zoo 2.0.0 takes over from zoo 1.0.0");
  for (const char* room : {"one", "two", "three"}) {
    CHECK(stage.said(room) == "2.0.0 start");
    CHECK(stage.tell("state", room) == "");
  }
  // And now the old one cannot.
  stage.tell("hello", "one");
  CHECK(has(stage.drop("v1"), "cannot read those of 1 room:"));
  CHECK(has(stage.rollback("zoo"), "refused: "));
  CHECK(stage.tell("hello", "one") == "2.0.0 hello");
}

TEST_CASE("plugins: a version that no longer offers a bot with rooms is refused") {
  const Disk disk;
  disk.put("two-bots");
  Stage stage(disk);
  stage.open();
  CHECK(stage.state("zoo") == "1.0.0 serving");
  CHECK(stage.state("zoo-two") == "1.0.0 serving");
  CHECK(stage.tell("hello", "second", "zoo-two") == "1.0.0 hello");
  CHECK(has(stage.drop("v2"), "it no longer offers zoo-two, which has 1 room:"));
  CHECK(stage.tell("hello", "second") == "1.0.0 hello");
  CHECK(has(stage.reload("zoo-two", true), "takes over"));
  CHECK(stage.tell("hello", "second") == "");
  CHECK(stage.tell("hello") == "2.0.0 hello");
  CHECK(has(stage.drop("two-bots"), "takes over"));
  CHECK(stage.said("second") == "1.0.0 hello");
}

TEST_CASE("plugins: a bot does not get the connectors of its name, nor a connector the rooms") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  CHECK(stage.tell("hello") == "1.0.0 hello");
  CHECK(has(stage.drop("connector"), "zoo is a connector in it, and was none, which has 1 room:"));
  CHECK(stage.tell("hello") == "1.0.0 hello");
  CHECK(has(stage.reload("zoo", true), "takes over"));
  CHECK(stage.status().kind == "connector");
  CHECK(stage.tell("hello") == "");

  botel::runtime::Actor connector(stage, BOTEL_ACTOR_CONNECTOR, "zoo/1", "{}", stage.role("zoo", BOTEL_CONNECTOR));
  CHECK(has(stage.drop("v2"), "zoo is a bot in it, and was none, which has 1 connector:"));
  CHECK(stage.tell("hello") == "");
  CHECK(has(stage.reload("zoo", true), "takes over"));
  CHECK(connector.is_orphan());
  CHECK(stage.said() == "2.0.0 hello, 2.0.0 hello");
}

TEST_CASE("plugins: of two files that claim one name the second is refused, until the first is gone") {
  const Disk disk;
  disk.put("v1", "a.so");
  disk.put("v2", "b.so");
  Stage stage(disk);
  stage.open();
  CHECK(stage.state() == "1.0.0 serving");
  CHECK(stage.last("b.so") == "refused: zoo is offered by a.so already");
  CHECK(has(stage.drop("two-bots", "c.so"), "refused: zoo is offered by a.so already"));
  CHECK(stage.drop("other", "d.so") == "other 1.0.0 serves");
  fs::remove(disk.plugins / "a.so");
  stage.become("a.so");
  CHECK(stage.state() == "2.0.0 serving");
  CHECK(stage.last("b.so") == "zoo 2.0.0 serves");
  CHECK(has(stage.last("c.so"), "refused: "));
}

TEST_CASE("plugins: a file that could not be loaded after all leaves its names to the next one") {
  const Disk disk;
  for (const char* variant : {"exits-when-made", "has-no-entry", "v1"}) disk.put(variant, std::string(variant) + ".so");
  Stage stage(disk);
  stage.open();
  CHECK(stage.state() == "1.0.0 serving");
  CHECK(stage.last("v1.so") == "zoo 1.0.0 serves");
}

TEST_CASE("plugins: another configuration is a reload, and one that is refused changes nothing") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.configs["zoo"] = R"({"any":1})";
  stage.plugins->reconfigure();
  stage.settle_all();
  CHECK(stage.status().generation == 2);
  CHECK(has(stage.drop("wants-a-greeting"), "greeting"));
  CHECK(stage.tell("hello") == "1.0.0 hello");
  stage.configs["zoo"] = R"({"greeting":"hi"})";
  stage.plugins->reconfigure();
  stage.settle_all();
  CHECK(stage.last() == "zoo 2.0.0 takes over from zoo 1.0.0");
  stage.configs["zoo"] = R"({"greeting":7})";
  stage.plugins->reconfigure();
  stage.settle_all();
  CHECK(has(stage.last(), "refused: "));
  CHECK(stage.tell("hello") == "2.0.0 hello");
}

TEST_CASE("plugins: a folder or file that others may write to, or that is somebody else's, is not trusted") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  chmod(disk.plugins.c_str(), 0775);
  CHECK(has(stage.drop("v2"), "others may write to it"));
  chmod(disk.plugins.c_str(), 0755);
  stage.pass(milliseconds(0));
  CHECK(stage.last() == "zoo 2.0.0 takes over from zoo 1.0.0");
  disk.put("v3");
  REQUIRE(chown((disk.plugins / "zoo.so").c_str(), 65534, 65534) == 0);
  CHECK(has(stage.become(), "belongs to the user 65534"));
  REQUIRE(chown((disk.plugins / "zoo.so").c_str(), 0, 0) == 0);
  CHECK(stage.become() == "zoo 3.0.0 takes over from zoo 2.0.0");
  chmod(disk.plugins.c_str(), 0777);
  Stage next(disk);
  const auto opened = next.plugins->open();
  REQUIRE_FALSE(opened);
  CHECK(has(opened.error(), "others may write to it"));
}

TEST_CASE("plugins: a folder and files that others may write to are taken where an operator trusts them") {
  Disk disk;
  disk.writers = botel::plugin::Writers::any;
  disk.put("v1");
  chmod(disk.plugins.c_str(), 0777);
  chmod((disk.plugins / "zoo.so").c_str(), 0666);
  Stage stage(disk);
  stage.open();
  CHECK(stage.last() == "zoo 1.0.0 serves");
  CHECK(stage.drop("v2") == "zoo 2.0.0 takes over from zoo 1.0.0");
  CHECK(has(stage.check(disk.plugins / "zoo.so"), "zoo.so: zoo 2.0.0"));
}

TEST_CASE("plugins: what cannot be unloaded is counted and named, and the rest goes on") {
  const Disk disk;
  disk.put("sticky");
  Stage stage(disk);
  stage.open();
  stage.tell("hello");
  stage.drop("v3");
  stage.pass(milliseconds(1));
  // The thread that has handled it is gone with the stage's workers, or is this one.
  CHECK(stage.tell("hello") == "3.0.0 hello");
  CHECK(stage.tell("thread") == "3.0.0 thread");
  stage.drop("v1");
  stage.pass(milliseconds(1));
  const auto leftovers = stage.plugins->leftovers();
  CHECK(std::ranges::count_if(leftovers, [](const auto& line) { return has(line, "zoo 3.0.0: 1 of its threads"); }) ==
        1);
  CHECK(stage.tell("hello") == "1.0.0 hello");
}

TEST_CASE("plugins: check says what would become of a file, and changes nothing") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.tell("hello");
  const Disk elsewhere;
  elsewhere.put("v2");
  const fs::path file = elsewhere.plugins / "zoo.so";
  CHECK(has(stage.check(file), "zoo.so: zoo 2.0.0: a bot for ABI 1.0"));
  elsewhere.put("reads-2-only");
  CHECK(has(stage.check(file), "zoo.so refused: zoo 2.0.0 reads states of schema 2,"));
  elsewhere.put("crashes-when-made");
  CHECK(has(stage.check(file), "zoo.so refused: when it was tried, making zoo ended with signal 11"));
  elsewhere.put("fails");
  CHECK(has(stage.check(file), "warning: zoo fails to handle a sample start"));
  // As what it would replace, whatever its name is now.
  elsewhere.put("v2", "another.so");
  CHECK(has(stage.check(elsewhere.plugins / "another.so"), "as zoo.so, it would take over from zoo 1.0.0"));
  elsewhere.put("other", "another.so");
  CHECK(has(stage.check(elsewhere.plugins / "another.so"), "as another.so, it would serve"));
  CHECK(has(stage.check(elsewhere.plugins / "missing.so"), "there is no such file"));
  CHECK(stage.state() == "1.0.0 serving");
  CHECK(stage.plugins->files().size() == 1);
  CHECK(stage.loaded() == 1);
}
