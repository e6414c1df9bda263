// Connectors over several runs of the host, with a store in memory.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "moca/stage.hpp"

namespace {

constexpr std::int64_t kBegin = 1'700'000'000'000;
const std::string kConfigure = "demo/configure/42";
const std::string kNumber = R"({"phone":"+491711234567"})";

// One run after the other on the same store.
struct Runs {
  std::unique_ptr<botel::store::Store> store = botel::store::Sqlite::in_memory().value();
  std::int64_t now = kBegin;
  std::unique_ptr<MocaStage> stage = std::make_unique<MocaStage>(store.get(), now);

  // The host is away for so long, and back with this connector.
  void restart(milliseconds away, FakeBot::Handle handle = transcript_connector) {
    now = stage->time.unix_ms + away.count();
    stage.reset();
    stage = std::make_unique<MocaStage>(store.get(), now);
    stage->bot.handle = std::move(handle);
    stage->service.resume(away, {});
    stage->pass(milliseconds(0));
  }
  // What the store has of the connector's progress becomes something else.
  void rewrite(const std::function<std::string(std::string)>& change) {
    botel::store::Batch batch = stage->runtime.save();
    const auto rewrite_it = [&](const auto&, botel::store::State state) {
      state.progress = change(state.progress);
      batch.states.push_back(std::move(state));
    };
    REQUIRE(store->load({.actor = rewrite_it,
                         .timer = [](const auto&) {},
                         .effect = [](const auto&) {},
                         .inbox = [](auto, auto) {},
                         .outbox = [](const auto&) {},
                         .request = [](const auto&) {},
                         .received = [](const auto&) {},
                         .secret = [](const auto&) {}}));
    REQUIRE(store->commit(batch));
  }
  MocaStage* operator->() const { return stage.get(); }
};

}  // namespace

TEST_CASE("restart: a configuration goes on at its step, which is checked as before") {
  Runs run;
  run->receive(kConfigure);
  run->receive(kConfigure, R"({"phone":"+1"})");
  run->take();
  run.restart(minutes(1));
  CHECK(run->service.status()[0].step == "code");
  CHECK(run->take().empty());
  run->receive(kConfigure, R"({"code":"123"})");
  CHECK(run->take()[0].find(R"("errors":[{"pointer":"/code")") != std::string::npos);
  run->receive(kConfigure);
  CHECK(run->take() == Lines{answer(kConfigure, fmt::format(R"({{"step":"code","schema":{}}})", kCodeSchema))});
  run->receive(kConfigure, R"({"code":"12345"})");
  CHECK(run->take()[0].find("Jon Doe") != std::string::npos);
  CHECK(run->service.status()[0].configured);
}

TEST_CASE("restart: a connector keeps its seed, and no other has it, nor the next one with its id") {
  Runs run;
  std::vector<std::string> seeds;
  const auto listen = [&](const botel_call& call, const botel_event& event) {
    seeds.push_back(does::member(call.info, "seed"));
    CHECK(std::stoull(seeds.back()) < 1ull << 53);
    return transcript_connector(call, event);
  };
  run->bot.handle = listen;
  run->receive(kConfigure);
  run.restart(seconds(1), listen);
  run->receive(kConfigure, kNumber);
  run->receive("demo/42/u/delete_connector");
  run->receive(kConfigure);
  run->receive("demo/configure/43");
  REQUIRE(seeds.size() == 5);
  for (const std::size_t same : {1, 2}) CHECK(seeds[same] == seeds[0]);
  CHECK(std::set(seeds.begin(), seeds.end()).size() == 3);
}

TEST_CASE("restart: a configuration goes on with the next version of its connector") {
  Runs run;
  run->receive(kConfigure);
  run->take();
  run->runtime.take_over(run->role, run->bot.logic("demo"));
  run->receive(kConfigure, kNumber);
  CHECK(run->take()[0].find("Jon Doe") != std::string::npos);
}

TEST_CASE("restart: a step that was being handled is no answer to the same step asked again") {
  Runs run;
  run->receive(kConfigure);
  run->arrive(kConfigure, R"({"phone":"+1"})");
  run->save();
  int phones = 0;
  run.restart(seconds(1), [&](const botel_call& call, const botel_event& event) {
    const auto step = does::member(event.detail, "step");
    if (step == "code") return does::step(call, event.reply, "phone", kPhoneSchema);
    if (step == "phone") ++phones;
    return transcript_connector(call, event);
  });
  run->receive(kConfigure, R"({"code":"12345"})");
  run->receive(kConfigure, R"({"phone":"+1"})");
  CHECK(phones == 2);
}

TEST_CASE("restart: a step that expires while the host is away is forgotten") {
  Runs run;
  run->receive(kConfigure);
  run.restart(minutes(14));
  CHECK(run->service.connectors() == 1);
  run.restart(minutes(1));
  CHECK(run->service.connectors() == 0);
  run.restart(minutes(1));
  CHECK(run->service.connectors() == 0);
}

TEST_CASE("restart: a connector that failed to begin is forgotten in its time, too") {
  Runs run;
  run->bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_E_FAILED; };
  run->receive(kConfigure);
  run.restart(minutes(5));
  CHECK(run->service.connectors() == 1);
  run->pass(minutes(10));
  CHECK(run->service.connectors() == 0);
}

TEST_CASE("restart: a connector is what it was, with its secrets, and hears how long the host was away") {
  Runs run;
  run->bot.handle = [](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_CONFIGURE) does::keep_secret(call, "token", "s3cret");
    if (event.kind == BOTEL_CONNECTOR_CONFIGURE) does::keep_secret(call, "gone", "x");
    if (event.kind == BOTEL_CONNECTOR_CONFIGURE) does::keep_secret(call, "gone", "");
    return transcript_connector(call, event);
  };
  run->configure("42");
  std::string heard, secret, gone;
  const auto listen = [&](const botel_call& call, const botel_event& event) {
    const auto* const connector =
        static_cast<const botel_connector_v1*>(call.host->extension(call.host, BOTEL_CONNECTOR_EXTENSION));
    botel_str value{};
    connector->secret(&call, {"token", 5}, &value);
    secret = FakeBot::view(value);
    connector->secret(&call, {"gone", 4}, &value);
    gone = FakeBot::view(value);
    heard += fmt::format("{:#x} {} ", event.kind, FakeBot::view(event.payload));
    return transcript_connector(call, event);
  };
  run.restart(seconds(90), listen);
  CHECK(heard == "0x50a 90000 ");
  CHECK(secret == "s3cret");
  CHECK(gone.empty());
  CHECK(run->service.status()[0].configured);
  run->receive("demo/42/u/get_contact/1");
  CHECK(run->take()[0].find("Ada") != std::string::npos);
}

TEST_CASE("restart: what was answered with an error while nobody served is not done in a later run") {
  Runs run;
  run->configure("42");
  run->arrive("demo/42/u/send_message/7", R"({"message":"hi"})");
  run->save();
  run->runtime.take_over(run->role, nullptr);
  run->pass(seconds(10));
  CHECK(run->take() == Lines{error("demo/42/u/send_message/7", 504, "the connector did not answer in time")});
  int sent = 0;
  run.restart(minutes(5), [&](const botel_call& call, const botel_event& event) {
    sent += event.kind == BOTEL_CONNECTOR_SEND_MESSAGE;
    return transcript_connector(call, event);
  });
  CHECK(sent == 0);
  CHECK(run->take().empty());
  CHECK(run->store.inbox(1, 0, 10).value()->empty());
}

TEST_CASE("restart: what nobody had handled is handled then, and answered once") {
  Runs run;
  run->configure("42");
  run->arrive("demo/42/u/send_message/7", R"({"message":"hi"})");
  run->save();
  run.restart(minutes(5));
  CHECK(run->take()[0].starts_with(R"(< demo/42/u/send_message/7/response {"message_id":72)"));
  run->receive("demo/42/u/send_message/7", R"({"message":"hi"})");
  CHECK(run->take().size() == 1);  // from memory: without another push
}

TEST_CASE("restart: a message of the old form that nobody had handled is not the same as one that comes then") {
  const std::string send = "demo/users/42/send_message", yes = R"({"chat_id":7,"message":"yes"})";
  Runs run;
  run->configure("42");
  run->arrive(send, yes);
  run->save();
  run.restart(minutes(5));
  run->receive(send, yes);
  const auto lines = run->take();
  CHECK(std::ranges::count_if(lines, [&](const auto& line) { return line.starts_with("< " + send); }) == 2);
}

TEST_CASE("restart: what was under way has its whole time again, and is known when it comes again") {
  Runs run;
  run->configure("42");
  run->bot.handle = [](const botel_call&, const botel_event&) { return BOTEL_OK; };
  run->receive("demo/42/u/get_chats");
  run->pass(seconds(8));
  run->take();
  run.restart(seconds(5));
  run->receive("demo/42/u/get_chats");
  run->pass(milliseconds(9'900));
  CHECK(run->take() == Lines{"< demo/42/u/get_chats/keepalive {}"});
  run->pass(milliseconds(100));
  CHECK(run->take() == Lines{error("demo/42/u/get_chats", 504, "the connector did not answer in time")});
}

TEST_CASE("restart: what the directory was asked is answered behind it") {
  for (const std::string topic :
       {"demo/42/u/get_contact/1", "demo/users/42/get_messages/70", "demo/42/u/get_messages/7"}) {
    Runs run;
    run->configure("42");
    run->arrive(topic);
    ::settle(run->runtime);
    auto batch = run->runtime.save();  // and the host ends before the store is read
    REQUIRE(run->store.commit(batch));
    run.restart(seconds(5));
    const auto lines = run->take();
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("< " + topic + "/response "));
    CHECK(lines[0].find("error") == std::string::npos);
  }
}

TEST_CASE("restart: pushes wait for their whole time, as nobody knows whether MOCA has heard of the end") {
  Runs run;
  run->receive(kConfigure);
  run->receive(kConfigure, R"({"phone":"+442071838750"})");
  run->take();
  run.restart(seconds(30));
  run->pass(milliseconds(2999));
  CHECK(run->take().empty());
  run->pass(milliseconds(1));
  CHECK(run->take().size() == 3);
  run.restart(seconds(30));
  CHECK(run->take().empty());
  run->pass(milliseconds(500));
  CHECK(run->take().size() == 1);
  run.restart(seconds(30));
  run->pass(seconds(10));
  CHECK(run->take().empty());
}

TEST_CASE("restart: what a server is to show that it is ready it is shown again, and its kind is known") {
  Runs run;
  const auto push = [&](const std::string& kind) { return fmt::format("< moca/via/demo/42/{} ", kind); };
  const auto begins = [&](const std::string& kind) {
    const auto lines = run->take();
    return std::ranges::count_if(lines, [&](const auto& line) { return line.starts_with(push(kind)); });
  };
  run->receive(kConfigure);
  run->receive(kConfigure, R"({"phone":"+2"})");
  CHECK(begins("chats") == 1);
  run.restart(seconds(30));
  CHECK(begins("chats") == 1);
  run->receive("demo/users/42/get_contact/1");
  run->receive("demo/users/42/get_contact/2");
  run->pass(milliseconds(500));
  CHECK(begins("contacts") == 2);
  run->receive("demo/users/42/get_contact/1");
  run.restart(seconds(30));
  run->pass(milliseconds(499));
  CHECK(begins("messages") == 0);
  run->pass(milliseconds(1));
  CHECK(begins("messages") == 1);
  // Still of the older kind.
  for (int i = 0; i < 2; ++i) run->receive("demo/users/42/send_message", R"({"chat_id":7,"message":"hi"})");
  CHECK(begins("messages") == 0);
  run->pass(milliseconds(500));
  run->pass(milliseconds(500));
  CHECK(begins("messages") == 2);
}

TEST_CASE("restart: what waits for its turn is counted with what comes") {
  Runs run;
  const auto push = [](const botel_call& call, const botel_event& event) -> std::int32_t {
    if (event.kind != BOTEL_CONNECTOR_CONFIGURE) return BOTEL_OK;
    for (int i = 0; i < 600; ++i) does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, kChats);
    return does::step(call, event.reply, "phone", kPhoneSchema);
  };
  run->bot.handle = push;
  run->receive(kConfigure);
  run.restart(seconds(1), push);
  run->receive(kConfigure, kNumber);
  CHECK(run->count("moca_pushes_dropped_total") == 200);
}

TEST_CASE("restart: a deletion goes on, also where the service is no longer there") {
  for (const bool there : {true, false}) {
    Runs run;
    run->configure("42");
    run->arrive("demo/42/u/delete_connector");
    run->save();
    run->take();
    run.now = run->time.unix_ms + 60'000;
    run.stage.reset();
    run.stage = std::make_unique<MocaStage>(run.store.get(), run.now);
    if (!there) run->runtime.take_over(run->role, nullptr);
    run->service.resume(minutes(1), {});
    run->settle();
    CHECK(run->take() == Lines{answer("demo/42/u/delete_connector", R"({"success":true})")});
    CHECK(run->service.connectors() == 0);
    run.restart(minutes(1));
    CHECK(run->service.connectors() == 0);
  }
}

TEST_CASE("restart: who was to go when its handler returned is gone") {
  Runs run;
  run->configure("42");
  run.rewrite([](const auto&) { return R"({"configured":true,"leaving":true,"gone":true,"step":"","asked":[]})"; });
  run.restart(seconds(1));
  CHECK(run->service.connectors() == 0);
}

TEST_CASE("restart: where the clock was set back, a configuration waits no longer, and the order of all things stays") {
  Runs run;
  std::vector<std::uint64_t> tokens;
  const auto listen = [&](const botel_call& call, const botel_event& event) {
    if (event.reply != 0) tokens.push_back(event.reply);
    return event.kind == BOTEL_CONNECTOR_GET_CHATS ? BOTEL_OK : transcript_connector(call, event);
  };
  run->configure("42");
  run->bot.handle = listen;
  run->receive("demo/42/u/get_chats");
  run->receive("demo/configure/43");
  run->directory.put(9, "chat", {"1", "", 0, "one"}, run->runtime.new_id());
  run->settle();

  run.restart(-std::chrono::hours(24), listen);
  CHECK(run->service.connectors() == 2);
  run->receive("demo/42/u/get_contacts");
  CHECK(std::ranges::is_sorted(tokens));
  CHECK(tokens.size() == 3);
  run->directory.put(9, "chat", {"2", "", 0, "two"}, run->runtime.new_id());
  run->settle();
  CHECK(run->store.items({.actor = 9, .kind = "chat"}).value() == Lines{"one", "two"});
  run->pass(minutes(15) - milliseconds(2));
  CHECK(run->service.connectors() == 2);
  run->pass(milliseconds(2));
  CHECK(run->service.connectors() == 1);
}

TEST_CASE("restart: a record that is none of a connector's is not taken for one") {
  MocaStage stage;
  for (const char* origin : {"", "{}", R"({"type":"demo","id":"43"})", R"({"type":"demo"})", "[1]"}) {
    CHECK(stage.service.restore({1, "connector", "demo/42", "demo", origin}, {}) == nullptr);
  }
  const char* good = R"({"type":"demo","id":"42"})";
  CHECK(stage.service.restore({1, "connector", "demo/42", "demo", good}, {}) != nullptr);
  CHECK(stage.service.restore({2, "connector", "demo/42", "demo", good}, {}) == nullptr);
}

TEST_CASE("restart: progress that cannot be read is as good as none") {
  for (const char* progress : {"", "[]", R"({"asked":7,"until":"x","step":7})",
                               R"({"asked":[7,{},{"command":"fly"},{"command":"get_chats","token":"x"}]})"}) {
    MocaStage stage;
    botel::store::State state;
    state.progress = progress;
    CHECK(stage.service.restore({1, "connector", "demo/42", "demo", R"({"type":"demo","id":"42"})"}, state) != nullptr);
  }
}

TEST_CASE("restart: who takes over tells its connectors, which are configured, that nobody was away") {
  Runs run;
  run->configure("42");
  run->receive("demo/configure/43");
  Lines told;
  run->bot.handle = [&](const botel_call& call, const botel_event& event) {
    told.push_back(does::member(call.info, "id") + " " + std::string(FakeBot::view(event.payload)));
    CHECK(event.kind == BOTEL_CONNECTOR_RESUMED);
    return BOTEL_OK;
  };
  run->service.taken_over("telegram");
  run->service.taken_over("demo");
  run->settle();
  CHECK(told == Lines{"42 0"});
  run->runtime.take_over(run->role, nullptr);
  run->service.taken_over("demo");
  run->runtime.take_over(run->role, run->bot.logic("demo"));
  run->settle();
  CHECK(told.size() == 1);
}
