#include "runtime/runtime.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <thread>

#include "runtime/fake_bot.hpp"

using namespace botel;
using namespace botel::runtime;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Lines = std::vector<std::string>;

// A protocol that writes down what it is told.
struct Stage : Port {
  Counters counters;
  FakeBot bot;
  Runtime runtime;
  Time time{SteadyTime{} + seconds(1000), 1'700'000'000'000};
  Role& role = bot.role(runtime);
  Actor actor{*this, BOTEL_ACTOR_ROOM, "7", R"({"context":{}})", role};
  Lines lines;

  explicit Stage(RuntimeConfig config = {}) : runtime(config, counters, [] {}) { runtime.advance(time); }
  ~Stage() override { runtime.retire(actor); }

  void post(std::int32_t kind, std::string payload = {}) {
    runtime.post(actor, {.kind = kind, .payload = std::move(payload)});
  }
  // Time goes on by `delay`; all that is due happens.
  void pass(milliseconds delay) {
    time.steady += delay;
    time.unix_ms += delay.count();
    runtime.advance(time);
    settle(runtime);
  }

  std::int32_t check(const botel_effect& effect) const override {
    return effect.kind == BOTEL_ROOM_SAY ? BOTEL_OK : BOTEL_E_UNSUPPORTED;
  }
  void handled(Actor&, const Event& event, const Result<>& committed) override {
    lines.push_back(fmt::format("{} {}", committed ? "committed" : "failed", event.payload));
    if (!committed && !committed.error().empty()) lines.back() += ": " + committed.error();
  }
  void perform(Actor&, Effect& effect) override { lines.push_back("say " + effect.payload); }
  std::string origin(const Actor&) const override { return "{}"; }
  std::string progress(const Actor&) const override { return "{}"; }
};

}  // namespace

TEST_CASE("runtime: an event's effects leave after its commit, in the order made") {
  Stage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    FakeBot::say(call, "1");
    FakeBot::say(call, FakeBot::view(event.payload));
    return BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "a");
  stage.post(BOTEL_ROOM_MESSAGE, "b");
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"committed a", "say 1", "say a", "committed b", "say 1", "say b"});
}

TEST_CASE("runtime: of an event that fails nothing happens, and the next one is handled") {
  Stage stage;
  std::string seen;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    seen = FakeBot::view(call.state);
    FakeBot::say(call, "x");
    FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, FakeBot::view(event.payload)));
    botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
    timer.delay_ms = 1000;
    FakeBot::emit(call, timer);
    return FakeBot::view(event.payload) == "bad" ? BOTEL_E_FAILED : BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "bad");
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"failed bad"});
  CHECK(stage.actor.state().empty());
  CHECK_FALSE(stage.runtime.timers().next());

  stage.post(BOTEL_ROOM_MESSAGE, "good");
  settle(stage.runtime);
  CHECK(stage.actor.state() == "good");
  CHECK(stage.actor.state_schema() == 3);
  stage.post(BOTEL_ROOM_MESSAGE, "bad");
  settle(stage.runtime);
  CHECK(seen == "good");
  CHECK(stage.actor.state() == "good");
}

TEST_CASE("runtime: the protocol is told why a plugin has failed, in the plugin's words alone") {
  Stage stage;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    const auto text = FakeBot::view(event.payload);
    if (text != "silent") call.host->set_error(call.host, {"no bread left", 13});
    return text == "never" ? BOTEL_RETRY_AFTER(1'000'000) : BOTEL_E_FAILED;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "open");
  stage.post(BOTEL_ROOM_MESSAGE, "silent");
  stage.post(BOTEL_ROOM_MESSAGE, "never");
  settle(stage.runtime);
  stage.runtime.give_up_retry(stage.actor);
  CHECK(stage.lines == Lines{"failed open: no bread left", "failed silent", "failed never"});
}

TEST_CASE("runtime: reserved results of a handler count as failures") {
  for (const std::int32_t result : {1, 7, BOTEL_RETRY_AFTER(0), -100, INT32_MIN}) {
    CAPTURE(result);
    Stage stage;
    stage.bot.handle = [&](const botel_call&, const botel_event&) { return result; };
    stage.post(BOTEL_ROOM_MESSAGE, "x");
    settle(stage.runtime);
    CHECK(stage.lines == Lines{"failed x"});
  }
}

TEST_CASE("runtime: a delay delays all effects that follow, also those of later events, but no timer") {
  Stage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_TIMER_DUE) return FakeBot::say(call, "timer");
    if (FakeBot::view(event.payload) == "a") {
      FakeBot::say(call, "a1");
      FakeBot::say(call, "a2", 1000);
      FakeBot::say(call, "a3");
      botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
      timer.delay_ms = 500;
      return FakeBot::emit(call, timer);
    }
    return FakeBot::say(call, FakeBot::view(event.payload), 100);
  };
  stage.post(BOTEL_ROOM_MESSAGE, "a");
  stage.post(BOTEL_ROOM_MESSAGE, "b");
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"committed a", "say a1", "committed b"});
  stage.lines.clear();
  stage.pass(milliseconds(999));
  CHECK(stage.lines == Lines{"committed "});
  stage.pass(milliseconds(1));
  CHECK(stage.lines == Lines{"committed ", "say a2", "say a3"});
  stage.pass(milliseconds(100));
  CHECK(stage.lines == Lines{"committed ", "say a2", "say a3", "say b", "say timer"});
}

TEST_CASE("runtime: flush lets everything leave now, hold keeps everything, retire forgets it") {
  Stage stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    FakeBot::say(call, "now");
    return FakeBot::say(call, FakeBot::view(event.payload), 1000);
  };
  stage.runtime.hold(stage.actor);
  stage.post(BOTEL_ROOM_MESSAGE, "a");
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"committed a"});
  stage.runtime.release(stage.actor);
  CHECK(stage.lines == Lines{"committed a", "say now"});
  stage.runtime.flush(stage.actor);
  CHECK(stage.lines == Lines{"committed a", "say now", "say a"});

  stage.post(BOTEL_ROOM_MESSAGE, "b");
  settle(stage.runtime);
  stage.post(BOTEL_ROOM_MESSAGE, "c");
  stage.runtime.retire(stage.actor);
  stage.lines.clear();
  stage.pass(seconds(10));
  CHECK(stage.lines.empty());
}

TEST_CASE("runtime: timers fire once, are replaced by tag and cancelled by tag") {
  Stage stage;
  Lines fired;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    const auto set = [&](std::uint64_t tag, std::int64_t delay) {
      botel_effect timer = FakeBot::effect(delay < 0 ? BOTEL_TIMER_CANCEL : BOTEL_TIMER_SET);
      timer.tag = tag;
      timer.delay_ms = std::max<std::int64_t>(delay, 0);
      return FakeBot::emit(call, timer);
    };
    if (event.kind == BOTEL_TIMER_DUE) {
      fired.push_back(std::to_string(event.tag));
    } else {
      set(1, 100);
      set(1, 300);
      set(2, 200);
      set(3, 200);
      set(3, -1);
      set(4, -1);
    }
    return BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE);
  settle(stage.runtime);
  stage.pass(milliseconds(100));
  CHECK(fired.empty());
  stage.pass(seconds(10));
  CHECK(fired == Lines{"2", "1"});
}

TEST_CASE("runtime: RETRY_AFTER brings the same event again, and later ones wait") {
  Stage stage;
  Lines seen;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    seen.push_back(fmt::format("{} {}", FakeBot::view(event.payload), event.attempt));
    FakeBot::say(call, FakeBot::view(event.payload));
    return FakeBot::view(event.payload) == "a" && event.attempt < 3 ? BOTEL_RETRY_AFTER(50) : BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "a");
  stage.post(BOTEL_ROOM_MESSAGE, "b");
  settle(stage.runtime);
  CHECK(seen == Lines{"a 1"});
  CHECK(stage.lines.empty());
  stage.pass(milliseconds(50));
  CHECK(seen == Lines{"a 1", "a 2"});
  stage.pass(milliseconds(50));
  CHECK(seen == Lines{"a 1", "a 2", "a 3", "b 1"});
  CHECK(stage.lines == Lines{"committed a", "say a", "committed b", "say b"});
}

TEST_CASE("runtime: an event that is tried again and again fails at last") {
  Stage stage;
  int tries = 0;
  stage.bot.handle = [&](const botel_call&, const botel_event&) {
    ++tries;
    return BOTEL_RETRY_AFTER(1);
  };
  stage.post(BOTEL_ROOM_MESSAGE, "a");
  settle(stage.runtime);
  for (int i = 0; i < 50; ++i) stage.pass(milliseconds(1));
  CHECK(tries == kMaxAttempts);
  CHECK(stage.lines == Lines{"failed a"});
}

TEST_CASE("runtime: malformed effects are refused, each with its reason") {
  Stage stage;
  std::vector<std::int32_t> results;
  stage.bot.handle = [&](const botel_call& call, const botel_event&) {
    const auto emit = [&](auto change) {
      botel_effect say = FakeBot::effect(BOTEL_ROOM_SAY, "x");
      change(say);
      results.push_back(FakeBot::emit(call, say));
    };
    emit([](botel_effect& e) { e.delay_ms = -1; });
    emit([](botel_effect& e) { e.delay_ms = INT64_MAX; });
    emit([](botel_effect& e) { e.size = 8; });
    emit([](botel_effect& e) { e.payload = {nullptr, 5}; });
    emit([](botel_effect& e) { e.payload = {"\xff", 1}; });
    emit([](botel_effect& e) { e.format = 99; });
    emit([](botel_effect& e) {
      e.format = BOTEL_FORMAT_JSON;
      e.payload = {"{", 1};
    });
    emit([](botel_effect& e) { e.detail = {"{", 1}; });
    emit([](botel_effect& e) { e.kind = BOTEL_EFFECT_REPLY; });
    emit([](botel_effect& e) { e.kind = 0x7777; });
    results.push_back(call.host->emit(&call, nullptr));
    results.push_back(call.host->emit(nullptr, nullptr));
    return BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "a");
  settle(stage.runtime);
  std::vector<std::int32_t> expected(8, BOTEL_E_INVALID);
  for (const int result : {BOTEL_E_UNSUPPORTED, BOTEL_E_UNSUPPORTED, BOTEL_E_INVALID, BOTEL_E_THREAD})
    expected.push_back(result);
  CHECK(results == expected);
  CHECK(stage.lines == Lines{"committed a"});
}

TEST_CASE("runtime: one event may cause much, but not without end") {
  Stage stage;
  int taken = 0;
  std::int32_t large = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (FakeBot::view(event.payload) == "many") {
      while (FakeBot::say(call, "x") == BOTEL_OK) ++taken;
    } else {
      large = FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, std::string(kMaxEffectBytes + 1, 'x')));
    }
    return BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "many");
  stage.post(BOTEL_ROOM_MESSAGE, "large");
  settle(stage.runtime);
  CHECK(taken == kMaxEffects);
  CHECK(large == BOTEL_E_LIMIT);
  CHECK(stage.actor.state().empty());
}

TEST_CASE("runtime: emit and attach outside of the call they belong to are refused") {
  Stage stage;
  const botel_call* old = nullptr;
  std::int32_t from_thread = 0, from_old_call = 0, attached = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event&) {
    const botel_effect say = FakeBot::effect(BOTEL_ROOM_SAY, "x");
    std::thread([&] { from_thread = call.host->emit(&call, &say); }).join();
    const botel_call copy = call;
    from_old_call = copy.host->emit(&copy, &say);
    attached = copy.host->attach(&copy, nullptr);
    old = &call;
    return BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "a");
  settle(stage.runtime);
  CHECK(from_thread == BOTEL_E_THREAD);
  CHECK(from_old_call == BOTEL_E_THREAD);
  CHECK(attached == BOTEL_E_THREAD);
  CHECK(old != nullptr);
}

TEST_CASE("runtime: a cached object stays until its event fails, is replaced, or its actor goes") {
  int objects[3];
  FakeBot bot;
  {
    Stage stage;
    std::vector<void*> seen;
    stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
      seen.push_back(call.cached);
      const auto text = FakeBot::view(event.payload);
      if (text != "look") call.host->attach(&call, &objects[text == "b" ? 1 : 0]);
      return text == "bad" ? BOTEL_E_FAILED : BOTEL_OK;
    };
    for (const char* text : {"a", "a", "b", "look", "bad", "look", "a"}) stage.post(BOTEL_ROOM_MESSAGE, text);
    settle(stage.runtime);
    CHECK(seen == std::vector<void*>{nullptr, &objects[0], &objects[0], &objects[1], &objects[1], nullptr, nullptr});
    CHECK(stage.bot.dropped == 3);  // a for b, b for bad's, and bad's
    {
      Actor gone(stage, BOTEL_ACTOR_ROOM, "8", "{}", stage.role);
      stage.runtime.post(gone, {.kind = BOTEL_ROOM_MESSAGE, .payload = "a"});
      settle(stage.runtime);
      stage.runtime.retire(gone);
    }
    CHECK(stage.bot.dropped == 4);
  }
}

TEST_CASE("runtime: events carry their order, their time, a seed and the actor they are for") {
  Stage stage;
  struct Seen {
    std::uint64_t id, sequence, seed;
    std::int64_t time;
    std::string type, address, info;
  };
  std::vector<Seen> seen;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    seen.push_back({event.id, event.sequence, event.seed, event.time_ms, std::string(FakeBot::view(call.type)),
                    std::string(FakeBot::view(call.address)), std::string(FakeBot::view(call.info))});
    return BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE);
  stage.post(BOTEL_ROOM_MESSAGE);
  settle(stage.runtime);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].sequence == 1);
  CHECK(seen[1].sequence == 2);
  CHECK(seen[0].id < seen[1].id);
  CHECK(seen[0].seed != seen[1].seed);
  CHECK(seen[0].time == stage.time.unix_ms);
  CHECK(seen[0].type == "room");
  CHECK(seen[0].address == "7");
  CHECK(seen[0].info == R"({"context":{}})");
}

TEST_CASE("runtime: while one actor's handler does not return, others are handled, and its own events wait") {
  Stage stage;
  FakeBot other_bot;
  Actor other(stage, BOTEL_ACTOR_ROOM, "8", "{}", other_bot.role(stage.runtime));
  std::atomic<bool> other_ran{false};
  std::atomic<int> inside{0};
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    CHECK(++inside == 1);
    while (FakeBot::view(event.payload) == "slow" && !other_ran) std::this_thread::yield();
    --inside;
    return FakeBot::say(call, FakeBot::view(event.payload));
  };
  other_bot.handle = [&](const botel_call&, const botel_event&) {
    other_ran = true;
    return BOTEL_OK;
  };
  stage.post(BOTEL_ROOM_MESSAGE, "slow");
  stage.post(BOTEL_ROOM_MESSAGE, "next");
  stage.runtime.post(other, {.kind = BOTEL_ROOM_MESSAGE, .payload = "other"});
  settle(stage.runtime);
  CHECK(stage.lines == Lines{"committed other", "committed slow", "say slow", "committed next", "say next"});
  stage.runtime.retire(other);
}

namespace {

// A bot that hangs at "hang", in more rooms than there are threads, until `go`.
struct Crowd : Stage {
  static constexpr int kRooms = 10;
  std::atomic<int> inside{0};
  std::atomic<bool> go{false};
  std::deque<Actor> rooms;

  Crowd() : Stage({.threads = 4}) {
    bot.handle = [this](const botel_call& call, const botel_event& event) {
      if (FakeBot::view(event.payload) == "hang") {
        ++inside;
        while (!go) std::this_thread::yield();
      }
      return FakeBot::say(call, FakeBot::view(event.payload));
    };
    for (int i = 0; i < kRooms; ++i) {
      Actor& room = rooms.emplace_back(*this, BOTEL_ACTOR_ROOM, std::to_string(i), "{}", role);
      runtime.post(room, {.kind = BOTEL_ROOM_MESSAGE, .payload = "hang"});
    }
  }
  ~Crowd() override {
    for (Actor& room : rooms) runtime.retire(room);
  }

  // Rounds in which a second passes when all that may run hangs, until `done`.
  void run(const std::function<bool()>& done) {
    time.steady = std::chrono::steady_clock::now();  // as handlers see it
    Workers* running = nullptr;
    Workers workers(
        [&] {
          runtime.advance(time);
          if (!runtime.run(*running)) return false;
          if (done()) go = true;
          if (!runtime.has_work() && inside == static_cast<int>(runtime.away().size())) time.steady += seconds(1);
          if (go && runtime.away().empty() && !runtime.has_work()) running->stop();
          std::this_thread::yield();
          return true;
        },
        [] {}, 4);
    running = &workers;
    workers.run();
  }
};

}  // namespace

TEST_CASE("runtime: handlers that hang hold up their own actors, and not the others of their bot") {
  Crowd crowd;
  crowd.post(BOTEL_ROOM_MESSAGE, "hello");
  bool was_crowded = false;
  crowd.run([&] {
    was_crowded |= crowd.runtime.away().size() < Crowd::kRooms && !crowd.runtime.has_work();
    return std::ranges::count(crowd.lines, "say hello") == 1;
  });
  CHECK(was_crowded);
  CHECK(crowd.inside == Crowd::kRooms);
  CHECK(std::ranges::count(crowd.lines, "say hang") == Crowd::kRooms);
}

TEST_CASE("runtime: when handlers that hung are back, a bot has no more threads than before") {
  Crowd crowd;
  crowd.run([&] { return crowd.inside == Crowd::kRooms; });
  crowd.inside = 0;
  crowd.go = false;
  for (Actor& room : crowd.rooms) crowd.runtime.post(room, {.kind = BOTEL_ROOM_MESSAGE, .payload = "hang"});
  std::size_t first = 0;
  crowd.run([&] {
    if (first == 0 && !crowd.runtime.has_work()) first = crowd.runtime.away().size();
    return first > 0;
  });
  CHECK(first == 2);  // of four threads, less the one that drives and the one for other bots
}
