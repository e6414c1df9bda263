#include "store/sqlite.hpp"

#include <doctest/doctest.h>

#include <thread>

#include "store/contents.hpp"
#include "temp_folder.hpp"

using namespace botel;
using namespace botel::store;

namespace {

using Lines = std::vector<std::string>;

const std::string kBytes("a\0b\xFF\n", 5);

Event event(std::uint64_t sequence) {
  return {-1, kMost, sequence, -5, kMost, kMost, kMost, 4294967295u, 4294967295u, 2, -32001, "{}\0", "detail", "blob"};
}

std::unique_ptr<Sqlite> in_memory() {
  auto store = Sqlite::in_memory();
  REQUIRE(store);
  return std::move(*store);
}

}  // namespace

TEST_CASE("store: a new one is empty") { CHECK(contents(*in_memory()).empty()); }

TEST_CASE("store: each record comes back as it was, also when the file is opened anew") {
  const TempFolder folder;
  Batch batch;
  batch.clock = {-1, std::numeric_limits<std::int64_t>::max()};
  batch.session = {"botel-방"};
  batch.actors = {{std::numeric_limits<ActorId>::max(), "room", "s/1/a/2", "echo", R"({"id":"방"})"}};
  batch.states = {{std::numeric_limits<ActorId>::max(), kMost, 4294967295u, kBytes, R"({"step":1})"}};
  batch.timers = {{7, kMost, -1}};
  batch.effects = {{7, kMost, 8, {1, kMost, kMost, {}, 2, -3, "payload", "detail", "blob"}}};
  batch.inbox = {{7, event(1)}};
  batch.outbox = {{kMost, "topic", kBytes}};
  batch.requests = {{kMost, "topic", "[1]", "[]"}};
  batch.received = {{kMost / 2, 65535, kMost}, {1, 0, 0}};
  batch.dead_letters = {{1, "room", "address", "echo", "it crashed", event(3)}};
  REQUIRE(opened(folder.path / kFile)->commit(batch));

  const std::string id = std::to_string(std::numeric_limits<ActorId>::max());
  const std::string most = std::to_string(kMost);
  CHECK(contents(*opened(folder.path / kFile)) ==
        Lines{fmt::format("clock -1 {}", id), "session botel-방",
              fmt::format(R"(actor {} room s/1/a/2 echo {{"id":"방"}} | {} {} 4294967295 {} {{"step":1}})", id, id,
                          most, json::quoted(kBytes)),
              fmt::format("timer 7 {} -1", most),
              fmt::format("effect 7 {} 8 | 1 {} {} 2 -3 payload detail blob", most, most, most), "inbox 7 1",
              fmt::format("message {} topic {}", most, json::quoted(kBytes)),
              fmt::format("request {} topic [1] []", most), "received 1 0 0",
              fmt::format("received {} 65535 {}", kMost / 2, most), line(event(1))});
}

TEST_CASE("store: a state, a topic and a payload may have any bytes") {
  const auto store = in_memory();
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  Batch batch;
  add_actor(batch, 1, every);
  batch.outbox = {{1, every, every}, {2, "", ""}};
  batch.inbox = {{1, {}}};
  batch.inbox[0].event.sequence = 1;
  batch.inbox[0].event.payload = every;
  REQUIRE(store->commit(batch));
  Visitor visitor;
  visitor.actor = [&](const Actor&, const State& state) { CHECK(state.state == every); };
  visitor.outbox = [&](const Message& message) { CHECK(message.payload == (message.id == 1 ? every : "")); };
  REQUIRE(store->load(visitor));
  CHECK(store->inbox(1, 0, 1).value()->at(0).payload == every);
}

TEST_CASE("store: records are told by id and number, whatever the order they were written in") {
  const auto store = in_memory();
  Batch batch;
  add_actor(batch, 20);
  add_actor(batch, 3);
  batch.timers = {{20, 1, 0}, {3, 9, 0}, {3, 8, 0}};
  batch.effects = {{3, 11, 0, {}}, {3, 9, 0, {}}, {1, 70, 0, {}}};
  batch.outbox = {{10, "", ""}, {9, "", ""}};
  batch.requests = {{2, "", "", ""}, {1, "", "", ""}};
  batch.received = {{5, 1, 0}, {4, 2, 0}};
  REQUIRE(store->commit(batch));
  CHECK(contents(*store) == Lines{"actor 3 room address 3 echo {} | 3 1 1 \"state\" {}",
                                  "actor 20 room address 20 echo {} | 20 1 1 \"state\" {}", "timer 3 8 0",
                                  "timer 3 9 0", "timer 20 1 0", "effect 1 70 0 | 0 0 0 0 0   ",
                                  "effect 3 9 0 | 0 0 0 0 0   ", "effect 3 11 0 | 0 0 0 0 0   ", "message 9  \"\"",
                                  "message 10  \"\"", "request 1   ", "request 2   ", "received 4 2 0",
                                  "received 5 1 0"});
}

TEST_CASE("store: what is written again is replaced") {
  const auto store = in_memory();
  Batch first;
  add_actor(first, 1, "old");
  first.clock = {1, 2};
  first.session = {"old"};
  first.timers = {{1, 1, 10}};
  first.effects = {{1, 1, 10, {}}};
  first.inbox = {{1, event(1)}};
  first.requests = {{1, "topic", "[]", "old"}};
  first.received = {{1, 7, 10}};
  REQUIRE(store->commit(first));
  Batch second;
  second.clock = {3, 4};
  second.session = {"new"};
  second.states = {{1, 2, 1, "new", "{}"}};
  second.timers = {{1, 1, 20}};
  second.effects = {{1, 1, 20, {}}};
  second.inbox = {{1, event(1)}};
  second.inbox[0].event.attempt = 2;
  second.requests = {{1, "topic", "[]", "new"}};
  second.received = {{1, 8, 20}};
  REQUIRE(store->commit(second));
  CHECK(contents(*store) == Lines{"clock 3 4", "session new", "actor 1 room address 1 echo {} | 1 2 1 \"new\" {}",
                                  "timer 1 1 20", "effect 1 1 20 | 0 0 0 0 0   ", "inbox 1 1", "request 1 topic [] new",
                                  "received 1 8 20", line(second.inbox[0].event)});
}

TEST_CASE("store: what is gone is gone, and nothing else") {
  const auto store = in_memory();
  Batch first;
  add_actor(first, 1);
  first.timers = {{1, 1, 0}, {1, 2, 0}};
  first.effects = {{1, 1, 0, {}}, {1, 2, 0, {}}};
  first.inbox = {{1, event(1)}, {1, event(2)}};
  first.outbox = {{1, "a", ""}, {2, "b", ""}, {3, "c", ""}, {4, "d", ""}};
  first.requests = {{1, "", "", ""}, {2, "", "", ""}};
  first.received = {{1, 1, 1}, {2, 2, 2}};
  REQUIRE(store->commit(first));
  Batch second;
  second.timers_gone = {{1, 1}};
  second.effects_gone = {{1, 2}};
  second.inbox_gone = {{1, 1}};
  second.delivered_before = 3;
  second.delivered = {4};
  second.requests_gone = {1};
  second.received_before = 2;
  second.received = {{3, 3, 3}};
  REQUIRE(store->commit(second));
  CHECK(contents(*store) == Lines{"actor 1 room address 1 echo {} | 1 1 1 \"state\" {}", "timer 1 2 0",
                                  "effect 1 1 0 | 0 0 0 0 0   ", "inbox 1 1", "message 3 c \"\"", "request 2   ",
                                  "received 2 2 2", "received 3 3 3", line(event(2))});
}

TEST_CASE("store: an actor that is gone takes its parts along, and leaves its address to another one") {
  const auto store = in_memory();
  Batch first;
  add_actor(first, 1);
  add_actor(first, 2);
  for (const ActorId actor : {1, 2}) {
    first.timers.push_back({actor, 1, 0});
    first.effects.push_back({actor, 1, 0, {}});
    first.inbox.push_back({actor, event(1)});
  }
  REQUIRE(store->commit(first));
  Batch second;
  second.actors_gone = {1};
  add_actor(second, 3);
  second.actors[0].address = "address 1";
  REQUIRE(store->commit(second));
  CHECK(contents(*store) == Lines{"actor 2 room address 2 echo {} | 2 1 1 \"state\" {}",
                                  "actor 3 room address 1 echo {} | 3 1 1 \"state\" {}", "timer 2 1 0",
                                  "effect 2 1 0 | 0 0 0 0 0   ", "inbox 2 1", line(event(1))});
}

TEST_CASE("store: of a batch that cannot be written nothing is, and the next one is") {
  const auto store = in_memory();
  Batch first;
  add_actor(first, 1);
  REQUIRE(store->commit(first));
  const auto before = contents(*store);

  Batch second = many(100);  // the last of them takes the first one's address
  second.actors.erase(second.actors.begin());
  second.actors.back().address = "address 1";
  second.timers_gone = {{1, 1}};
  const auto done = store->commit(second);
  REQUIRE_FALSE(done);
  CHECK(done.error() == "memory: UNIQUE constraint failed: actors.type, actors.address");
  CHECK(contents(*store) == before);

  second.actors.back().address = "address 100";
  CHECK(store->commit(second));
  CHECK(contents(*store).size() == 100 + 3 * 100);
}

TEST_CASE("store: the events that wait are handed out a few at a time, in their order") {
  const auto store = in_memory();
  Batch batch;
  for (const std::uint64_t sequence : {12, 10, 11, 9}) batch.inbox.push_back({1, event(sequence)});
  batch.inbox.push_back({2, event(1)});
  REQUIRE(store->commit(batch));
  const auto sequences = [&](ActorId actor, std::uint64_t after, std::size_t most) {
    std::vector<std::uint64_t> found;
    const auto events = store->inbox(actor, after, most);
    REQUIRE(events.value());
    for (const Event& event : **events) found.push_back(event.sequence);
    return found;
  };
  CHECK(sequences(1, 0, 2) == std::vector<std::uint64_t>{9, 10});
  CHECK(sequences(1, 10, 2) == std::vector<std::uint64_t>{11, 12});
  CHECK(sequences(1, 12, 2).empty());
  CHECK(sequences(3, 0, 2).empty());
  CHECK(sequences(1, 0, static_cast<std::size_t>(-1)).size() == 4);
}

TEST_CASE("store: one thread may read while another one commits, and sees each batch as a whole") {
  const auto store = in_memory();
  constexpr std::size_t together = 10, batches = 50;
  std::thread writer([&] {
    for (std::size_t number = 0; number < batches; ++number) {
      Batch batch;
      for (std::size_t i = 1; i <= together; ++i) batch.inbox.push_back({1, event(number * together + i)});
      if (!store->commit(batch)) return;
    }
  });
  std::size_t seen = 0;
  bool whole = true;
  for (int i = 0; i < 1000 && seen < together * batches; ++i) {
    const auto events = store->inbox(1, 0, together * batches);
    if (!events.value()) continue;  // the other one is at it
    seen = (*events)->size();
    whole = whole && seen % together == 0;
  }
  writer.join();
  CHECK(whole);
  CHECK(contents(*store).front() == fmt::format("inbox 1 {}", together * batches));
}

TEST_CASE("store: an actor whose state is lost is told with an empty one") {
  const auto store = in_memory();
  Batch batch;
  batch.actors = {{5, "room", "address", "echo", "{}"}};
  REQUIRE(store->commit(batch));
  CHECK(contents(*store) == Lines{"actor 5 room address echo {} | 5 0 0 \"\" "});
}
