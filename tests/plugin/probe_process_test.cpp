// The process that tries a plugin: how it is started, fed, listened to and ended.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include "plugin/probe_scene.hpp"
#include "plugin/probe_words.hpp"

using namespace probing;

namespace {

const std::string kGood = R"(answer {"refusal":"","errors":[""],"warnings":[]})";

// Whether the process with the id that is in `file` has ended, or does so soon.
bool ends(const fs::path& file) {
  std::string id;
  std::ifstream(file) >> id;
  REQUIRE(id != "");
  for (int i = 0; i < 10'000; ++i) {
    std::ifstream in("/proc/" + id + "/stat");
    std::string number, name, state;
    if (!(in >> number >> name >> state) || state == "Z") return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace

TEST_CASE("probe: a program that cannot be started is an error") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  scene.config.program = scene.folder.path / "missing";
  CHECK(text(scene.run(copy)) ==
        "refused: " + scene.config.program.string() + " cannot be started: No such file or directory");
  scene.config.program = scene.folder.write("text", "text");
  CHECK(zoo::has(text(scene.run(copy)), "cannot be started: Permission denied"));
}

TEST_CASE("probe: what keeps it from running, or kills it, may pass, and what the plugin has done may not") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  const auto may_pass = [&](const std::string& script) {
    scene.pretend(script);
    const auto result = scene.run(copy);
    REQUIRE_FALSE(result);
    return result.error().may_pass;
  };
  CHECK(may_pass("echo 'cannot load libraries: no memory' >&2; exit 127"));
  CHECK(may_pass("kill -KILL $$"));
  CHECK_FALSE(may_pass("echo step loading it; exit 127"));
  CHECK_FALSE(may_pass("echo step loading it; kill -SEGV $$"));
  CHECK_MESSAGE(may_pass("echo step loading it; kill -KILL $$"), "as where no memory is left");
  CHECK_FALSE(may_pass(R"(echo 'answer {"refusal":"no","errors":[],"warnings":[]}')"));
  scene.config.time = std::chrono::milliseconds(1);
  CHECK(may_pass("sleep 60"));
  scene.config.program = scene.folder.path / "missing";
  CHECK(scene.run(copy).error().may_pass);
}

TEST_CASE("probe: a process that ends without an answer, or with half of one, is told by its end") {
  struct Case {
    std::string script, result;
  };
  const Case cases[] = {
      {"exit 0", "starting ended the process with exit code 0"},
      {"exit 7", "starting ended the process with exit code 7"},
      {"echo it is broken >&2; echo >&2; exit 7", "starting ended the process with exit code 7: it is broken"},
      {"kill -KILL $$", "starting ended with signal 9 (Killed)"},
      {"echo step one; echo step two; printf 'step three'; exit 1", "two ended the process with exit code 1"},
      {"printf 'step \\033[2J\\n'; printf '\\033[1m\\n' >&2; exit 1",
       "\uFFFD[2J ended the process with exit code 1: \uFFFD[1m"},
      {"echo 'answer {'", "starting ended the process with exit code 0"},
      {"echo 'answer 7'", "its process lost its words"},
      {R"(printf '%s' 'answer {"refusal":"","errors":[""],"warnings":[]}')",
       "starting ended the process with exit code 0"},
      {R"(echo 'answer {"refusal":"","errors":[],"warnings":[]}')", "its process lost its words"},
      {R"(echo 'answer {"refusal":"","errors":["",""],"warnings":[]}')", "its process lost its words"},
      {"echo '" + kGood + "'; kill -SEGV $$", "starting ended with signal 11 (Segmentation fault)"},
  };
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  for (const auto& [script, result] : cases) {
    CAPTURE(script);
    scene.pretend(script);
    CHECK(text(scene.run(copy)) == "refused: when it was tried, " + result);
  }
  scene.pretend("echo '" + kGood + "'");
  CHECK(text(scene.run(copy)) == "");
}

TEST_CASE("probe: it is told the trials, and nothing but those and the copy") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  scene.pretend("{ echo \"$@\"; cat; } >" + (scene.folder.path / "told").string() + "; echo '" + kGood + "'");
  CHECK(text(scene.run(copy, {{"zoo", R"({"a":"\"ä"})"}})) == "");
  CHECK(zoo::read(scene.folder.path / "told") ==
        "probe " + copy.string() + "\n" + R"([{"name":"zoo","config":"{\"a\":\"\\\"ä\"}"}])");
}

TEST_CASE("probe: trials of any size arrive, and one who does not listen to them does no harm") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  const std::vector<Trial> large{{"zoo", R"({"a":")" + std::string(3'000'000, 'x') + R"("})"}};
  const auto before = std::signal(SIGPIPE, SIG_DFL);  // as in `botel check`
  CHECK(text(scene.run(copy, large)) == "");
  for (const std::string first : {"", "exec <&-", "head -c 10 >&2"}) {
    CAPTURE(first);
    scene.pretend(first + "\necho '" + kGood + "'");
    CHECK(text(scene.run(copy, large)) == "");
  }
  std::signal(SIGPIPE, before);
}

TEST_CASE("probe: however much is said, the last words count") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  for (const std::string to : {"1", "2"}) {
    CAPTURE(to);
    const std::string noise = "yes 'some noise' | head -n 1000000 >&" + to + "\n";
    scene.pretend(noise + "echo '" + kGood + "'");
    CHECK(text(scene.run(copy)) == "");
    scene.pretend(noise + "echo step the last one; echo my last words >&2; exit 1");
    CHECK(text(scene.run(copy)) ==
          "refused: when it was tried, the last one ended the process with exit code 1: my last words");
  }
}

TEST_CASE("probe: one who talks without end is ended as one who hangs") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  scene.config.time = std::chrono::milliseconds(100);
  for (const std::string script : {"exec yes", "exec yes >&2", "exec cat /dev/zero", "yes & yes >&2 & exec yes"}) {
    CAPTURE(script);
    scene.pretend(script);
    CHECK(text(scene.run(copy)) == "refused: when it was tried, starting did not end within 100 ms");
  }
}

TEST_CASE("probe: what the process has started ends with it, whether it answers or hangs") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  const auto child = scene.folder.path / "child";
  const std::string start = "sleep 1000 & echo $! >" + child.string() + "; ";
  scene.pretend(start + "echo '" + kGood + "'");
  CHECK(text(scene.run(copy)) == "");
  CHECK(ends(child));
  // Who goes on talking keeps nobody waiting.
  scene.pretend("yes & echo $! >" + child.string() + "; echo '" + kGood + "'");
  CHECK_FALSE(zoo::has(text(scene.run(copy)), "did not end"));
  CHECK(ends(child));
  fs::remove(child);
  scene.pretend(start + "exec sleep 1000");
  scene.config.time = std::chrono::milliseconds(100);
  do {
    CHECK(zoo::has(text(scene.run(copy)), "did not end within"));
    scene.config.time *= 2;
  } while (!fs::exists(child) || fs::is_empty(child));
  CHECK(ends(child));
}

TEST_CASE("probe: it is ended early when the host stops") {
  Scene scene;
  scene.config.time = std::chrono::hours(1);
  SUBCASE("at once") {
    scene.stop = true;
    CHECK(text(scene.run_zoo("hangs-when-made")) == "refused: the host stops");
  }
  SUBCASE("after some time") {
    const auto copy = zoo::copy(scene.folder, "v1");
    const auto begun = scene.folder.path / "begun";
    scene.pretend("echo $$ >" + begun.string() + "; exec sleep 10000");
    std::string result;
    std::thread other([&] { result = text(probe(scene.config, copy, {}, scene.stop)); });
    while (!fs::exists(begun) || fs::is_empty(begun)) std::this_thread::yield();
    scene.stop = true;
    other.join();
    CHECK(result == "refused: the host stops");
    CHECK(ends(begun));
  }
}

TEST_CASE("probe: which descriptors the host has open, and which signals it blocks or ignores, makes no difference") {
  Scene scene;
  const auto copy = zoo::copy(scene.folder, "v1");
  const auto result = [&] { return text(probe(scene.config, copy, {{"zoo"}}, scene.stop)); };
  for (int closed = 0; closed < 8; ++closed) {
    CAPTURE(closed);
    std::array<int, 3> saved{};
    for (int fd = 0; fd < 3; ++fd) {
      saved[static_cast<std::size_t>(fd)] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
      if (closed & (1 << fd)) close(fd);
    }
    const auto found = result();
    for (int fd = 0; fd < 3; ++fd) {
      dup2(saved[static_cast<std::size_t>(fd)], fd);
      close(saved[static_cast<std::size_t>(fd)]);
    }
    CHECK(found == "");
  }
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  sigset_t all, mask;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask);
  CHECK(result() == "");
  const auto told = scene.folder.path / "told";
  scene.pretend("grep -E 'Sig(Blk|Ign)' /proc/self/status >" + told.string() + "; echo '" + kGood + "'");
  CHECK(result() == "");
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGCHLD, before);
  // But for two signals that the C library keeps for itself.
  CHECK(zoo::has(zoo::read(told), "SigBlk:\t0000000000000000\n"));
  CHECK(zoo::read(told).ends_with("0000000\n"));
}

TEST_CASE("probe: several at a time, on any threads, do not get in one another's way") {
  Scene scene;
  std::vector<fs::path> copies;
  for (int i = 0; i < 4; ++i) copies.push_back(zoo::copy(scene.folder, i % 2 ? "v1" : "cannot-be-made"));
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (const auto& copy : copies) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto tried = probe(scene.config, copy, {{"zoo"}}, scene.stop);
        const bool made = tried && tried->errors == std::vector<std::string>{""};
        right += tried && made == zoo::has(copy.string(), "v1");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(right == 40);
  CHECK_FALSE(Scene::has_children());
}

TEST_CASE("probe: what is said can be read again, whatever it is") {
  using botel::plugin::Answer;
  const Answer before{
      "no: \"\\", {"", "a b\nforged", "answer {}"}, {"step \x1b[31m"}, {{"fd:01:7", "/a b/c"}}, {{"00:00:8", ""}}};
  const std::string said = botel::plugin::step_line("first") + botel::plugin::answer_line({"old", {}, {}}) +
                           botel::plugin::step_line("second") + botel::plugin::answer_line(before) + "answer";
  const auto after = botel::plugin::read_answer(said);
  REQUIRE(after);
  CHECK(after->refusal == before.refusal);
  CHECK(after->errors == std::vector<std::string>{"", "a b forged", "answer {}"});  // fit for a line
  CHECK(after->warnings == std::vector<std::string>{"step \xEF\xBF\xBD[31m"});
  CHECK(after->own == before.own);
  CHECK(after->brought == before.brought);
  CHECK(botel::plugin::last_step(said) == "second");
  CHECK_FALSE(botel::plugin::read_answer("").has_value());
  CHECK(botel::plugin::last_step("") == "starting");
}
