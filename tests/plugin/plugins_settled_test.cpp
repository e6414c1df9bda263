// What is done to a plugins folder in the wrong moment, in the wrong order or by mistake.
#include <thread>

#include "plugin/plugins_stage.hpp"

using namespace plugins_test;

namespace {

void fail(Stage& stage, int times) {
  for (int i = 0; i < times; ++i) CHECK(stage.tell_somebody("fail") == "");
  stage.pass(milliseconds(1));
}

// A room of an earlier run, with a state of a schema that only v1 and v3 read.
void bring_old_room(Stage& stage, FakeBot& before) {
  before.handle = [](const botel_call& call, const botel_event&) {
    return FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "old"));
  };
  stage.runtime.take_over(stage.role("zoo"), before.logic("zoo", 1, 1));
  stage.tell("hello");
  stage.runtime.take_over(stage.role("zoo"), nullptr);
}

// Begins something, which then takes one step and no more.
void first_step(Stage& stage, const std::function<void()>& begin) {
  const int before = stage.wakes;
  begin();
  std::unique_lock lock(stage.mutex);
  stage.woken.wait(lock, [&] { return stage.wakes > before; });
  lock.unlock();
  stage.plugins->advance(stage.time);
}

}  // namespace

TEST_CASE("plugins: a reload of a name that nobody has does not hide what is new in the folder") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  disk.put("v2");
  CHECK(has(stage.reload("nobody"), "no plugin has the name"));
  CHECK(stage.state() == "2.0.0 on probation");
}

TEST_CASE("plugins: a check does not change whose turn it is to have a name") {
  const Disk disk, elsewhere;
  disk.put("v1", "a.so");
  disk.put("v2", "b.so");
  elsewhere.put("other", "b.so");
  Stage stage(disk);
  stage.open();
  CHECK(has(stage.check(elsewhere.plugins / "b.so"), "other 1.0.0"));
  fs::remove(disk.plugins / "a.so");
  stage.become("a.so");
  CHECK(stage.state() == "2.0.0 serving");
}

TEST_CASE("plugins: what was rolled back is a new file again when it was taken away") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("v2");
  fail(stage, 3);
  CHECK(stage.state() == "1.0.0 serving");
  fs::remove(disk.plugins / "zoo.so");
  stage.become();
  stage.drop("v2");
  CHECK(stage.state() == "2.0.0 on probation");
  fail(stage, 3);
  CHECK(stage.state() == "1.0.0 serving");
}

TEST_CASE("plugins: a version that is put back by copying its file is on probation like any other") {
  const Disk disk;
  disk.put("v2");
  Stage stage(disk);
  stage.open();
  stage.drop("v1");
  stage.pass(milliseconds(60'000));
  CHECK(stage.state() == "1.0.0 serving");
  CHECK(has(stage.drop("v2"), "takes over from zoo 1.0.0"));
  CHECK(stage.state() == "2.0.0 on probation");
  fail(stage, 3);
  CHECK(stage.state() == "1.0.0 serving");
}

TEST_CASE("plugins: a configuration that changes while a version is tried is not forgotten") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  const unsigned before = stage.status().generation;
  SUBCASE("and the version is refused") {
    disk.put("crashes-when-made");
    stage.pass(milliseconds(0));
    stage.plugins->read(stage.time.steady);
    stage.time.steady += milliseconds(300);
    stage.plugins->advance(stage.time);
    stage.configs["zoo"] = R"({"any":1})";
    stage.plugins->reconfigure();
    stage.settle_all();
    CHECK(stage.status().generation == before + 1);
  }
  SUBCASE("and changes back") {
    stage.configs["zoo"] = R"({"any":1})";
    first_step(stage, [&] { stage.plugins->reconfigure(); });  // its parts are chosen
    stage.configs.erase("zoo");
    stage.plugins->reconfigure();
    stage.settle_all();
    const unsigned last = stage.status().generation;
    stage.plugins->reconfigure();
    stage.settle_all();
    CHECK(stage.status().generation == last);
  }
}

TEST_CASE("plugins: rooms that nobody can read hinder neither another configuration nor their beginning anew") {
  const Disk disk;
  disk.put("reads-2-only");
  FakeBot before;
  Stage stage(disk);
  bring_old_room(stage, before);
  stage.open();
  CHECK(stage.state() == "2.0.0 serving");
  stage.configs["zoo"] = R"({"any":1})";
  stage.plugins->reconfigure();
  stage.settle_all();
  CHECK(stage.last() == "zoo 2.0.0 goes on with another configuration");
  CHECK(stage.reload("zoo") == "zoo.so: zoo 2.0.0 is there already");
  CHECK(stage.said() == "");
  CHECK(has(stage.reload("zoo", true), "takes over"));
  CHECK(stage.said() == "2.0.0 start");
  CHECK(stage.tell("hello") == "2.0.0 hello");
}

TEST_CASE("plugins: what has no instance at all is refused, and what lacks one says so") {
  const Disk disk;
  SUBCASE("the first") {
    disk.put("cannot-be-made");
    Stage stage(disk);
    stage.open();
    CHECK(stage.state() == " ");
    CHECK(has(stage.last(), "refused: "));
  }
  SUBCASE("after a good one, which is still what others go back to") {
    disk.put("v1");
    Stage stage(disk);
    stage.open();
    fs::remove(disk.plugins / "zoo.so");
    stage.become();
    CHECK(has(stage.drop("cannot-be-made"), "refused: "));
    stage.drop("v2");
    CHECK(stage.state() == "2.0.0 on probation");
    fail(stage, 3);
    CHECK(stage.state() == "1.0.0 serving");
  }
}

TEST_CASE("plugins: a file that is refused again is told again") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("crashes-when-made");
  CHECK(stage.drop("v1") == "zoo 1.0.0 is there already");
  CHECK(has(stage.drop("crashes-when-made"), "refused: when it was tried"));
}

TEST_CASE("plugins: a reload of all does not take what was rolled back") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("v2");
  fail(stage, 3);
  CHECK(stage.reload("") == "zoo.so refused: it was rolled back: `botel reload` with its name takes it again");
  CHECK(stage.state() == "1.0.0 serving");
}

TEST_CASE("plugins: what is failing is so for the next host, too") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
    stage.drop("writes-2");
    stage.tell("hello");
    fail(stage, 3);
    CHECK(stage.state() == "2.0.0 failing");
  }
  Stage next(disk);
  next.open();
  CHECK(next.state() == "2.0.0 failing");
  CHECK(next.gone == Lines{"zoo"});
  CHECK(next.reload("") == "zoo.so refused: zoo 2.0.0 is failing, and waits for another version");
  CHECK(next.reload("zoo") == "zoo.so: zoo 2.0.0 is tried again");
  CHECK(next.tell("hello") == "2.0.0 hello");
}

TEST_CASE("plugins: who had a name has it after a restart") {
  const Disk disk;
  disk.put("v1", "b.so");
  {
    Stage stage(disk);
    stage.open();
    CHECK(has(stage.drop("v2", "a.so"), "refused: "));
  }
  Stage next(disk);
  next.open();
  CHECK(next.state() == "1.0.0 serving");
}

TEST_CASE("plugins: a file that is gone does not have its name any more") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
    fs::rename(disk.plugins / "zoo.so", disk.plugins / "b.so");
    stage.become("b.so");
    stage.drop("v2", "b.so");
    CHECK(stage.rollback("zoo") == "b.so: zoo 1.0.0 takes over again from zoo 2.0.0");
  }
  Stage next(disk);
  next.open();
  std::size_t kept = 0;
  for (const auto& file : fs::directory_iterator(disk.data / "plugins"))
    kept += file.path().extension() == ".so" ? 1 : 0;
  CHECK(kept == 1);
}

TEST_CASE("plugins: what is refused leaves nothing behind") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.drop("has-no-entry");
  stage.drop("other-note");
  stage.settle_all();
  CHECK(std::distance(fs::directory_iterator(disk.data / "plugins"), {}) == 2);  // the list, and v1
  CHECK(stage.loaded() == 1);
}

TEST_CASE("plugins: what was refused is tried again when it is written again, or with another configuration") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.tell("hello", "one");
  SUBCASE("the configuration comes behind the file") {
    CHECK(has(stage.drop("wants-a-greeting"), "refused: "));
    CHECK(stage.plugins->files().at(0).refused != "");
    stage.configs["zoo"] = R"({"greeting":"hi"})";
    stage.plugins->reconfigure();
    stage.settle_all();
    CHECK(stage.state() == "2.0.0 on probation");
    CHECK(stage.plugins->files().at(0).refused == "");
  }
  SUBCASE("the room that it could not read is over") {
    CHECK(has(stage.drop("reads-2-only"), "those of 1 room:"));
    stage.runtime.retire(*stage.actors.at("one"));
    stage.actors.clear();
    fs::last_write_time(disk.plugins / "zoo.so", fs::file_time_type::clock::now());
    stage.become();
    CHECK(stage.state() == "2.0.0 on probation");
  }
}

TEST_CASE("plugins: what stands in the way of a version by itself is waited for") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  fs::rename(disk.data / "plugins", disk.data / "away");  // as a disk that is full
  CHECK(has(stage.drop("v2"), "refused: "));
  const auto refused = [&] {
    return std::ranges::find(stage.counters.all(), "plugins_refused_total", &botel::Counter::name)->value();
  };
  const auto before = refused();
  stage.pass(milliseconds(10'000));
  CHECK(stage.state() == "1.0.0 serving");
  CHECK(refused() == before);  // and told once
  fs::rename(disk.data / "away", disk.data / "plugins");
  stage.pass(milliseconds(10'000));
  CHECK(stage.state() == "2.0.0 on probation");
}

TEST_CASE("plugins: a version that could not be tried is tried again") {
  Disk disk;
  disk.program = disk.folder.path / "botel";
  disk.put("v1");
  fs::create_symlink(BOTEL_EXECUTABLE, disk.program);
  Stage stage(disk);
  stage.open();
  fs::remove(disk.program);  // as where the system has no process to give
  CHECK(has(stage.drop("v2"), "cannot be started"));
  stage.pass(milliseconds(10'000));
  CHECK(stage.state() == "1.0.0 serving");
  fs::create_symlink(BOTEL_EXECUTABLE, disk.program);
  stage.pass(milliseconds(10'000));
  CHECK(stage.state() == "2.0.0 on probation");
}

TEST_CASE("plugins: a version that could be made when it was tried, and not afterwards, is tried again") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  setenv("ZOO_NO_MEMORY", "1", 1);
  CHECK(stage.drop("lacks-memory-in-the-host") == "refused: zoo 2.0.0: create failed with -4");
  stage.pass(milliseconds(10'000));
  CHECK(stage.state() == "1.0.0 serving");
  unsetenv("ZOO_NO_MEMORY");
  stage.pass(milliseconds(10'000));
  CHECK(stage.state() == "2.0.0 on probation");
}

TEST_CASE("plugins: a reload says what has become of the configuration, too") {
  const Disk disk;
  disk.put("v1");
  Stage stage(disk);
  stage.open();
  stage.configs["zoo"] = R"({"any":1})";
  stage.plugins->reconfigure();
  CHECK(stage.reload("zoo") == "zoo.so: zoo 1.0.0 goes on with another configuration");
  CHECK(stage.reload("zoo") == "zoo.so: zoo 1.0.0 is there already");
  CHECK(stage.last() == "zoo 1.0.0 goes on with another configuration");
}

TEST_CASE("plugins: what has been rolled back lies in the folder, and is named") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
    stage.drop("v2");
    stage.rollback("zoo");
    CHECK(has(stage.plugins->files().at(0).refused, "it was rolled back"));
  }
  Stage next(disk);
  next.open();
  CHECK(next.state() == "1.0.0 serving");
  CHECK(has(next.plugins->files().at(0).refused, "it was rolled back"));
}

TEST_CASE("plugins: a file whose name does not fit into a line is none") {
  const Disk disk;
  disk.put("v1", "a\nforged \x1b[31m.so");
  Stage stage(disk);
  stage.open();
  CHECK(stage.plugins->files().empty());
}
