// That testing.hpp is as strict as a host: what it takes in a test, a host takes, and the other way round.
#include <botel/testing.hpp>

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <string>
#include <thread>

using namespace std::chrono_literals;
using botel::testing::Lines;
using botel::testing::Talk;

namespace {

// A plugin as one in C would be, whose handler is whatever the test gives it.
using Handler = std::function<std::int32_t(const botel_call*, const botel_event*)>;
Handler handler;
int dropped = 0;

constexpr botel_descriptor plain{
    sizeof(botel_descriptor),
    BOTEL_BOT,
    "plain",
    "1.0.0",
    2,
    1,
    nullptr,
    [](const botel_host*, botel_str, void**) -> std::int32_t { return BOTEL_OK; },
    [](void*) {},
    [](void*, const botel_call* call, const botel_event* event) -> std::int32_t { return handler(call, event); },
    [](void*, void*) { ++dropped; },
    nullptr};

botel_effect effect(std::int32_t kind, std::int32_t format = 0, std::string_view payload = {}) {
  botel_effect effect{};
  effect.size = sizeof effect;
  effect.kind = kind;
  effect.format = format;
  effect.payload = {payload.data(), payload.size()};
  return effect;
}

// What the host says to one effect. The handler goes on whatever it says.
std::int32_t emitted(const botel_effect& effect) {
  std::int32_t result = 0;
  handler = [&](const botel_call* call, const botel_event*) {
    result = call->host->emit(call, &effect);
    return BOTEL_OK;
  };
  Talk talk(plain);
  const Lines lines = talk.start();
  CHECK(lines.size() == (result == BOTEL_OK && effect.kind != BOTEL_EFFECT_STATE ? 1 : 0));
  return result;
}

}  // namespace

TEST_CASE("testing: a say is text in UTF-8, or a JSON object or list") {
  CHECK(emitted(effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_TEXT, "헬로")) == BOTEL_OK);
  CHECK(emitted(effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_TEXT, "\xff")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_BYTES, "hi")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_ROOM_SAY, 99, "hi")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_JSON, R"({"t":"hi"})")) == BOTEL_OK);
  CHECK(emitted(effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_JSON, " []")) == BOTEL_OK);
  for (const std::string_view bad : {"", "{", "5", "\"hi\"", "{}x", "{\"t\":\"\xff\"}"}) {
    CHECK(emitted(effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_JSON, bad)) == BOTEL_E_INVALID);
  }
}

TEST_CASE("testing: a state is any bytes") {
  CHECK(emitted(effect(BOTEL_EFFECT_STATE, BOTEL_FORMAT_BYTES, "\xff")) == BOTEL_OK);
  CHECK(emitted(effect(BOTEL_EFFECT_STATE, BOTEL_FORMAT_TEXT, "\xff")) == BOTEL_E_INVALID);
}

TEST_CASE("testing: a malformed effect is refused") {
  auto negative = effect(BOTEL_TIMER_SET);
  negative.delay_ms = -1;
  CHECK(emitted(negative) == BOTEL_E_INVALID);
  auto endless = effect(BOTEL_TIMER_SET);
  endless.delay_ms = INT64_MAX;
  CHECK(emitted(endless) == BOTEL_E_INVALID);
  auto nowhere = effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_TEXT);
  nowhere.payload.len = 5;
  CHECK(emitted(nowhere) == BOTEL_E_INVALID);
  auto small = effect(BOTEL_ROOM_DO_END);
  small.size = offsetof(botel_effect, blob);
  CHECK(emitted(small) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_ROOM_DO_TRANSFER, BOTEL_FORMAT_TEXT, "\xff")) == BOTEL_E_INVALID);
  CHECK(emitted(effect(BOTEL_ROOM_DO_TRANSFER, BOTEL_FORMAT_BYTES, "7")) == BOTEL_E_INVALID);
}

TEST_CASE("testing: more than a thousand effects, or 16 MiB, are too much for one event") {
  const std::string large(1 << 20, 'x');
  std::string_view payload;
  int accepted = 0;
  handler = [&](const botel_call* call, const botel_event*) {
    const auto say = effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_TEXT, payload);
    std::int32_t result = BOTEL_OK;
    for (accepted = 0; (result = call->host->emit(call, &say)) == BOTEL_OK; ++accepted) {
    }
    return result;
  };
  Talk talk(plain);
  CHECK(talk.start() == "failed: error -4");
  CHECK(accepted == 1000);
  payload = large;
  CHECK(talk.start() == "failed: error -4");
  CHECK(accepted == 16);
}

TEST_CASE("testing: a kind that is unknown, or not for a room, is refused") {
  CHECK(emitted(effect(0x1ff)) == BOTEL_E_UNSUPPORTED);
  CHECK(emitted(effect(BOTEL_EFFECT_REPLY, BOTEL_FORMAT_JSON, "{}")) == BOTEL_E_UNSUPPORTED);
}

TEST_CASE("testing: an effect outside of its own call is refused") {
  const auto say = effect(BOTEL_ROOM_SAY, BOTEL_FORMAT_TEXT, "hi");
  const botel_call* kept = nullptr;
  std::int32_t other_thread = 0;
  handler = [&](const botel_call* call, const botel_event*) {
    kept = call;
    std::thread([&] { other_thread = call->host->emit(call, &say); }).join();
    return BOTEL_OK;
  };
  Talk talk(plain);
  CHECK(talk.start() == "");
  CHECK(other_thread == BOTEL_E_THREAD);
  CHECK(kept->host->emit(kept, &say) == BOTEL_E_THREAD);
  CHECK(kept->host->attach(kept, &talk) == BOTEL_E_THREAD);

  std::int32_t last_call = 0;
  handler = [&](const botel_call* call, const botel_event*) {
    last_call = call->host->emit(kept, &say);
    CHECK(call->host->emit(nullptr, &say) == BOTEL_E_THREAD);
    return BOTEL_OK;
  };
  CHECK(talk.message("hi") == "");
  CHECK(last_call == BOTEL_E_THREAD);
}

TEST_CASE("testing: what a handler returns decides, not what it emitted") {
  std::int32_t result = BOTEL_OK;
  handler = [&](const botel_call* call, const botel_event*) {
    const auto end = effect(BOTEL_ROOM_DO_END);
    call->host->emit(call, &end);
    return result;
  };
  Talk talk(plain);
  CHECK(talk.start() == "end");
  result = BOTEL_E_FAILED;
  CHECK(talk.start() == "failed: error -1");
  result = 7;
  CHECK(talk.start() == "failed: error 7");
  result = BOTEL_RETRY_AFTER(0);
  CHECK(talk.start() == "failed: error 1073741824");
  result = BOTEL_RETRY_AFTER(20);
  CHECK(talk.start() == "retry after 20 ms");
}

TEST_CASE("testing: an attached object is dropped once") {
  int first = 0, second = 0;
  void* object = &first;
  handler = [&](const botel_call* call, const botel_event*) { return call->host->attach(call, object); };
  dropped = 0;
  {
    Talk talk(plain);
    talk.start();
    talk.start();
    CHECK(dropped == 0);
    object = &second;
    talk.start();
    CHECK(dropped == 1);
    talk.end();
    CHECK(dropped == 2);
  }
  CHECK(dropped == 2);
}

TEST_CASE("testing: timers fire in order, once, and may set others") {
  Lines heard;
  handler = [&](const botel_call* call, const botel_event* event) {
    const auto set = [&](std::uint64_t tag, std::int64_t delay) {
      auto timer = effect(BOTEL_TIMER_SET);
      timer.tag = tag;
      timer.delay_ms = delay;
      CHECK(call->host->emit(call, &timer) == BOTEL_OK);
    };
    if (event->kind == BOTEL_ROOM_START) set(1, 300), set(2, 100), set(3, 1000), set(2, 200);
    if (event->kind != BOTEL_TIMER_DUE) return BOTEL_OK;
    heard.push_back(std::to_string(event->tag) + " at " + std::to_string(event->time_ms % 100'000));
    if (event->tag == 2) set(4, 100);
    if (event->tag == 3) set(3, 0);
    return BOTEL_OK;
  };
  Talk talk(plain);
  talk.start();
  talk.advance(999ms);
  CHECK(heard == Lines{"2 at 200", "1 at 300", "4 at 300"});
  CHECK_THROWS_AS(talk.advance(1ms), botel::Error);
}

TEST_CASE("testing: a room that has ended takes nothing more, until a new one starts") {
  handler = [&](const botel_call* call, const botel_event* event) {
    auto state = effect(BOTEL_EFFECT_STATE, BOTEL_FORMAT_BYTES, "s");
    CHECK(event->sequence == (event->kind == BOTEL_ROOM_START ? 1 : 2));
    CHECK(call->state.len == (event->kind == BOTEL_ROOM_START ? 0 : 1));
    return call->host->emit(call, &state);
  };
  Talk talk(plain);
  talk.start();
  talk.end();
  CHECK_THROWS_AS(talk.message("hi"), botel::Error);
  CHECK(talk.start() == "");
}

TEST_CASE("testing: a version that cannot read the state is not taken") {
  handler = [](const botel_call* call, const botel_event*) {
    auto state = effect(BOTEL_EFFECT_STATE, BOTEL_FORMAT_BYTES, "s");
    return call->host->emit(call, &state);
  };
  Talk talk(plain);
  talk.start();
  auto other = plain;
  other.schema_written = other.schema_oldest = 3;
  CHECK_THROWS_AS(talk.reload(other), botel::Error);
  other.schema_oldest = 2;
  talk.reload(other);
  talk.message("hi");
  CHECK(talk.state_schema() == 3);
}

TEST_CASE("testing: the host has the extensions of a room, and no others") {
  handler = [](const botel_call* call, const botel_event*) {
    const auto* room = static_cast<const botel_room_v1*>(call->host->extension(call->host, BOTEL_ROOM));
    CHECK(room->revision == 1);
    CHECK(call->host->extension(call->host, BOTEL_TIMER) != nullptr);
    CHECK(call->host->extension(call->host, "botel.room/2") == nullptr);
    return BOTEL_OK;
  };
  Talk talk(plain);
  talk.start();
}

TEST_CASE("testing: the_bot finds a bot by its id") {
  static const botel_descriptor* const bots[] = {&plain};
  const botel_entry entry{sizeof(botel_entry), BOTEL_ABI_MAJOR, BOTEL_ABI_MINOR, 1, bots};
  CHECK(&botel::testing::the_bot(entry) == &plain);
  CHECK(&botel::testing::the_bot(entry, "plain") == &plain);
  CHECK_THROWS_AS(botel::testing::the_bot(entry, "other"), botel::Error);
}
