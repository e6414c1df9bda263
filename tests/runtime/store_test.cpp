// What Runtime gives to a real store, and makes of it in the next run.
#include <doctest/doctest.h>

#include <list>
#include <memory>
#include <set>

#include "runtime/fake_bot.hpp"
#include "runtime/runtime.hpp"
#include "store/sqlite.hpp"

using namespace botel;
using namespace botel::runtime;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Lines = std::vector<std::string>;

// A run of the host, on a store that outlives it. Its bot appends each message to its state, and does what it says.
struct Run : Port {
  explicit Run(store::Store& store, Time time = {SteadyTime{} + seconds(1000), 1'700'000'000'000})
      : store(store), time(time) {
    bot.handle = [this](const botel_call& call, const botel_event& event) { return handle(call, event); };
    runtime.keep(&store, nullptr);
  }
  ~Run() override {
    for (auto& actor : actors) runtime.retire(*actor);
  }

  Actor& add(std::string address) {
    return *actors.emplace_back(std::make_unique<Actor>(*this, BOTEL_ACTOR_ROOM, std::move(address), "{}", role));
  }

  // Brings back what is in the store.
  void load() {
    const auto find = [this](store::ActorId id) -> Actor& { return *by_id.at(id); };
    const store::Visitor visitor{
        .clock = [&](const store::Clock& clock) { runtime.restore(clock); },
        .actor =
            [&](store::Actor record, store::State state) {
              runtime.used(record.id);
              Actor& actor = add(record.address);
              by_id[record.id] = &actor;
              progress_of[record.address] = state.progress;
              runtime.restore(actor, std::move(state));
            },
        .timer = [&](const store::Timer& timer) { runtime.restore(find(timer.actor), timer); },
        .effect = [&](store::Waiting effect) { runtime.restore(find(effect.actor), std::move(effect)); },
        .inbox = [&](store::ActorId id, std::size_t count) { runtime.restore_inbox(find(id), count); },
        .outbox = [](store::Message) {},
        .request = [](store::Request) {},
        .received = [](const store::Received&) {}};
    REQUIRE(store.load(visitor));
    runtime.saved();
  }

  void post(Actor& actor, std::string payload) {
    runtime.post(actor, {.kind = BOTEL_ROOM_MESSAGE, .payload = std::move(payload)});
  }
  void save() {
    REQUIRE(store.commit(runtime.save()));
    runtime.saved();
  }
  void pass(milliseconds delay) {
    time.steady += delay;
    time.unix_ms += delay.count();
    runtime.advance(time);
    settle(runtime);
  }

  std::int32_t handle(const botel_call& call, const botel_event& event) {
    const std::string text(FakeBot::view(event.payload));
    if (event.kind == BOTEL_TIMER_DUE) return FakeBot::say(call, "timer " + std::to_string(event.tag));
    if (text == "nothing") return BOTEL_OK;
    if (text == "fail") return BOTEL_E_FAILED;
    if (text == "retry") return BOTEL_RETRY_AFTER(60'000);
    if (text.starts_with("timer")) {
      botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
      timer.tag = std::stoull(text.substr(5));
      timer.delay_ms = 10'000;
      return FakeBot::emit(call, timer);
    }
    if (text == "cancel") {
      botel_effect timer = FakeBot::effect(BOTEL_TIMER_CANCEL);
      timer.tag = 7;
      return FakeBot::emit(call, timer);
    }
    if (text.starts_with("later ")) {
      FakeBot::say(call, "at once");
      FakeBot::say(call, text, 5000);
      return FakeBot::say(call, "and " + text);
    }
    const std::string state = std::string(FakeBot::view(call.state)) + text + " ";
    return FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, state));
  }

  std::int32_t check(const botel_effect&) const override { return BOTEL_OK; }
  bool is_wanted(const Actor&, const Event& event) const override { return !unwanted.contains(event.payload); }
  void handled(Actor&, const Event&, const botel::Result<>&) override {}
  void perform(Actor&, Effect& effect) override { lines.push_back(effect.payload); }
  std::string origin(const Actor& actor) const override { return "{\"address\":\"" + actor.address + "\"}"; }
  std::string progress(const Actor& actor) const override { return "{\"of\":\"" + actor.address + "\"}"; }

  store::Store& store;
  Counters counters;
  FakeBot bot;
  Time time;
  Runtime runtime{{}, counters, [] {}, time};
  Role& role = bot.role(runtime);
  std::list<std::unique_ptr<Actor>> actors;
  std::map<store::ActorId, Actor*> by_id;
  std::map<std::string, std::string> progress_of;
  std::set<std::string> unwanted;  // payloads
  Lines lines;
};

const Time kLater{SteadyTime{} + seconds(5), 1'700'000'060'000};  // a minute later, on another steady clock

}  // namespace

TEST_CASE("runtime: state, sequence and progress are there in the next run") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    Actor& actor = run.add("7");
    run.post(actor, "a");
    run.post(actor, "b");
    settle(run.runtime);
    run.save();
    CHECK_FALSE(run.runtime.has_changes());
    run.post(actor, "lost");  // not saved
    settle(run.runtime);
    CHECK(run.runtime.has_changes());
  }
  Run next(*store, kLater);
  next.load();
  REQUIRE(next.actors.size() == 1);
  Actor& actor = *next.actors.front();
  CHECK(actor.state() == "a b ");
  CHECK(actor.state_schema() == 3);
  CHECK(next.progress_of["7"] == R"({"of":"7"})");
  std::uint64_t sequence = 0;
  next.bot.handle = [&](const botel_call&, const botel_event& event) {
    sequence = event.sequence;
    return BOTEL_OK;
  };
  next.post(actor, "c");
  settle(next.runtime);
  CHECK(sequence == 3);
}

TEST_CASE("runtime: an actor that is gone leaves nothing in the store") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    Actor& actor = run.add("7");
    run.post(actor, "timer7");
    run.post(actor, "later x");
    settle(run.runtime);
    run.save();
    run.runtime.retire(actor);
    run.save();
    run.actors.clear();
  }
  Run next(*store, kLater);
  next.load();
  CHECK(next.actors.empty());
}

TEST_CASE("runtime: an event that changed nothing has its number, and no other event gets it") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    Actor& actor = run.add("7");
    run.post(actor, "nothing");
    run.post(actor, "fail");
    settle(run.runtime);
    run.save();
  }
  Run next(*store, kLater);
  std::uint64_t sequence = 0;
  next.bot.handle = [&](const botel_call&, const botel_event& event) {
    sequence = event.sequence;
    return BOTEL_OK;
  };
  next.load();
  next.post(*next.actors.front(), "a");
  settle(next.runtime);
  CHECK(sequence == 3);
}

TEST_CASE("runtime: events that were not handled wait in the store, in order, and none comes twice") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    Actor& actor = run.add("7");
    for (const char* text : {"a", "b", "c"}) run.post(actor, text);
    run.save();  // nobody has handled any
  }
  {
    Run next(*store, kLater);
    next.load();
    CHECK(next.actors.front()->queued() == 3);
    settle(next.runtime);
    CHECK(next.actors.front()->state() == "a b c ");
    next.save();
  }
  Run last(*store, kLater);
  last.load();
  CHECK(last.actors.front()->queued() == 0);
  CHECK(last.actors.front()->state() == "a b c ");
}

TEST_CASE("runtime: a queue that is too long for memory goes on in the store, and comes back in order") {
  const auto store = store::Sqlite::in_memory().value();
  Run run(*store);
  Actor& actor = run.add("7");
  std::string expected;
  for (int i = 0; i < 3 * static_cast<int>(kMostInMemory); ++i) {
    run.post(actor, std::to_string(i));
    expected += std::to_string(i) + " ";
    if (i == 1500) run.save();
  }
  SUBCASE("in the same run") {
    for (int round = 0; round < 20 && actor.queued() > 0; ++round) {
      settle(run.runtime);
      run.save();
    }
    CHECK(actor.state() == expected);
  }
  SUBCASE("in the next run, and new ones come behind them") {
    run.save();
    Run next(*store, kLater);
    next.load();
    Actor& again = *next.actors.front();
    next.post(again, "new");
    for (int round = 0; round < 20 && again.queued() > 0; ++round) {
      settle(next.runtime);
      next.save();
    }
    CHECK(again.state() == expected + "new ");
  }
}

namespace {

// A store in memory that is busy when the test says so.
class BusyStore final : public store::Store {
 public:
  botel::Result<> commit(const store::Batch& batch) override { return store_->commit(batch); }
  botel::Result<> load(const store::Visitor& visitor) override { return store_->load(visitor); }
  botel::Result<Inbox> inbox(store::ActorId actor, std::uint64_t after, std::size_t most) override {
    if (is_busy) return std::nullopt;
    return store_->inbox(actor, after, most);
  }
  botel::Result<std::vector<std::string>> items(const store::ItemQuery& query) override { return store_->items(query); }

  bool is_busy = false;

 private:
  const std::unique_ptr<store::Store> store_ = store::Sqlite::in_memory().value();
};

}  // namespace

TEST_CASE("runtime: a store that is busy is asked again soon for what waits there") {
  BusyStore store;
  Run run(store);
  Actor& actor = run.add("7");
  for (std::size_t i = 0; i < kMostInMemory + 10; ++i) run.post(actor, "nothing");
  settle(run.runtime);
  store.is_busy = true;
  run.save();
  CHECK(actor.queued() == 10);
  SUBCASE("after a moment") {
    run.pass(milliseconds(10));
    CHECK(actor.queued() == 10);
    store.is_busy = false;
    run.pass(milliseconds(10));
  }
  SUBCASE("when it has saved something") {
    store.is_busy = false;
    run.save();
    settle(run.runtime);
  }
  CHECK(actor.queued() == 0);
}

TEST_CASE("runtime: an actor that goes while its queue is in the store takes it along") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    Actor& actor = run.add("7");
    for (std::size_t i = 0; i < kMostInMemory + 10; ++i) run.post(actor, "x");
    run.save();
    for (int i = 0; i < 10; ++i) run.post(actor, "not even saved");
    run.runtime.retire(actor);
    run.save();
    run.actors.clear();
  }
  CHECK(store->inbox(1, 0, 10).value()->empty());
}

TEST_CASE("runtime: an event that is to be tried again keeps its attempts in the next run") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.post(run.add("7"), "retry");
    settle(run.runtime);
    run.save();
  }
  Run next(*store, kLater);
  std::uint32_t attempt = 0;
  next.bot.handle = [&](const botel_call&, const botel_event& event) {
    attempt = event.attempt;
    return BOTEL_OK;
  };
  next.load();
  settle(next.runtime);
  CHECK(attempt == 2);
}

TEST_CASE("runtime: an event that nobody waits for any more is dropped, also where it comes back from the store") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    Actor& actor = run.add("a");
    run.runtime.take_over(run.role, nullptr);
    for (const auto* const text : {"a", "b", "c", "retry"}) run.post(actor, text);
    run.save();
  }
  Run next(*store, kLater);
  next.unwanted = {"a", "c"};
  next.load();
  settle(next.runtime);
  next.save();
  const Actor& actor = *next.actors.front();
  CHECK(actor.state() == "b ");
  CHECK(store->inbox(1, 0, 10).value()->size() == 1);

  next.unwanted = {"retry"};
  next.pass(seconds(60));
  next.save();
  CHECK(actor.queued() == 0);
  CHECK(store->inbox(1, 0, 10).value()->empty());
}

TEST_CASE("runtime: timers go on in the next run: those that are due fire once") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    Actor& actor = run.add("7");
    for (const char* text : {"timer7", "timer8"}) run.post(actor, text);
    settle(run.runtime);
    run.save();
    run.post(actor, "cancel");  // 7
    settle(run.runtime);
    run.save();
  }
  SUBCASE("due while nobody was there") {
    {
      Run next(*store, kLater);
      next.load();
      next.pass(milliseconds(0));
      CHECK(next.lines == Lines{"timer 8"});
      next.save();
    }
    Run last(*store, kLater);
    last.load();
    last.pass(seconds(100));
    CHECK(last.lines.empty());
  }
  SUBCASE("due later") {
    Run next(*store, {SteadyTime{} + seconds(5), 1'700'000'004'000});
    next.load();
    next.pass(milliseconds(5999));
    CHECK(next.lines.empty());
    next.pass(milliseconds(1));
    CHECK(next.lines == Lines{"timer 8"});
  }
}

TEST_CASE("runtime: a timer that fired and was not handled is an event in the next run, and no timer") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.post(run.add("7"), "timer7");
    settle(run.runtime);
    run.save();
    run.time.steady += seconds(10);
    run.runtime.advance(run.time);
    run.save();
  }
  Run next(*store, kLater);
  next.load();
  next.pass(seconds(100));
  CHECK(next.lines == Lines{"timer 7"});
}

TEST_CASE("runtime: effects that had not left leave in the next run, once and in order") {
  const auto store = store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.post(run.add("7"), "later x");
    settle(run.runtime);
    CHECK(run.lines == Lines{"at once"});
    run.save();
  }
  {
    Run next(*store, {SteadyTime{} + seconds(5), 1'700'000'001'000});
    next.load();
    next.pass(milliseconds(3999));
    CHECK(next.lines.empty());
    next.pass(milliseconds(1));
    CHECK(next.lines == Lines{"later x", "and later x"});
    next.save();
  }
  Run last(*store, kLater);
  last.load();
  last.pass(seconds(100));
  CHECK(last.lines.empty());
}

TEST_CASE("runtime: a clock that is set back, or back and forth, makes nothing wait longer, and ids rise") {
  constexpr std::int64_t kDay = 86'400'000;
  const auto store = store::Sqlite::in_memory().value();
  std::uint64_t last_id = 0;
  Time away{SteadyTime{} + seconds(5), 0};
  milliseconds left{0};  // until the timer is due
  {
    Run run(*store);
    const std::int64_t begin = run.time.unix_ms;
    run.post(run.add("7"), "timer7");
    settle(run.runtime);
    SUBCASE("between two runs: as if nobody had been away") {
      away.unix_ms = begin - kDay;
      left = milliseconds(9'999);
    }
    SUBCASE("within a run") {
      for (const std::int64_t moved : {-kDay, +kDay, -kDay / 24}) {
        run.time.unix_ms = begin + moved;
        run.pass(seconds(1));
      }
      away.unix_ms = run.time.unix_ms + 2'000;
      left = milliseconds(5'000);
    }
    SUBCASE("within a run, and right again in the next one") {
      run.time.unix_ms = begin - kDay;
      run.pass(seconds(9));
      away.unix_ms = begin + 10'000;
    }
    run.save();
    last_id = run.runtime.new_id();
  }
  Run next(*store, away);
  next.load();
  CHECK(next.runtime.new_id() > last_id);
  next.pass(std::max(left - milliseconds(1), milliseconds(0)));
  CHECK(next.lines.empty() == (left > milliseconds(0)));
  next.pass(milliseconds(1));
  CHECK(next.lines == Lines{"timer 7"});
}

TEST_CASE("runtime: runs that leave nothing but the clock, which was set back, have ids of their own") {
  const auto store = store::Sqlite::in_memory().value();
  std::uint64_t last_id = 0;
  for (int i = 0; i < 3; ++i) {
    Run run(*store, {SteadyTime{}, 1'700'000'000'000 - i});
    run.load();
    run.save();
    CHECK(run.runtime.new_id() > last_id + 1'000'000);
    last_id = run.runtime.new_id();
  }
}

TEST_CASE("runtime: an actor whose bot is missing keeps its events") {
  const auto store = store::Sqlite::in_memory().value();
  Role missing("gone");
  Run run(*store);
  Actor& orphan = *run.actors.emplace_back(std::make_unique<Actor>(run, BOTEL_ACTOR_ROOM, "8", "{}", missing));
  run.post(orphan, "a");
  settle(run.runtime);
  CHECK(orphan.queued() == 1);
  CHECK_FALSE(run.runtime.has_work());
  run.save();
  CHECK(store->inbox(1, 0, 10).value()->size() == 1);
}

TEST_CASE("runtime: an actor that begins anew does so before what waits for it in the store") {
  const auto store = store::Sqlite::in_memory().value();
  FakeBot other;
  Lines seen;
  Run run(*store);
  Actor& actor = run.add("a");
  run.runtime.take_over(run.role, nullptr);
  for (int i = 0; i < 1100; ++i) run.post(actor, std::to_string(i));
  run.save();
  other.handle = [&](const botel_call& call, const botel_event& event) {
    seen.push_back(event.kind == BOTEL_ROOM_START ? "start" : std::string(FakeBot::view(event.payload)));
    return FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "x"));
  };
  run.runtime.take_over(run.role, other.logic("fake"));
  settle(run.runtime);  // those in memory
  REQUIRE(actor.queued() > 0);
  const std::size_t handled = seen.size();
  run.runtime.restart(actor, store::Event{.kind = BOTEL_ROOM_START});
  run.runtime.take_over(run.role, other.logic("fake", 9, 9));
  for (int i = 0; i < 3; ++i) {
    run.save();
    settle(run.runtime);
  }
  REQUIRE(seen.size() == 1101);
  CHECK(seen[handled] == "start");
  CHECK(seen.back() == "1099");
  for (auto& one : run.actors) run.runtime.retire(*one);
  run.actors.clear();
  run.runtime.take_over(run.role, nullptr);
}
