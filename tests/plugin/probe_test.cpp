// What comes of trying each kind of plugin.
#include "plugin/probe.hpp"

#include <random>
#include <set>

#include "plugin/inspect.hpp"
#include "plugin/probe_scene.hpp"

using namespace probing;

namespace {

struct Case {
  std::string name;
  std::string result;  // all of it
};

#ifdef __clang__
constexpr bool kClang = true;  // it makes no such symbols
#else
constexpr bool kClang = false;
#endif

const std::string kStays = "warning: it will stay in memory when it is replaced: ";
const std::string kTried = "refused: when it was tried, ";

// What is tried in any time.
const Case kCases[] = {
    {"v1", ""},
    {"v2", ""},
    {"v3", ""},
    {"writes-2", ""},
    {"reads-2-only", ""},
    {"stripped", ""},
    {"two-bots", ""},
    {"connector", ""},
    {"other", "error: it does not offer zoo\n"},
    {"crashes-in-the-host", "error: it does not offer zoo\n"},
    {"lacks-memory-in-the-host", ""},
    {"hangs-in-the-host", "error: it does not offer zoo\n"},
    {"wants-a-greeting", "error: its configuration is wrong: is missing: greeting\n"},
    {"fails",
     "warning: zoo fails to handle a sample start: -1: I always fail\n"
     "warning: zoo fails to handle a sample message: -1: I always fail\n"},
    {"throws",
     "warning: zoo fails to handle a sample start: -1: I throw at the start\n"
     "warning: zoo fails to handle a sample message: -1: an exception that is no std::exception\n"},
    {"connector-fails", "warning: zoo fails to handle a sample configuration: -1: I always fail\n"},
    {"sticky", kStays + "something holds it in memory, such as a thread_local with a destructor\n"},
    {"nodelete", kStays + "it is linked with -z nodelete\n"},
    {"cannot-be-made", "error: zoo 1.0.0: create failed with -1: I do not want to\n"},
    {"exits-when-loaded", kTried + "loading it ended the process with exit code 0"},
    {"exits-when-made", kTried + "making zoo ended the process with exit code 0"},
    {"crashes-when-loaded", kTried + "loading it ended with signal 11 (Segmentation fault)"},
    {"crashes-when-made", kTried + "making zoo ended with signal 11 (Segmentation fault)"},
    {"crashes-at-the-start", kTried + "zoo handling a start ended with signal 11 (Segmentation fault)"},
    {"crashes-at-a-message", kTried + "zoo handling a message ended with signal 11 (Segmentation fault)"},
    {"connector-crashes", kTried + "zoo handling a configuration ended with signal 11 (Segmentation fault)"},
    {"aborts-when-made", kTried + "making zoo ended with signal 6 (Aborted): zoo: I give up"},
    {"starts-a-thread", "refused: it has started a thread, which no plugin may"},
    {"abi-major", "refused: built for ABI 99, this host speaks 1"},
    {"abi-minor", "refused: built for ABI 1.7, this host speaks 1.0"},
    {"has-no-note", "refused: it has no note of a Botel plugin"},
    {"has-no-entry", "refused: it does not export botel_entry_v1"},
    {"other-note", "refused: its descriptor zoo is not the one of its note"},
    {"lacks-a-symbol", "refused: it cannot be loaded: undefined symbol: nobody_has_this"},
};

// What takes all the time it is given, and what it hangs at.
const Case kHanging[] = {
    {"hangs-when-loaded", "loading it"},
    {"hangs-when-made", "making zoo"},
    {"hangs-at-a-message", "zoo handling a message"},
};

}  // namespace

TEST_CASE("probe: each plugin of the zoo is what it turns out to be") {
  const Scene scene;
  for (const auto& [name, result] : kCases) {
    CAPTURE(name);
    CHECK(text(scene.run_zoo(name)) == result);
  }
}

TEST_CASE("probe: what hangs is ended, and what it hangs at is named") {
  Scene scene;
  for (const auto& [name, doing] : kHanging) {
    CAPTURE(name);
    scene.config.time = std::chrono::milliseconds(300);
    auto result = text(scene.run_zoo(name));
    // A slow machine has not come to it in that time.
    while (!zoo::has(result, doing) && scene.config.time < std::chrono::seconds(30)) {
      scene.config.time *= 4;
      result = text(scene.run_zoo(name));
    }
    CHECK(result == kTried + doing + " did not end within " + std::to_string(scene.config.time.count()) + " ms");
  }
}

TEST_CASE("probe: a library that only the file's own folder has is missed by the copy") {
  const Scene scene;
  const auto copy = zoo::copy(scene.folder, "has-a-private-library");
  // Builds know where it is; installed plugins do not.
  const std::string there = (fs::path(ZOO) / "private").string(), bytes = zoo::read(copy);
  if (zoo::has(bytes, there)) {
    scene.folder.write(copy.filename(), zoo::replaced(bytes, there, std::string(there.size(), '/')));
  }
  CHECK(text(scene.run(copy)) ==
        "refused: it cannot be loaded: libzoo-private.so: cannot open shared object file: No such file or directory");
}

TEST_CASE("probe: of a library that g++ has built without our flags, a symbol is named that holds it in memory" *
          doctest::skip(kClang)) {
  const auto result = text(Scene().run_zoo("unique"));
  CHECK(result.starts_with(kStays + "its symbol "));
  CHECK(result.ends_with(" is one for the whole process, its next version included: build it with -fno-gnu-unique\n"));
}

TEST_CASE("probe: the whole zoo is tried") {
  std::set<std::string> tried{"has-a-private-library.so", "unique.so"}, all;
  for (const auto* const name :
       {"needs-dep", "needs-dep-too", "needs-more-of-dep", "other-needs-dep", "opens-dep", "opens-dep-too"}) {
    tried.insert(name + std::string(".so"));  // by libraries_test.cpp
  }
  for (const auto& one : kCases) tried.insert(one.name + ".so");
  for (const auto& one : kHanging) tried.insert(one.name + ".so");
  for (const auto& file : fs::directory_iterator(ZOO)) {
    if (file.is_regular_file()) all.insert(file.path().filename());
  }
  CHECK(tried == all);
}

TEST_CASE("probe: what is no plugin is refused") {
  const Scene scene;
  CHECK(text(scene.run(scene.folder.path / "missing.so")) == "refused: it is no regular file");
  CHECK(text(scene.run(scene.folder.path)) == "refused: it is no regular file");
  CHECK(text(scene.run(scene.folder.write("text.so", "some text"))) == "refused: it is no ELF file");
  CHECK(text(scene.run(scene.folder.write("--help", "some text"))) == "refused: it is no ELF file");
}

TEST_CASE("probe: each trial has an error of its own, by its place") {
  const Scene scene;
  const auto errors = [&](const std::string& name, const std::vector<Trial>& trials) {
    const auto tried = scene.run_zoo(name, trials);
    REQUIRE(tried);
    std::string all;
    for (const auto& error : tried->errors) all += "[" + error + "]";
    return all;
  };
  CHECK(errors("v1", {}) == "");
  CHECK(errors("two-bots", {{"zoo"}, {"zoo-two"}}) == "[][]");
  CHECK(errors("two-bots", {{"zoo-two"}, {"zoo-three"}, {"zoo"}, {""}}) ==
        "[][it does not offer zoo-three][][it does not offer ]");
  const std::string wrong = "[its configuration is wrong: ";
  CHECK(errors("wants-a-greeting", {{"zoo", R"({"greeting":"hello"})"},
                                    {"zoo", R"({"greeting":7})"},
                                    {"zoo", "{}"},
                                    {"zoo", R"({"greeting":"\" \u0000 ä \n"})"}}) ==
        "[]" + wrong + "/greeting is not a string]" + wrong + "is missing: greeting][]");
  CHECK(errors("wants-a-greeting", {{"zoo", "no JSON"}}).starts_with(wrong));
  std::string many;
  for (int i = 0; i < 200; ++i) many += "[]";
  CHECK(errors("two-bots", std::vector<Trial>(200, {"zoo-two"})) == many);
}

TEST_CASE("probe: what a configuration says is not repeated") {
  const Scene scene;
  for (const std::string name : {"wants-a-greeting", "cannot-be-made", "crashes-when-made", "aborts-when-made"}) {
    CAPTURE(name);
    const auto result = text(scene.run_zoo(name, {{"zoo", R"({"greeting":["secret"],"password":"secret"})"}}));
    CHECK(result != "");
    CHECK_FALSE(zoo::has(result, "secret"));
  }
}

TEST_CASE("probe: files that were changed or cut anywhere never harm who has them tried") {
  Scene scene;
  scene.config.time = std::chrono::milliseconds(300);
  const std::string v1 = zoo::read(zoo::file("v1"));
  std::mt19937 random(7);
  int tried = 0, good = 0;
  // A process that is watched closely starts slowly.
  for (int i = 0; i < (kSanitized ? 100 : 1000); ++i) {
    std::string changed = v1;
    const std::size_t headers = std::min<std::size_t>(changed.size(), 0x1000);
    for (unsigned k = 0; k < 1 + random() % 8; ++k) {
      changed[random() % (k % 2 ? headers : changed.size())] = static_cast<char>(random());
    }
    if (i % 5 == 0) changed.resize(changed.size() - random() % (changed.size() / 2));
    const auto copy = scene.folder.write("changed." + std::to_string(i) + ".so", changed);
    if (!botel::plugin::inspect(copy)) continue;
    ++tried;
    const auto result = scene.run(copy);
    if (result) {
      ++good;
    } else {
      CHECK(result.error().why != "");
    }
    fs::remove(copy);
  }
  CHECK(tried > (kSanitized ? 30 : 300));
  CHECK(good < tried);
}
