// Rooms and requests over several runs, with a real store in memory.
#include <doctest/doctest.h>

#include <map>

#include "gitple/stage.hpp"
#include "store/sqlite.hpp"

namespace {

using Lines = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kRequests = "s/1/a/1/t/1/req/x";
constexpr std::int64_t kBegin = 1'700'000'000'000;
constexpr std::int64_t kLater = kBegin + 60'000;

std::string request(int id, const std::string& method, int room, int session = 1, const std::string& bot = "1") {
  return fmt::format(
      R"({{"jsonrpc":"2.0","id":{0},"method":"{1}","params":{{"_context":{{"room":{2},"session":{3},"bot":"{4}"}},)"
      R"("resPub":"s/1/a/1/res","msgSub":"s/1/a/1/in/{2}/+","msgPub":"s/1/a/1/out/{2}","cmdPub":"s/1/a/1/u/7/r/{2}/req/t/1"}}}})",
      id, method, room, session, bot);
}
std::string ok(int id) { return fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":"OK"}})", id); }
std::string answer(const std::string& answer) { return "< s/1/a/1/res " + answer; }
std::string said(std::string_view text, std::int64_t t, int session = 1) {
  return fmt::format(R"(< s/1/a/1/out/7 {{"t":{},"m":"{}","_context":{{"room":7,"session":{},"bot":"1"}},"_sid":{}}})",
                     t, text, session, session);
}

// A run of the host, from what the store holds.
struct Run : GitpleStage {
  explicit Run(botel::store::Store& store, std::int64_t unix_ms = kBegin, bool answering = true,
               const char* bot_id = "fake", botel::gitple::ServiceConfig config = {})
      : GitpleStage(bot_id, std::move(config)), store(store) {
    client.answering = answering;
    time.unix_ms = unix_ms;
    runtime.advance(time);
    runtime.keep(&store, nullptr);
    std::map<botel::store::ActorId, botel::runtime::Actor*> actors;
    std::vector<botel::store::Request> requests;
    const botel::store::Visitor visitor{
        .clock = [&](const botel::store::Clock& clock) { runtime.restore(clock); },
        .actor =
            [&](botel::store::Actor record, botel::store::State state) {
              runtime.used(record.id);
              actors[record.id] = service.restore(record, state);
              REQUIRE(actors[record.id]);
              runtime.restore(*actors[record.id], std::move(state));
            },
        .timer = [&](const botel::store::Timer& timer) { runtime.restore(*actors.at(timer.actor), timer); },
        .effect = [&](botel::store::Waiting effect) { runtime.restore(*actors.at(effect.actor), std::move(effect)); },
        .inbox = [&](auto id, std::size_t count) { runtime.restore_inbox(*actors.at(id), count); },
        .outbox = [](botel::store::Message) {},
        .request = [&](botel::store::Request request) { requests.push_back(std::move(request)); },
        .received = [](const botel::store::Received&) {}};
    REQUIRE(store.load(visitor));
    for (auto& request : requests) service.restore(std::move(request));
    runtime.saved();
    pass(milliseconds(0));
  }

  void save() {
    auto batch = runtime.save();
    service.save(batch);
    REQUIRE(store.commit(batch));
    runtime.saved();
  }

  botel::store::Store& store;
};

}  // namespace

TEST_CASE("restart: a room goes on where it was, and its messages' times rise") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    run.receive("s/1/a/1/in/7/7", R"({"m":"a"})");
    CHECK(run.take() == Lines{"+ s/1/a/1/in/7/+", answer(ok(1)), said("hello", kBegin), said("heard a", kBegin + 1)});
    run.save();
  }
  // The clock was set back meanwhile.
  Run next(*store, kBegin - 1000);
  CHECK(next.take() == Lines{"+ s/1/a/1/in/7/+"});
  next.receive("s/1/a/1/in/7/7", R"({"m":"b","_sid":1})");
  next.receive(kRequests, request(2, "start", 7));
  CHECK(next.take() == Lines{said("heard b", kBegin + 2), answer(ok(2))});
  next.receive(kRequests, request(3, "end", 7));
  CHECK(next.take() == Lines{said("bye, ended", kBegin + 3), answer(ok(3)), "- s/1/a/1/in/7/+"});
  next.save();
  CHECK(Run(*store, kLater).service.rooms() == 0);
}

TEST_CASE("restart: a start that waited for the broker is served again, and answered once") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store, kBegin, false);
    run.receive(kRequests, request(1, "start", 7));
    run.save();
    run.service.close(true);
    CHECK(run.take() == Lines{"+ s/1/a/1/in/7/+"});
  }
  {
    Run next(*store, kLater);
    CHECK(next.take() == Lines{"+ s/1/a/1/in/7/+", answer(ok(1)), said("hello", kLater)});
    next.save();
  }
  Run last(*store, kLater);
  CHECK(last.take() == Lines{"+ s/1/a/1/in/7/+"});
}

TEST_CASE(
    "restart: what came with half an emoji, a byte order mark and a NUL is served again, and goes back as it came") {
  const auto store = botel::store::Sqlite::in_memory().value();
  std::string start = request(1, "start", 7);
  start.insert(start.find("},\"resPub\""), R"(,"x":"\ud83d")");
  {
    Run run(*store, kBegin, false);
    run.receive(kRequests, "\xEF\xBB\xBF" + start + std::string(1, '\0'));
    run.save();
    run.service.close(true);
  }
  Lines said;
  {
    Run next(*store, kLater);
    said = next.take();
    REQUIRE(said.size() == 3);
    CHECK(said[1] == answer(ok(1)));
    CHECK(said[2].find(R"("_context":{"room":7,"session":1,"bot":"1","x":"\ud83d"})") != std::string::npos);
    next.save();
  }
  Run last(*store, kLater);
  last.take();
  last.receive("s/1/a/1/in/7/7", R"({"m":"info"})");
  said = last.take();
  REQUIRE(said.size() == 1);
  CHECK(said[0].find(R"(\"x\":\"\\ufffd\"})") != std::string::npos);
  CHECK(said[0].find(R"("x":"\ud83d"})") != std::string::npos);
}

TEST_CASE("restart: a room whose start was not handled yet is answered behind it, before its first word") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.arrive(kRequests, request(1, "start", 7));
    run.arrive("s/1/a/1/in/7/7", R"({"m":"early"})");
    run.save();  // before any handler
    run.service.close(true);
  }
  Run next(*store, kLater);
  CHECK(next.take() ==
        Lines{"+ s/1/a/1/in/7/+", answer(ok(1)), said("hello", kLater), said("heard early", kLater + 1)});
}

TEST_CASE("restart: of a batch, what was answered is not done again") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    run.take();
    run.client.answering = false;
    run.receive(kRequests,
                "[" + request(2, "end", 7) + "," + request(3, "start", 8) + "," + request(4, "dance", 9) + "]");
    CHECK(run.take() == Lines{"+ s/1/a/1/in/8/+", said("bye, ended", kBegin + 1), "- s/1/a/1/in/7/+"});
    run.save();
    run.service.close(true);
    CHECK(run.take().empty());
  }
  Run next(*store, kLater);
  const Lines lines = next.take();
  REQUIRE(lines.size() == 3);
  CHECK(lines[1] == answer("[" + ok(2) + R"(,{"jsonrpc":"2.0","id":4,"error":{"code":-32601,)" +
                           R"("message":"Method not found: there are start and end"}},)" + ok(3) + "]"));
}

TEST_CASE("restart: an end in progress ends the room in the next run") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    run.arrive(kRequests, request(2, "end", 7));
    run.save();
    run.service.close(true);
  }
  Run next(*store, kLater);
  CHECK(next.service.rooms() == 0);
  CHECK(next.take() == Lines{"+ s/1/a/1/in/7/+", said("bye, ended", kLater), answer(ok(2)), "- s/1/a/1/in/7/+"});
}

TEST_CASE("restart: what a bot asked of gitple is still asked: an answer, or its absence, is heard") {
  const auto store = botel::store::Sqlite::in_memory().value();
  std::string id;
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    run.take();
    run.receive("s/1/a/1/in/7/7", R"({"m":"end"})");
    const std::string asked = run.take().front();
    id = asked.substr(asked.find("botel-"), asked.find('"', asked.find("botel-")) - asked.find("botel-"));
    run.save();
  }
  Run next(*store, kBegin + 20'000);
  next.take();
  SUBCASE("an answer") {
    next.receive("s/1/a/1/u/7/r/7/res", R"({"jsonrpc":"2.0","id":")" + id + R"(","result":"OK"})");
    CHECK(next.take() == Lines{said(R"(result 5 0 \"OK\")", kBegin + 20'000)});
  }
  SUBCASE("none, in the time that it has from the restart on: it may wait at the broker") {
    next.pass(milliseconds(29'999));
    CHECK(next.take().empty());
    next.pass(milliseconds(1));
    CHECK(next.take().size() == 1);
  }
}

TEST_CASE("restart: what is said before the subscription is granted again waits for the start") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store, kBegin, false);
    run.receive(kRequests, request(1, "start", 7));
    run.save();
    run.service.close(true);
  }
  Run next(*store, kLater, false);
  next.receive("s/1/a/1/in/7/7", R"({"m":"early"})");
  CHECK(next.take() == Lines{"+ s/1/a/1/in/7/+"});
  next.client.answer();
  settle(next.runtime);
  CHECK(next.take() == Lines{answer(ok(1)), said("hello", kLater), said("heard early", kLater + 1)});
}

TEST_CASE("restart: damaged records of a room do no harm") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    auto batch = run.runtime.save();
    REQUIRE(batch.states.size() == 1);
    SUBCASE("the same question twice") {
      batch.states[0].progress =
          R"({"stage":"open","asked":[{"id":"a","tag":"1","due":1},{"id":"a","tag":"1","due":1},5,{}]})";
    }
    SUBCASE("no progress") { batch.states[0].progress = ""; }
    SUBCASE("another kind of JSON") { batch.states[0].progress = R"({"stage":7,"last_time":"x","asked":{"a":1}})"; }
    REQUIRE(store->commit(batch));
  }
  Run next(*store, kLater);
  next.pass(seconds(60));
  next.take();
  next.receive("s/1/a/1/in/7/7", R"({"m":"a"})");
  CHECK(next.take().size() == 1);
}

TEST_CASE("restart: a room that may leave leaves in the next run") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    run.receive("s/1/a/1/in/7/7", R"({"m":"transfer"})");
    const std::string asked = run.take().back();
    const std::string id =
        asked.substr(asked.find("botel-"), asked.find('"', asked.find("botel-")) - asked.find("botel-"));
    run.receive("s/1/a/1/u/7/r/7/res", R"({"jsonrpc":"2.0","id":")" + id + R"(","result":"OK"})");
    run.save();
  }
  Run next(*store, kLater);
  next.take();
  next.receive("s/1/a/1/in/7/7", R"({"m":"nobody hears"})");
  CHECK(next.take().empty());
  next.pass(seconds(30));
  CHECK(next.take() == Lines{said("bye, left", kLater + 30'000), "- s/1/a/1/in/7/+"});
}

TEST_CASE("restart: a room waits for its bot, and can be ended meanwhile") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    run.save();
  }
  {
    Run next(*store, kLater, true, "other");
    next.take();
    next.receive("s/1/a/1/in/7/7", R"({"m":"a"})");
    next.pass(std::chrono::hours(1));
    CHECK(next.take().empty());
    next.save();
  }
  SUBCASE("it is back") {
    Run last(*store, kLater);
    CHECK(last.take() == Lines{"+ s/1/a/1/in/7/+", said("heard a", kLater)});
  }
  SUBCASE("gitple ends it") {
    Run last(*store, kLater, true, "other");
    last.take();
    last.receive(kRequests, request(2, "end", 7));
    CHECK(last.take() == Lines{"- s/1/a/1/in/7/+", answer(ok(2))});
    last.save();
    CHECK(Run(*store, kLater).service.rooms() == 0);
  }
}

TEST_CASE("restart: rooms hear of it") {
  const auto store = botel::store::Sqlite::in_memory().value();
  {
    Run run(*store);
    run.receive(kRequests, request(1, "start", 7));
    run.save();
  }
  Run next(*store, kLater);
  std::string away;
  next.bot.handle = [&](const botel_call&, const botel_event& event) {
    if (event.kind == BOTEL_ROOM_RESUMED) away = FakeBot::view(event.payload);
    return BOTEL_OK;
  };
  next.service.resume(milliseconds(1234));
  settle(next.runtime);
  CHECK(away == "1234");
}

TEST_CASE("restart: a subscription that nobody holds is taken back when something comes for it") {
  const auto store = botel::store::Sqlite::in_memory().value();
  Run run(*store);
  run.receive("s/1/a/1/in/7/7", R"({"m":"stray"})");
  CHECK(run.client.disowned == Lines{"s/1/a/1/in/7/7", "s/1/a/1/in/7/+"});
  run.receive("s/1/a/1/u/1/r/1/res", R"({"id":"unknown","result":"OK"})");
  CHECK(run.client.disowned.size() == 2);
}

TEST_CASE("restart: a topic of answers that no filter takes in is subscribed again with its room") {
  const auto store = botel::store::Sqlite::in_memory().value();
  std::string start = request(1, "start", 7);
  start.replace(start.find("s/1/a/1/u/7/r/7/req/t/1"), 23, "s/1/a/1/room7/req/t/1");
  {
    Run run(*store);
    run.receive(kRequests, start);
    CHECK(run.take() == Lines{"+ s/1/a/1/room7/res", "+ s/1/a/1/in/7/+", answer(ok(1)), said("hello", kBegin)});
    run.save();
  }
  Run next(*store, kLater);
  CHECK(next.take() == Lines{"+ s/1/a/1/room7/res", "+ s/1/a/1/in/7/+"});
}

TEST_CASE("restart: a message that was taken before is not taken again within drop_repeats") {
  const auto store = botel::store::Sqlite::in_memory().value();
  const botel::gitple::ServiceConfig config{.drop_repeats = seconds(10)};
  const std::string message = R"({"t":1,"m":"a"})";
  {
    Run run(*store, kBegin, true, "fake", config);
    run.receive(kRequests, request(1, "start", 7));
    run.receive("s/1/a/1/in/7/7", message);
    run.save();
  }
  SUBCASE("in time") {
    Run next(*store, kBegin + 9'999, true, "fake", config);
    next.take();
    next.receive("s/1/a/1/in/7/7", message);
    CHECK(next.take().empty());
    CHECK(next.count("gitple_messages_repeated_total") == 1);
    next.pass(milliseconds(1));
    next.receive("s/1/a/1/in/7/7", message);
    CHECK(next.take().size() == 1);
  }
  SUBCASE("where the clock was set back meanwhile, and is set right again") {
    Run next(*store, kBegin - 86'400'000, true, "fake", config);
    next.take();
    next.receive("s/1/a/1/in/7/7", message);
    CHECK(next.take().empty());
    next.time.unix_ms = kBegin + 3'600'000;
    next.pass(milliseconds(9'998));
    next.receive("s/1/a/1/in/7/7", message);
    CHECK(next.take().empty());
    next.pass(milliseconds(1));
    next.receive("s/1/a/1/in/7/7", message);
    CHECK(next.take().size() == 1);
  }
  SUBCASE("later") {
    Run next(*store, kBegin + 10'000, true, "fake", config);
    next.take();
    next.receive("s/1/a/1/in/7/7", message);
    CHECK(next.take().size() == 1);
  }
  SUBCASE("where it was switched off meanwhile, nothing is remembered") {
    Run next(*store, kBegin);
    next.take();
    next.receive("s/1/a/1/in/7/7", message);
    CHECK(next.take().size() == 1);
    next.save();
    Run last(*store, kBegin, true, "fake", config);
    last.take();
    last.receive("s/1/a/1/in/7/7", message);
    CHECK(last.take().size() == 1);
  }
}

TEST_CASE("restart: what comes again before the subscription is granted again is taken once") {
  const auto store = botel::store::Sqlite::in_memory().value();
  const botel::gitple::ServiceConfig config{.drop_repeats = seconds(10)};
  {
    Run run(*store, kBegin, false);
    run.receive(kRequests, request(1, "start", 7));
    run.save();
    run.service.close(true);
  }
  Run next(*store, kLater, false, "fake", config);
  for (int i = 0; i < 2; ++i) next.receive("s/1/a/1/in/7/7", R"({"t":1,"m":"early"})");
  next.save();
  next.take();
  next.client.answer();
  settle(next.runtime);
  CHECK(next.take() == Lines{answer(ok(1)), said("hello", kLater), said("heard early", kLater + 1)});
}

TEST_CASE("restart: a message that waits for its bot is known as soon as it is kept") {
  const auto store = botel::store::Sqlite::in_memory().value();
  const botel::gitple::ServiceConfig config{.drop_repeats = seconds(10)};
  const std::string message = R"({"t":1,"m":"a"})";
  {
    Run run(*store, kBegin, true, "fake", config);
    run.receive(kRequests, request(1, "start", 7));
    run.save();
    run.arrive("s/1/a/1/in/7/7", message);
    run.save();  // before its handler
  }
  Run next(*store, kBegin, true, "fake", config);
  next.receive("s/1/a/1/in/7/7", message);
  CHECK(next.take() == Lines{"+ s/1/a/1/in/7/+", said("heard a", kBegin + 1)});
}
