// Versions that fail are rolled back; what is kept for that outlives the host.
#include <fstream>

#include "plugin/plugins_stage.hpp"

using namespace plugins_test;

namespace {

// Most failures are 3 in a minute.
void fail(Stage& stage, int times) {
  for (int i = 0; i < times; ++i) CHECK(stage.tell_somebody("fail") == "failed");
}
// On probation.
void fail_and_wait(Stage& stage, int times) {
  for (int i = 0; i < times; ++i) CHECK(stage.tell_somebody("fail") == "");
}

}  // namespace

TEST_CASE(
    "rollback: a version whose handlers fail is replaced by the one before it, and is not taken again by itself") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("fails");
  CHECK(stage.state() == "2.0.0 on probation");
  for (const char* room : {"a", "b", "c"}) CHECK(stage.tell("hello", room) == "");
  stage.pass(milliseconds(1));
  CHECK(stage.last() == "zoo 1.0.0 takes over again from zoo 2.0.0");
  for (const char* room : {"a", "b", "c"}) CHECK(stage.said(room) == "1.0.0 hello");
  CHECK(stage.tell("hello") == "1.0.0 hello");
  CHECK(stage.state() == "1.0.0 serving");
  // However often it fails: it was good before, and there is nothing to go back to.
  fail(stage, 10);
  stage.pass(milliseconds(1));
  CHECK(stage.tell("hello") == "1.0.0 hello");
  fs::last_write_time(disk.plugins / "zoo.so", fs::file_time_type::clock::now());
  stage.become();
  CHECK(stage.state() == "1.0.0 serving");
  CHECK(stage.reload("zoo") == "zoo.so: zoo 2.0.0 takes over from zoo 1.0.0");
  SUBCASE("another file is taken") {
    CHECK(stage.drop("v3") == "zoo 3.0.0 takes over from zoo 2.0.0");
    // The one that has failed was never good.
    CHECK(stage.rollback("zoo") == "zoo.so: zoo 1.0.0 takes over again from zoo 3.0.0");
  }
  SUBCASE("so it is after a restart") {
    for (int i = 0; i < 3; ++i) stage.tell_somebody("hello");
    stage.pass(milliseconds(1));
    CHECK(stage.state() == "1.0.0 serving");
    Stage next(disk);
    next.open();
    CHECK(next.state() == "1.0.0 serving");
    CHECK(next.tell("hello") == "1.0.0 hello");
  }
}

TEST_CASE("rollback: events that come while the version before is brought back wait for it") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("v2");
  fail_and_wait(stage, 3);
  stage.plugins->advance(stage.time);  // it has noticed
  CHECK(stage.tell("hello") == "");
  stage.settle_all();
  CHECK(stage.said() == "1.0.0 hello");
}

TEST_CASE("rollback: a version that does nothing well is rolled back soon, however few talk to it") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("fails");
  stage.pass(milliseconds(30'000));  // nobody talks to it
  CHECK(stage.tell("hello") == "");
  CHECK(stage.tell("again") == "");
  stage.pass(milliseconds(1));
  stage.pass(milliseconds(4'999));
  CHECK(stage.state() == "2.0.0 on probation");
  CHECK(stage.plugins->next() <= stage.time.steady + milliseconds(1));
  stage.pass(milliseconds(1));
  CHECK(stage.said() == "1.0.0 hello, 1.0.0 again");
  CHECK(stage.state() == "1.0.0 serving");
}

TEST_CASE("rollback: what has failed waits over another configuration, and where the file is taken away") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("v2");
  CHECK(stage.tell("hello") == "2.0.0 hello");
  CHECK(stage.tell("fail", "b") == "");
  SUBCASE("another configuration tries it again") {
    stage.configs["zoo"] = R"({"greeting":"x"})";
    stage.plugins->reconfigure();
    stage.settle_all();
    CHECK(stage.said("b") == "");
    CHECK(stage.status().errors == 1);
    CHECK(stage.state() == "2.0.0 on probation");
  }
  SUBCASE("the file") {
    fs::remove(disk.plugins / "zoo.so");
    stage.become();
    stage.pass(milliseconds(60'000));
    CHECK(stage.said("b") == "");
    stage.drop("v3");
    CHECK(stage.status().errors == 1);  // on probation, too
    CHECK(stage.said("b") == "");
  }
}

TEST_CASE("rollback: a version that has gone well for long enough is good") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("v2");
  CHECK(stage.tell("hello") == "2.0.0 hello");
  fail_and_wait(stage, 2);
  CHECK(stage.tell("hello", "room 1") == "");  // behind what has failed
  stage.pass(milliseconds(60'000));
  CHECK(stage.said("room 1") == "failed, 2.0.0 hello");
  CHECK(stage.said("room 2") == "failed");
  CHECK(stage.state() == "2.0.0 serving");
  fail(stage, 5);
  stage.pass(milliseconds(1));
  CHECK(stage.tell("hello") == "2.0.0 hello");
  SUBCASE("so that it is what others are rolled back to") {
    stage.drop("fails");
    for (int i = 0; i < 3; ++i) stage.tell_somebody("hello");
    stage.pass(milliseconds(1));
    CHECK(stage.tell("hello") == "2.0.0 hello");
  }
  SUBCASE("by hand it may still be rolled back") {
    CHECK(stage.rollback("zoo") == "zoo.so: zoo 1.0.0 takes over again from zoo 2.0.0");
    CHECK(stage.tell("hello") == "1.0.0 hello");
    CHECK(stage.rollback("zoo") == "zoo.so refused: there is no version to go back to");
    CHECK(stage.reload("zoo") == "zoo.so: zoo 2.0.0 takes over from zoo 1.0.0");
  }
}

TEST_CASE("rollback: where the version before could not read what the new one wrote, rooms wait for a better one") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("writes-2");
  CHECK(stage.tell("hello") == "2.0.0 hello");
  fail_and_wait(stage, 3);
  stage.pass(milliseconds(1));
  CHECK(stage.state() == "2.0.0 failing");
  CHECK(stage.gone == Lines{"zoo"});
  CHECK(stage.tell("a") == "");
  CHECK(has(stage.drop("v3"), "refused: "));  // it reads schema 1 only
  CHECK(stage.state() == "2.0.0 failing");
  SUBCASE("which comes") {
    CHECK(has(stage.drop("reads-2-only"), "takes over"));
    CHECK(stage.said() == "2.0.0 a");
  }
  SUBCASE("somebody says that it is to be tried again") {
    stage.drop("writes-2");
    CHECK(stage.tell("b") == "");
    CHECK(stage.reload("zoo") == "zoo.so: zoo 2.0.0 is tried again");
    CHECK(stage.said() == "2.0.0 a, 2.0.0 b");
    fail_and_wait(stage, 6);
    stage.pass(milliseconds(1));
    CHECK(stage.state() == "2.0.0 failing");
  }
  SUBCASE("the file is taken away, and comes back") {
    fs::remove(disk.plugins / "zoo.so");
    stage.become();
    stage.drop("writes-2");
    CHECK(stage.said() == "2.0.0 a");
  }
}

TEST_CASE("rollback: a host that starts takes the kept copy where the file in the folder is refused") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
  }
  for (const char* variant : {"crashes-when-loaded", "cannot-be-made", "abi-major"}) {
    CAPTURE(variant);
    disk.put(variant);
    Stage stage(disk);
    stage.open();
    CHECK(stage.tell("hello") == "1.0.0 hello");
    CHECK(stage.state() == "1.0.0 serving");
  }
  disk.put("v2");
  {
    Stage stage(disk);
    stage.open();
    CHECK(stage.tell("hello") == "2.0.0 hello");
    // It was an update like any other.
    CHECK(stage.state() == "2.0.0 on probation");
    fail_and_wait(stage, 3);
    stage.pass(milliseconds(1));
    CHECK(stage.tell("hello") == "1.0.0 hello");
  }
}

TEST_CASE("rollback: a host that starts prefers what can read the state of its rooms, and takes what there is") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
  }
  disk.put("reads-2-only");
  FakeBot before;
  Stage stage(disk);
  // A room of an earlier run.
  stage.runtime.take_over(stage.role("zoo"), before.logic("zoo", 1, 1));
  before.handle = [](const botel_call& call, const botel_event&) {
    return FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "old"));
  };
  stage.tell("hello");
  stage.runtime.take_over(stage.role("zoo"), nullptr);
  SUBCASE("the kept one can") {
    stage.open();
    CHECK(stage.state() == "1.0.0 serving");
    CHECK(stage.tell("state") == "old");
  }
  SUBCASE("nobody can") {
    fs::remove_all(disk.data / "plugins");
    stage.open();
    CHECK(stage.state() == "2.0.0 serving");
    CHECK(stage.tell("state") == "");
    CHECK(stage.tell("hello", "new room") == "2.0.0 hello");
    CHECK(stage.drop("v1") != "");
  }
}

TEST_CASE("rollback: a damaged shelf is as good as none") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
    stage.drop("v2");
  }
  SUBCASE("a copy") {
    for (const auto& entry : fs::directory_iterator(disk.data / "plugins")) {
      if (entry.path().extension() == ".so") fs::resize_file(entry.path(), 5000);
    }
    Stage stage(disk);
    stage.open();
    CHECK(stage.tell("hello") == "2.0.0 hello");
    CHECK(has(stage.rollback("zoo"), "refused: "));
    CHECK(stage.tell("hello") == "2.0.0 hello");
  }
  SUBCASE("the list") {
    std::ofstream(disk.data / "plugins/list.json") << "no JSON";
    Stage stage(disk);
    stage.open();
    CHECK(stage.tell("hello") == "2.0.0 hello");
    CHECK(stage.rollback("zoo") == "zoo.so refused: there is no version to go back to");
  }
}
