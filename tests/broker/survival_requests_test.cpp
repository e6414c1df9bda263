// Requests, of gitple and of bots, that a restart finds in the works.
#include "harness/database.hpp"
#include "survival.hpp"

using namespace harness;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

// Answers to the request with `id`, each repeat of the same bytes left out.
int answers(const World& world, const Room& room, const std::string& id) {
  int found = 0;
  for (const auto& payload : payloads(world, room.res_pub())) found += contains("\"id\":" + id)(payload);
  return found;
}

void send(World& world, const Room& room, const std::string& id, const std::string& method) {
  const std::string params = method == "start" ? room.start_params() : room.end_params();
  world.client.publish(room.requests(), request(id, method, params));
}

// Until the store has a room in this stage, and so many payloads of requests.
void wait_for_store(const World& world, const std::string& stage, int requests) {
  Database store(world.host.data() / "botel.db");
  wait_until("the store to have it", [&] {
    return store.number("SELECT count(*) FROM states WHERE progress LIKE '%\"" + stage + "\"%'") == 1 &&
           store.number("SELECT count(*) FROM requests") == requests;
  });
}

Room of_session(Room room, const std::string& session, const std::string& commands = "") {
  room.session = session;
  room.commands = commands;
  return room;
}

}  // namespace

TEST_CASE("survival: a start whose handler was running when the host was killed is answered once, after the restart") {
  World world(kept("strict"));
  const auto go = world.dir / "go";
  const Room room{.commands = "log taken;until " + go.string() + ";say hello"};
  send(world, room, "1", "start");
  for (int i = 0; i < 3; ++i) {
    world.host.process().wait_for_log("probe: taken");
    CHECK(answers(world, room, "1") == 0);
    world.restart_host(SIGKILL);
  }
  let_go(go);
  const Received ok = world.answer(room, "1");
  CHECK(at(ok.payload, "result") == "OK");
  CHECK(world.hear(room, "hello").index > ok.index);
  world.restart_host(SIGKILL);
  world.tell(room, "say here");
  world.hear(room, "here");
  CHECK(answers(world, room, "1") == 1);
  CHECK(said(world, room) == Texts{"hello", "here"});
}

TEST_CASE("survival: whenever the host ends, a start and an end are served and answered once") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    for (int i = 0; i < 30; ++i) {
      CAPTURE(i);
      const Room room{.room = std::to_string(i), .commands = "say hello"};
      const std::string start = std::to_string(2 * i), end = std::to_string(2 * i + 1);
      send(world, room, start, "start");
      sleep_until(Clock::now() + std::chrono::microseconds(i * 200));
      world.restart_host(ending.signal_number);
      CHECK(at(world.answer(room, start).payload, "result") == "OK");
      world.hear(room, "hello");
      send(world, room, end, "end");
      sleep_until(Clock::now() + std::chrono::microseconds(i * 200));
      world.restart_host(ending.signal_number);
      CHECK(at(world.answer(room, end).payload, "result") == "OK");
      CHECK(said(world, room) == Texts{"hello", "end ended"});
      CHECK(answers(world, room, start) == 1);
      CHECK(answers(world, room, end) == 1);
    }
    world.restart_host(ending.signal_number);
    CHECK(count(world.host.log(), "back after") == 0);
  }
}

TEST_CASE("survival: a start whose handler outlasts the stop is answered once, after the restart") {
  World world(kept("relaxed"));
  const auto go = world.dir / "go";
  const Room room{.commands = "log taken;until " + go.string() + ";say hello"};
  send(world, room, "1", "start");
  world.host.process().wait_for_log("probe: taken");
  CHECK(world.host.stop() == 1);
  CHECK(payloads(world, room.res_pub()).empty());
  let_go(go);
  world.start_host();
  CHECK(at(world.answer(room, "1").payload, "result") == "OK");
  world.hear(room, "hello");
  world.fence();
  CHECK(answers(world, room, "1") == 1);
  CHECK(said(world, room) == Texts{"hello"});
}

TEST_CASE("survival: a batch of which a part was served is answered as a whole, after the restart") {
  for (const std::string mode : {"relaxed", "strict"}) {
    CAPTURE(mode);
    World world(kept(mode));
    const auto go = world.dir / "go";
    const Room quick{.room = "quick", .commands = "say I am quick"};
    const Room slow{.room = "slow", .commands = "log taken;until " + go.string() + ";say I am slow"};
    const Room gone{.room = "gone"};
    world.client.publish(quick.requests(), "[" + request("1", "start", quick.start_params()) + "," +
                                               request("2", "start", slow.start_params()) + "," +
                                               request("3", "dance", "{}") + "," +
                                               request("4", "end", gone.end_params()) + "]");
    world.host.process().wait_for_log("probe: start", 2);
    world.host.process().wait_for_log("probe: taken");
    wait_for_store(world, "open", 1);
    world.host.kill();
    let_go(go);
    CHECK(payloads(world, quick.res_pub()).empty());
    world.start_host();
    const Received all = world.client.expect(quick.res_pub());
    for (const char* answer : {R"({"jsonrpc":"2.0","id":1,"result":"OK"})", R"({"jsonrpc":"2.0","id":2,"result":"OK"})",
                               R"("id":4,"error":{"code":-32002)"}) {
      CAPTURE(all.payload);
      CHECK(count(all.payload, answer) == 1);
    }
    // Whatever it was that was served before: the bot's first word comes behind the answer.
    CHECK(world.hear(slow, "I am slow").index > all.index);
    CHECK(world.hear(quick, "I am quick").index > all.index);
    CHECK(count(world.host.log(), "probe: start") == 1);
    world.fence();
    CHECK(payloads(world, quick.res_pub()).size() == 1);
  }
}

TEST_CASE("survival: an end that was in the works is answered once, after the restart, and the room is gone") {
  for (const std::string mode : {"relaxed", "strict"}) {
    CAPTURE(mode);
    World world(kept(mode));
    const auto go = world.dir / "go";
    const Room room{.commands = "save end: log ending|until " + go.string() + "|say bye"};
    world.start(room);
    send(world, room, "1", "end");
    world.host.process().wait_for_log("probe: ending");
    // It waits for the room, as does the start of the next session.
    const Room next = of_session(room, "105", "say next");
    send(world, room, "2", "end");
    send(world, next, "3", "start");
    world.fence();
    if (mode == "relaxed") wait_for_store(world, "ending", 3);
    world.host.kill();
    let_go(go);
    CHECK(answers(world, room, "1") == 0);
    world.start_host();
    const Received ok = world.answer(room, "1");
    CHECK(at(ok.payload, "result") == "OK");
    CHECK(world.hear(room, "bye").index < ok.index);
    CHECK(at(world.answer(room, "2").payload, "result") == "OK");
    CHECK(at(world.answer(room, "3").payload, "result") == "OK");
    world.hear(room, "next");
    world.restart_host(SIGTERM);
    CHECK(count(world.host.log(), ": 1 room\n") == 1);
    for (const char* id : {"1", "2", "3"}) CHECK(answers(world, room, id) == 1);
    CHECK(said(world, room) == Texts{"end ended", "bye", "next"});
  }
}

TEST_CASE("survival: a start that comes again after the restart is answered OK and changes nothing") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room room{.commands = "say hello;save mine"};
    world.start(room);
    world.hear(room, "hello");
    world.stop_host(ending.signal_number);
    send(world, room, "\"meanwhile\"", "start");
    world.start_host();
    CHECK(at(world.answer(room, "\"meanwhile\"").payload, "result") == "OK");
    CHECK(at(world.start(room).payload, "result") == "OK");
    world.tell(room, "show");
    world.hear(room, "state mine");
    CHECK(count(world.host.log(), "probe: start") == 0);
    CHECK(said(world, room) == Texts{"hello", "state mine"});
  }
}

TEST_CASE("survival: a session that is being replaced ends, and the next one starts, after the restart") {
  for (const std::string mode : {"relaxed", "strict"}) {
    CAPTURE(mode);
    World world(kept(mode));
    const auto go = world.dir / "go";
    const Room old{.commands = "save end: log ending|until " + go.string() + "|say bye"};
    const Room fresh = of_session(old, "105", "say hello;save fresh");
    world.start(old);
    send(world, fresh, "1", "start");
    world.host.process().wait_for_log("probe: ending");
    if (mode == "relaxed") wait_for_store(world, "ending", 1);
    world.host.kill();
    let_go(go);
    world.client.publish(old.from_user(), R"({"m":"say what","_sid":104})");
    world.start_host();
    CHECK(at(world.answer(fresh, "1").payload, "result") == "OK");
    world.hear(fresh, "hello");
    world.restart_host(SIGTERM);
    CHECK(at(world.end(old).payload, "result") == "OK");  // and ends nothing
    world.tell(fresh, "show");
    world.hear(fresh, "state fresh");
    CHECK(answers(world, fresh, "1") == 1);
    CHECK(said(world, fresh) == Texts{"end replaced", "bye", "hello", "state fresh"});
  }
}

TEST_CASE("survival: a session is replaced after the restart, t goes on, and the old one's messages are stale") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room old{.commands = "save old"};
    world.start(old);
    for (int i = 0; i < 3; ++i) world.tell(old, "many 1000");
    for (int i = 0; i < 3; ++i) world.hear(old, "1000");
    world.restart_host(ending.signal_number);
    const Room fresh = of_session(old, "105", "show;say hello");
    world.start(fresh);
    world.client.publish(old.from_user(), R"({"m":"say stale","_sid":104})");
    world.restart_host(ending.signal_number);
    world.tell(fresh, "say here");
    world.hear(fresh, "here");
    const Texts texts = said(world, old);
    CHECK(Texts(texts.begin() + 3000, texts.end()) == Texts{"end replaced", "state ", "hello", "here"});
    long long before = 0;
    for (const auto& payload : payloads(world, old.msg_pub())) {
      REQUIRE(std::stoll(at(payload, "t")) > before);
      before = std::stoll(at(payload, "t"));
    }
  }
}

TEST_CASE("survival: gitple's answer to a bot arrives after the restart, or while the host is down") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    World world(kept(ending.durability));
    const Room meanwhile{.room = "meanwhile"}, later{.room = "later"}, refused{.room = "refused"};
    for (const Room& room : {meanwhile, later, refused}) world.start(room);
    world.tell(meanwhile, "end 1");
    world.tell(later, "transfer 2");
    world.tell(refused, "bot 3 42");
    const Received first = world.asked(meanwhile, "end");
    const Received second = world.asked(later, "transfer"), third = world.asked(refused, "transfer");
    world.stop_host(ending.signal_number);
    world.reply(first);
    world.start_host();
    world.hear(meanwhile, R"(result 1 0 "OK")");
    world.reply(second);
    world.reply(third, R"("error":{"code":-1,"message":"no"})");
    world.hear(later, R"(result 2 0 "OK")");
    world.hear(refused, R"(result 3 -1 {"code":-1,"message":"no"})");
    // Only the refused one hears what is said from then on, also in another life; the others wait for their end.
    world.restart_host(ending.signal_number);
    for (const Room& room : {meanwhile, later, refused}) world.tell(room, "say here");
    world.hear(refused, "here");
    for (const Room& room : {meanwhile, later}) {
      CHECK(at(world.end(room).payload, "result") == "OK");
      CHECK(said(world, room).size() == 2);
    }
    world.tell(refused, "end 4");
    world.reply(world.asked(refused, "end"));
    world.hear(refused, R"(result 4 0 "OK")");
    for (const Room& room : {meanwhile, later}) CHECK(payloads(world, room.cmd_pub()).size() == 1);
    CHECK(payloads(world, refused.cmd_pub()).size() == 2);
  }
}

TEST_CASE("survival: a request of a bot that nobody answers is given up in time, whatever is restarted") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    WorldOptions options = kept(ending.durability);
    options.host.gitple = "answer_timeout = 2.5";
    World world(options);
    const Room over{.room = "over"}, going_on{.room = "going-on"};
    for (const Room& room : {over, going_on}) world.start(room);
    const auto begun = Clock::now();
    world.tell(over, "end 1");
    world.asked(over, "end");
    sleep_until(begun + 1s);
    world.tell(going_on, "end 2");
    world.asked(going_on, "end");
    world.restart_host(ending.signal_number);
    world.hear(over, R"(result 1 -32099 {"message":"no answer"})");
    CHECK(Clock::now() >= begun + 2500ms);
    world.stop_host(ending.signal_number);
    // While nobody is there its time runs out.
    sleep_until(begun + 4s);
    world.start_host();
    world.hear(going_on, R"(result 2 -32099 {"message":"no answer"})");
    for (const Room& room : {over, going_on}) {
      world.tell(room, "say here");
      world.hear(room, "here");
      CHECK(said(world, room).size() == 2);
    }
  }
}

TEST_CASE("survival: a room that gitple lets go but does not end closes by itself, whatever is restarted") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    WorldOptions options = kept(ending.durability);
    options.host.gitple = "leave_timeout = 1";
    World world(options);
    const Room room;
    world.start(room);
    world.tell(room, "end 1");
    world.reply(world.asked(room, "end"));
    world.hear(room, R"(result 1 0 "OK")");
    for (int i = 0; i < 2; ++i) world.restart_host(ending.signal_number);
    world.hear(room, "end left");
    world.restart_host(ending.signal_number);
    CHECK(at(world.end(room).payload, "error.code") == "-32002");
    CHECK(said(world, room) == Texts{R"(result 1 0 "OK")", "end left"});
  }
}

TEST_CASE("survival: requests that the configuration no longer names are not served, and the others once") {
  World world(kept("relaxed"));
  const Room one{.commands = "say hello"}, two{.commands = "say hello", .sp = "2"};
  world.start(one);
  world.hear(one, "hello");
  world.end(one);
  world.stop_host();
  // Another host takes over what is not the second provider's.
  world.host.options.gitple = R"(requests = "s/2/a/+/t/+/req/#"
answers = "s/2/a/+/u/+/r/+/res/#")";
  for (int life = 1; life <= 2; ++life) {
    world.start_host();
    send(world, one, "\"late " + std::to_string(life) + "\"", "start");
    CHECK(at(world.start(two).payload, "result") == "OK");
    CHECK(at(world.end(two).payload, "result") == "OK");
    CHECK(answers(world, one, "\"late") == 0);
    CHECK(said(world, one) == Texts{"hello", "end ended"});
    world.stop_host();
    // What the broker hands over twice is served twice.
    CHECK(count(world.host.log(), "gitple_requests_total 2\n") == 1);
  }
}
