// What operators are told of files and bots.
#include "plugin/plugins_stage.hpp"

using namespace plugins_test;

namespace {

// Where a check finds the files that are not in the plugins folder yet.
struct Checked {
  Checked() {
    disk.put("v1");
    stage.open();
  }
  // What is said last of a file of the zoo by this name.
  std::string check(const std::string& variant, const std::string& name = "zoo.so") {
    elsewhere.put(variant, name);
    const std::string said = stage.check(elsewhere.plugins / name);
    return said.substr(said.rfind('\n') + 1);
  }
  const Disk disk, elsewhere;
  Stage stage{disk};
};

// A stage whose configuration wants something else.
struct Wanting : Stage {
  Wanting(const Disk& disk, const std::function<std::vector<botel::plugin::Part>(Stage&)>& parts) : Stage(disk) {
    auto all = surroundings();
    all.parts = [this, parts](const auto&) { return parts(*this); };
    plugins = std::make_unique<botel::plugin::Plugins>(config(), runtime, nullptr, std::move(all), counters);
    open();
  }
};

}  // namespace

TEST_CASE_FIXTURE(Checked, "words: a check says what would become of a file by its name") {
  for (const std::string name : {"zoo.txt", ".zoo.so", "zoo.so.1", "z\noo.so"}) {
    CAPTURE(name);
    CHECK(has(check("v2", name), "refused: a file of this name is ignored: that of a plugin ends in .so,"));
  }
  CHECK(check("v2", "new.so") == "as zoo.so, it would take over from zoo 1.0.0");
}

TEST_CASE_FIXTURE(Checked, "words: a check knows what is there, and what was rolled back") {
  CHECK(check("v1") == "as zoo.so, it is there already");
  stage.drop("v2");
  stage.rollback("zoo");
  CHECK(check("v2") == "zoo.so refused: it was rolled back: `botel reload` with its name takes it again");
  CHECK(check("v3") == "as zoo.so, it would take over from zoo 1.0.0");
}

TEST_CASE("words: a check is bad where one that is wanted of the file would not be served") {
  const Disk disk, elsewhere;
  botel::runtime::Role other{"zoo"};
  Wanting stage(disk, [&](Stage& self) -> std::vector<botel::plugin::Part> {
    return {{&self.role("zoo"), R"({"greeting":"hi"})"}, {&other, "{}"}};
  });
  elsewhere.put("wants-a-greeting");
  const std::string said = stage.check(elsewhere.plugins / "zoo.so");
  CHECK(has(said, "zoo.so refused: zoo 2.0.0: a bot for ABI 1.0"));
  CHECK(has(said, "\nzoo is not served: its configuration is wrong: is missing: greeting\n"));
}

TEST_CASE("words: what the configuration does not want is idle, and does not serve") {
  const Disk disk, elsewhere;
  Wanting stage(disk, [](Stage&) { return std::vector<botel::plugin::Part>(); });
  elsewhere.put("v1");
  CHECK(has(stage.check(elsewhere.plugins / "zoo.so"),
            "as zoo.so, it would be idle: nothing in the configuration wants it"));
  CHECK(stage.drop("v1") == "zoo 1.0.0 is idle: nothing in the configuration wants it");
}

TEST_CASE("words: a version that serves instead of the file is not called as if it were that") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
    stage.drop("v2");
    stage.rollback("zoo");
  }
  {
    Stage stage(disk);
    stage.open();
    CHECK(stage.last() == "zoo 1.0.0, the version that was kept, serves");
    CHECK(stage.plugins->files().at(0).refused == "it was rolled back: `botel reload` with its name takes it again");
  }
  disk.put("abi-major");
  Stage stage(disk);
  stage.open();
  CHECK(stage.last() == "zoo 1.0.0, the version that was kept, serves");
}

TEST_CASE("words: why a bot is not served") {
  const Disk disk;
  disk.put("v1");
  disk.put("has-no-note", "dice.so");  // nobody knows what is in it
  disk.put("two-bots", "zz.so");
  Stage stage(disk);
  stage.open();
  CHECK(stage.plugins->why_not_served("zoo") == "no instance could be made of zoo");
  CHECK(stage.plugins->why_not_served("zoo-two") == "zz.so is refused");
  CHECK(stage.plugins->why_not_served("dice") == "dice.so is refused");
  CHECK(stage.plugins->why_not_served("nobody") == "no plugin offers nobody");
  CHECK(stage.plugins->why_not_served("line\nbreak") == "no plugin offers line break");
  fs::remove(disk.plugins / "dice.so");
  stage.become("dice.so");
  CHECK(stage.plugins->why_not_served("dice") == "no plugin offers dice");
}

TEST_CASE("words: a connector is no bot") {
  const Disk disk;
  disk.put("connector");
  Stage stage(disk);
  stage.open();
  CHECK(stage.plugins->why_not_served("zoo") == "zoo is no bot");
}

TEST_CASE("words: a file that is refused is found by the names of its bots") {
  const Disk disk;
  disk.put("v1");
  disk.put("two-bots", "zz.so");
  Stage stage(disk);
  stage.open();
  CHECK(stage.reload("zoo-two") == "zz.so refused: zoo is offered by zoo.so already");
  CHECK(stage.reload("zoo") == "zoo.so: zoo 1.0.0 is there already");
}

TEST_CASE("words: a version that was kept is not forgotten while another file claims its name") {
  const Disk disk;
  disk.put("v1");
  {
    Stage stage(disk);
    stage.open();
    stage.drop("v2");
    stage.rollback("zoo");
  }
  disk.put("has-no-entry", "another.so");  // by its note it has the name, too
  Stage stage(disk);
  stage.open();
  CHECK(stage.state() == "1.0.0 serving");
  CHECK(stage.last() == "zoo 1.0.0, the version that was kept, serves");
  CHECK(has(stage.last("another.so"), "refused: "));
}
