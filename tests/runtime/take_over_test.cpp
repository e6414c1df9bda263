// One version of a bot takes over from another: no event is lost, none is handled twice, and nothing is left behind.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/code.hpp"
#include "runtime/fake_bot.hpp"

using namespace botel;
using namespace botel::runtime;
using std::chrono::milliseconds;

namespace {

using Lines = std::vector<std::string>;

// What actors say, with their addresses.
struct Stage : Port {
  Counters counters;
  FakeBot old_bot, new_bot;
  Runtime runtime{{}, counters, [] {}};
  Time time{SteadyTime{} + std::chrono::hours(1), 1'700'000'000'000};
  Role& role = old_bot.role(runtime, "bot");
  std::deque<Actor> actors;
  Lines lines;

  Stage() {
    old_bot.handle = [](const botel_call& call, const botel_event& event) { return answer("old", call, event); };
    new_bot.handle = [](const botel_call& call, const botel_event& event) { return answer("new", call, event); };
    runtime.advance(time);
  }
  ~Stage() override {
    for (auto& actor : actors) runtime.retire(actor);
    runtime.take_over(role, nullptr);
  }

  // Says who it is, and what it remembers; the message becomes the state.
  static std::int32_t answer(const std::string& who, const botel_call& call, const botel_event& event) {
    const std::string text(event.kind == BOTEL_ROOM_START ? "start" : FakeBot::view(event.payload));
    FakeBot::say(call, fmt::format("{} {} ({})", who, text, FakeBot::view(call.state)));
    return FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, text));
  }

  Actor& add(std::string address = "7") {
    return actors.emplace_back(*this, BOTEL_ACTOR_ROOM, std::move(address), "{}", role);
  }
  void post(Actor& actor, std::string text) {
    runtime.post(actor, {.kind = BOTEL_ROOM_MESSAGE, .payload = std::move(text)});
  }
  void round() {
    time.steady += milliseconds(1);
    runtime.advance(time);
    settle(runtime);
  }

  std::int32_t check(const botel_effect&) const override { return BOTEL_OK; }
  void handled(Actor&, const Event&, const Result<>& committed) override {
    if (!committed) lines.emplace_back("failed");
  }
  void perform(Actor&, Effect& effect) override { lines.push_back(effect.payload); }
  std::string origin(const Actor&) const override { return "{}"; }
  std::string progress(const Actor&) const override { return "{}"; }
};

}  // namespace

TEST_CASE("take-over: the next event of each actor is the new version's, with the state that the old one left") {
  Stage stage;
  Actor& actor = stage.add();
  stage.post(actor, "a");
  settle(stage.runtime);
  stage.post(actor, "b");
  stage.runtime.take_over(stage.role, stage.new_bot.logic("bot"));
  stage.post(actor, "c");
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"old a ()", "new b (a)", "new c (b)"});
}

TEST_CASE("take-over: the old version is given up when its last handler has returned") {
  Stage stage;
  Actor &slow = stage.add("slow"), &quick = stage.add("quick");
  std::atomic<bool> inside{false}, go{false};
  stage.old_bot.handle = [&](const botel_call& call, const botel_event& event) {
    inside = true;
    while (!go) std::this_thread::yield();
    return Stage::answer("old", call, event);
  };
  stage.post(slow, "a");
  std::vector<std::size_t> retired;
  Workers* running = nullptr;
  Workers workers(
      [&] {
        stage.time.steady += milliseconds(1);
        stage.runtime.advance(stage.time);
        if (!stage.runtime.run(*running)) return false;
        if (inside && retired.empty()) {
          stage.runtime.take_over(stage.role, stage.new_bot.logic("bot"));
          stage.post(quick, "b");
          stage.post(slow, "c");
          retired.push_back(stage.runtime.take_retired().size());
        } else if (stage.lines.size() == 1 && !go) {
          retired.push_back(stage.runtime.take_retired().size());
          go = true;
        } else if (stage.lines.size() == 3 && stage.runtime.has_retired()) {
          running->stop();
        }
        return true;
      },
      [] {}, 4);
  running = &workers;
  workers.run();
  CHECK(stage.lines == Lines{"new b ()", "old a ()", "new c (a)"});
  CHECK(retired == std::vector<std::size_t>{0, 0});
  CHECK(stage.runtime.take_retired().size() == 1);
}

TEST_CASE("take-over: a handler that does not return is an error of its version, once") {
  Stage stage;
  const auto logic = stage.role.logic();
  std::atomic<bool> inside{false}, go{false};
  stage.old_bot.handle = [&](const botel_call&, const botel_event&) {
    inside = true;
    while (!go) std::this_thread::yield();
    return BOTEL_OK;
  };
  stage.post(stage.add(), "a");
  std::vector<std::uint64_t> errors;
  Workers* running = nullptr;
  Workers workers(
      [&] {
        if (!stage.runtime.run(*running)) return false;
        if (!inside) return true;
        for (const int seconds : {1, 20, 31, 400}) {
          stage.time.steady = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
          stage.runtime.advance(stage.time);
          errors.push_back(logic->errors);
        }
        go = true;
        running->stop();
        return true;
      },
      [] {}, 4);
  running = &workers;
  workers.run();
  REQUIRE(errors.size() >= 4);
  errors.resize(4);
  CHECK(errors == std::vector<std::uint64_t>{0, 0, 1, 1});
}

TEST_CASE("take-over: what the old version has attached is dropped, also where nobody talks any more") {
  Stage stage;
  int objects[2500];
  stage.old_bot.handle = [&](const botel_call& call, const botel_event& event) {
    return call.host->attach(&call, &objects[event.tag]);
  };
  for (std::uint64_t i = 0; i < 2500; ++i) {
    stage.runtime.post(stage.add(std::to_string(i)), {.kind = BOTEL_ROOM_MESSAGE, .tag = i});
  }
  settle(stage.runtime);
  CHECK(stage.old_bot.dropped == 0);
  void* cached = &stage;
  stage.new_bot.handle = [&](const botel_call& call, const botel_event&) {
    cached = call.cached;
    return BOTEL_OK;
  };
  stage.runtime.take_over(stage.role, stage.new_bot.logic("bot"));
  CHECK_FALSE(stage.runtime.has_retired());
  stage.post(stage.actors.back(), "a");
  settle(stage.runtime);
  CHECK(cached == nullptr);
  for (int rounds = 0; !stage.runtime.has_retired(); ++rounds) {
    REQUIRE(rounds < 10);
    CHECK(stage.runtime.next().has_value());
    stage.round();
  }
  CHECK(stage.old_bot.dropped == 2500);
}

TEST_CASE("take-over: while nobody serves, events wait") {
  Stage stage;
  Actor& actor = stage.add();
  stage.runtime.take_over(stage.role, nullptr);
  CHECK_FALSE(stage.role.serves());
  stage.post(actor, "a");
  stage.post(actor, "b");
  settle(stage.runtime);
  CHECK(stage.lines.empty());
  CHECK(actor.queued() == 2);
  stage.runtime.take_over(stage.role, stage.new_bot.logic("bot"));
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"new a ()", "new b (a)"});
}

TEST_CASE("take-over: a role counts its actors by the schema of their state") {
  Stage stage;
  Actor &a = stage.add("a"), &b = stage.add("b");
  CHECK(stage.role.actors() == 2);
  CHECK(stage.role.unreadable(4, 9) == 0);  // no state yet
  stage.post(a, "x");
  settle(stage.runtime);
  CHECK(stage.role.unreadable(1, 3) == 0);
  CHECK(stage.role.unreadable(4, 9) == 1);
  CHECK(stage.role.unreadable(1, 2) == 1);
  stage.post(b, "x");
  settle(stage.runtime);
  CHECK(stage.role.unreadable(4, 9) == 2);
  stage.runtime.retire(stage.actors.back());
  stage.actors.pop_back();
  CHECK(stage.role.actors() == 1);
  CHECK(stage.role.unreadable(4, 9) == 1);
}

TEST_CASE("take-over: an actor whose state the new version cannot read waits for one that can") {
  Stage stage;
  Actor &a = stage.add("a"), &b = stage.add("b");
  stage.post(a, "x");
  settle(stage.runtime);
  stage.runtime.take_over(stage.role, stage.new_bot.logic("bot", 5, 4));
  stage.post(a, "y");
  stage.post(b, "z");
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"old x ()", "new z ()"});
  stage.runtime.take_over(stage.role, stage.new_bot.logic("bot", 5, 3));
  settle(stage.runtime);
  CHECK(stage.lines.back() == "new y (x)");
}

TEST_CASE("take-over: an actor that begins anew handles its start before all that waits, without state and timers") {
  Stage stage;
  Actor& actor = stage.add();
  stage.old_bot.handle = [](const botel_call& call, const botel_event& event) {
    botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
    timer.tag = 1;
    timer.delay_ms = 10;
    FakeBot::emit(call, timer);
    return Stage::answer("old", call, event);
  };
  stage.post(actor, "a");
  stage.post(actor, "b");
  settle(stage.runtime);
  SUBCASE("events wait") {
    stage.runtime.take_over(stage.role, nullptr);
    stage.post(actor, "c");
    stage.post(actor, "d");
    settle(stage.runtime);
    stage.runtime.restart(actor, store::Event{.kind = BOTEL_ROOM_START});
    stage.runtime.take_over(stage.role, stage.new_bot.logic("bot", 9, 9));
    settle(stage.runtime);
    CHECK(stage.lines == Lines{"old a ()", "old b (a)", "new start ()", "new c (start)", "new d (c)"});
  }
  SUBCASE("none wait") {
    stage.runtime.restart(actor, store::Event{.kind = BOTEL_ROOM_START});
    stage.runtime.take_over(stage.role, stage.new_bot.logic("bot", 9, 9));
    settle(stage.runtime);
    CHECK(stage.lines == Lines{"old a ()", "old b (a)", "new start ()"});
  }
  SUBCASE("one waits to be tried again") {
    stage.old_bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_RETRY_AFTER(1'000'000); };
    stage.post(actor, "c");
    settle(stage.runtime);
    stage.runtime.restart(actor, store::Event{.kind = BOTEL_ROOM_START});
    stage.runtime.take_over(stage.role, stage.new_bot.logic("bot", 9, 9));
    settle(stage.runtime);
    CHECK(stage.lines == Lines{"old a ()", "old b (a)", "new start ()", "new c (start)"});
  }
  const auto lines = stage.lines.size();
  stage.time.steady += milliseconds(100);
  stage.round();
  CHECK(stage.lines.size() == lines);  // no timer
  CHECK(actor.queued() == 0);
}

TEST_CASE("take-over: what an old handler does for an actor that begins anew meanwhile does not happen") {
  for (const bool is_told : {true, false}) {
    CAPTURE(is_told);  // to; otherwise its state could not be read
    Stage stage;
    Actor& actor = stage.add();
    std::atomic<bool> inside{false}, go{false};
    stage.old_bot.handle = [&](const botel_call& call, const botel_event& event) {
      inside = true;
      while (!go) std::this_thread::yield();
      return Stage::answer("old", call, event);
    };
    stage.post(actor, "a");
    Workers* running = nullptr;
    Workers workers(
        [&] {
          stage.runtime.advance(stage.time);
          if (!stage.runtime.run(*running)) return false;
          if (inside && !go) {
            if (is_told) stage.runtime.restart(actor, store::Event{.kind = BOTEL_ROOM_START});
            stage.runtime.take_over(stage.role, stage.new_bot.logic("bot", 9, 9));
            go = true;
          }
          if (!stage.lines.empty() && !stage.runtime.has_work() && stage.runtime.away().empty()) running->stop();
          return true;
        },
        [] {}, 4);
    running = &workers;
    workers.run();
    CHECK(stage.lines == (is_told ? Lines{"new start ()", "new a (start)"} : Lines{"new a ()"}));
  }
}

TEST_CASE("code: threads are counted for the code that has started them") {
  const Code code;
  std::atomic<bool> go{false};
  std::thread other([&] {
    while (!go) std::this_thread::yield();
  });
  std::thread thread, grandchild;
  std::atomic<bool> started{false};
  {
    const Code::Scope scope(&code);
    thread = std::thread([&] {
      grandchild = std::thread([&] {
        while (!go) std::this_thread::yield();
      });
      started = true;
      while (!go) std::this_thread::yield();
    });
  }
  while (!started) std::this_thread::yield();
  CHECK(code.threads() == 2);
  CHECK(Code().threads() == 0);
  go = true;
  thread.join();
  grandchild.join();
  other.join();
  CHECK(code.threads() == 0);
}

// Probation ----------------------------------------------------------------------------------------------------------

namespace {

// A new version that serves on probation and fails at the message "bad".
struct Probation : Stage {
  Probation() {
    new_bot.handle = [](const botel_call& call, const botel_event& event) -> std::int32_t {
      if (FakeBot::view(event.payload) != "bad") return answer("new", call, event);
      FakeBot::say(call, "never heard");
      call.host->set_error(call.host, {"no", 2});
      return BOTEL_E_FAILED;
    };
    runtime.take_over(role, new_bot.logic("bot"));
    role.set_on_probation(true);
  }
  void tell(Actor& actor, const std::vector<std::string>& texts) {
    for (const auto& text : texts) post(actor, text);
    settle(runtime);
  }
  void go_back() { runtime.take_over(role, old_bot.logic("bot")); }
};

}  // namespace

TEST_CASE("probation: what the new version fails at is handled by the version before, in order") {
  Probation stage;
  Actor &actor = stage.add("7"), &other = stage.add("8");
  stage.tell(actor, {"a", "bad", "b"});
  stage.tell(other, {"c"});
  CHECK(stage.lines == Lines{"new a ()", "new c ()"});
  CHECK(stage.role.logic()->errors == 1);
  CHECK(actor.queued() == 2);
  CHECK_FALSE(stage.runtime.has_work());
  stage.go_back();
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"new a ()", "new c ()", "old bad (a)", "old b (bad)"});
}

TEST_CASE("probation: where the version stays, what it failed at has failed, and the rest goes on") {
  Probation stage;
  Actor &actor = stage.add("7"), &other = stage.add("8");
  stage.tell(actor, {"bad", "a"});
  stage.tell(other, {"bad"});
  stage.role.set_on_probation(false);
  stage.runtime.give_up_failed(stage.role);
  CHECK(stage.lines == Lines{"failed", "failed"});
  CHECK(stage.role.logic()->errors == 2);  // not once more
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"failed", "failed", "new a ()"});
  // From now on nothing waits.
  stage.tell(actor, {"bad", "b"});
  CHECK(stage.lines == Lines{"failed", "failed", "new a ()", "failed", "new b (a)"});
}

TEST_CASE("probation: what has failed may be tried again by the same version") {
  Probation stage;
  Actor& actor = stage.add();
  stage.tell(actor, {"bad", "a"});
  stage.new_bot.handle = [](const botel_call& call, const botel_event& event) {
    return Stage::answer("new", call, event);
  };
  stage.runtime.retry_failed(stage.role);
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"new bad ()", "new a (bad)"});
}

TEST_CASE("probation: an event that must not wait fails the one before it") {
  Probation stage;
  Actor& actor = stage.add();
  stage.tell(actor, {"bad", "a"});
  stage.runtime.give_up_retry(actor);
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"failed", "new a ()"});
  stage.runtime.give_up_failed(stage.role);
  CHECK(stage.lines.size() == 2);
}

TEST_CASE("probation: an actor may go, or begin anew, while an event of it waits") {
  Probation stage;
  Actor& actor = stage.add();
  stage.tell(actor, {"a", "bad"});
  SUBCASE("go") {
    stage.runtime.retire(actor);
    stage.go_back();
    settle(stage.runtime);
    CHECK(stage.lines == Lines{"new a ()"});
  }
  SUBCASE("begin anew") {
    stage.runtime.restart(actor, Event{.kind = BOTEL_ROOM_START});
    settle(stage.runtime);
    CHECK(stage.lines == Lines{"new a ()", "new start ()"});
    stage.go_back();
    settle(stage.runtime);
    CHECK(stage.lines.back() == "old bad (start)");
  }
}

namespace {

// Runs the stage on real threads; once the handler of `text` is inside, `meanwhile` happens, and then it fails.
void fail_after(Stage& stage, FakeBot& bot, const std::string& text, const std::function<void()>& meanwhile) {
  std::atomic<bool> inside{false}, go{false};
  bot.handle = [&, handle = bot.handle](const botel_call& call, const botel_event& event) -> std::int32_t {
    if (FakeBot::view(event.payload) != text) return handle(call, event);
    inside = true;
    while (!go) std::this_thread::yield();
    return BOTEL_E_FAILED;
  };
  Workers* running = nullptr;
  Workers workers(
      [&] {
        stage.runtime.advance(stage.time);
        if (!stage.runtime.run(*running)) return false;
        if (inside && !go) {
          meanwhile();
          go = true;
        }
        if (go && !stage.runtime.has_work() && stage.runtime.away().empty()) running->stop();
        return true;
      },
      [] {}, 4);
  running = &workers;
  workers.run();
}

}  // namespace

TEST_CASE("probation: what an older version fails at, whose handler has run on, does not wait") {
  Stage stage;
  Actor& actor = stage.add();
  stage.post(actor, "a");
  fail_after(stage, stage.old_bot, "a", [&] {
    stage.runtime.take_over(stage.role, stage.new_bot.logic("bot"));
    stage.role.set_on_probation(true);
  });
  CHECK(stage.lines == Lines{"failed"});
}

TEST_CASE("probation: a handler that runs on when its version is rolled back, and fails, is the next version's") {
  FakeBot mended;
  mended.handle = [](const botel_call& call, const botel_event& event) { return Stage::answer("mended", call, event); };
  Probation stage;
  Actor& actor = stage.add();
  for (const char* const text : {"a", "slow", "b"}) stage.post(actor, text);
  SUBCASE("that before") {
    fail_after(stage, stage.new_bot, "slow", [&] { stage.go_back(); });
    CHECK(stage.lines == Lines{"new a ()", "old slow (a)", "old b (slow)"});
  }
  SUBCASE("a mended one, on probation, too") {
    fail_after(stage, stage.new_bot, "slow", [&] {
      stage.runtime.take_over(stage.role, mended.logic("bot"));
      stage.role.set_on_probation(true);
    });
    CHECK(stage.lines == Lines{"new a ()", "mended slow (a)", "mended b (slow)"});
  }
  SUBCASE("none yet") {
    fail_after(stage, stage.new_bot, "slow", [&] { stage.runtime.take_over(stage.role, nullptr); });
    CHECK(stage.lines == Lines{"new a ()"});
    stage.go_back();
    settle(stage.runtime);
    CHECK(stage.lines == Lines{"new a ()", "old slow (a)", "old b (slow)"});
  }
  SUBCASE("which fails, too") {
    stage.old_bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_E_FAILED; };
    fail_after(stage, stage.new_bot, "slow", [&] { stage.go_back(); });
    CHECK(stage.lines == Lines{"new a ()", "failed", "failed"});
  }
  SUBCASE("none, where it had passed its probation") {
    fail_after(stage, stage.new_bot, "slow", [&] {
      stage.role.set_on_probation(false);
      stage.go_back();
    });
    CHECK(stage.lines == Lines{"new a ()", "failed", "old b (a)"});
  }
}
