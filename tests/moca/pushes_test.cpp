// What connectors push before they are configured, or after they have been reset.
#include <botel/ext/timer.h>
#include <doctest/doctest.h>

#include "moca/configuration.hpp"

namespace {

void push_many(const botel_call& call, int times, std::string_view list = kChats) {
  for (int i = 0; i < times; ++i) CHECK(does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, list) == BOTEL_OK);
}

// Its state becomes one that nobody can read, and it begins anew.
void reset(MocaStage& stage) {
  const auto handle = std::exchange(stage.bot.handle, [](const botel_call& call, const botel_event&) {
    FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, "old"));
    return BOTEL_OK;
  });
  stage.receive("demo/42/u/get_chats");
  stage.bot.handle = handle;
  const auto next = stage.bot.logic("demo", 5, 4);
  stage.service.restart_unreadable(stage.role, *next);
  stage.runtime.take_over(stage.role, next);
  stage.settle();
  stage.take();
}

}  // namespace

TEST_CASE("pushes: what a connector pushes that nobody configures is dropped, also when it goes on and on") {
  Configured stage;
  stage.bot.handle = [](const botel_call& call, const botel_event& event) {
    if (event.kind == BOTEL_CONNECTOR_CONFIGURE) return does::finish(call, event.reply, kJonDoe);
    push_many(call, 10);
    auto again = FakeBot::effect(BOTEL_TIMER_SET);
    again.delay_ms = 20;
    return FakeBot::emit(call, again);
  };
  const auto before = stage.count("moca_items_pushed_total");
  reset(stage);
  for (int i = 0; i < 50; ++i) stage.pass(milliseconds(20));
  CHECK(stage.take().empty());
  CHECK(stage.count("moca_pushes_dropped_total") == 510);
  CHECK(stage.count("moca_items_pushed_total") == before);
  stage.receive(kText);
  stage.take();
  stage.pass(seconds(3));
  const Lines lines = stage.take();
  CHECK(lines.size() > 1);
  CHECK(lines.size() < 100);  // what it has pushed since
}

TEST_CASE("pushes: before the end of a configuration only so much waits for it") {
  MocaStage stage;
  std::string list(kChats);
  int times = 600;
  std::size_t held = 1000, dropped = 200;
  SUBCASE("of many") {}
  SUBCASE("of large ones") {
    list.insert(list.size() - 1, R"(,{"chat_id":8,"name":")" + std::string(1 << 20, 'x') +
                                     R"(","chat_type":"ChatType.single","participants":[1]})");
    times = 7;
    held = 16;
    dropped = 5;
  }
  int steps = 0;
  stage.bot.handle = [&](const botel_call& call, const botel_event& event) {
    if (++steps > 3) return does::finish(call, event.reply, kJonDoe);
    if (steps == 3 && times == 600) return does::step(call, event.reply, "phone", kPhoneSchema);
    push_many(call, times, list);
    return does::step(call, event.reply, "phone", kPhoneSchema);
  };
  stage.receive(kServer);
  for (int i = 0; i < 2; ++i) stage.receive(kServer, fmt::format(R"({{"phone":"{}"}})", i));
  CHECK(stage.count("moca_pushes_dropped_total") == dropped);
  stage.receive(kServer, R"({"phone":"3"})");
  stage.take();
  stage.pass(seconds(3));
  stage.pass(milliseconds(500));
  CHECK(stage.take().size() == 1 + held);
}
