#include "gitple/repeats.hpp"

#include <doctest/doctest.h>

#include "gitple/stage.hpp"

using botel::gitple::Repeats;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t kNow = 1'700'000'000'000;
const std::string kRequests = "s/1/a/1/t/1/req/x";
const std::string kStart =
    R"({"jsonrpc":"2.0","method":"start","params":{"_context":{"room":7,"session":1},"msgSub":"s/1/a/1/in/+",)"
    R"("msgPub":"s/1/a/1/out","cmdPub":"s/1/a/1/u/7/r/7/req/t/1"}})";

// How many events come of a message, one after the other.
struct Room : GitpleStage {
  explicit Room(botel::gitple::ServiceConfig config = {.drop_repeats = 10s}) : GitpleStage("fake", config) {
    bot.handle = [this](const botel_call&, const botel_event&) { return ++events, BOTEL_OK; };
    receive(kRequests, kStart);
    events = 0;
  }
  int tell(const std::string& payload, const std::string& topic = "s/1/a/1/in/7") {
    receive(topic, payload);
    return std::exchange(events, 0);
  }
  int events = 0;
};

}  // namespace

TEST_CASE("repeats: what was taken is known for the time, from the first one on") {
  Repeats repeats;
  CHECK_FALSE(repeats.has_or_add(1, kNow, 10s));
  CHECK(repeats.has_or_add(1, kNow + 6'000, 10s));
  CHECK(repeats.has_or_add(1, kNow + 9'999, 10s));
  CHECK_FALSE(repeats.has_or_add(1, kNow + 10'000, 10s));
  CHECK_FALSE(repeats.has_or_add(2, kNow + 10'000, 10s));
}

TEST_CASE("repeats: they are few, and what is kept of them is short") {
  Repeats repeats;
  for (std::uint64_t i = 0; i <= Repeats::kMost; ++i) CHECK_FALSE(repeats.has_or_add(~i, kNow, 10s));
  CHECK(repeats.has_or_add(~std::uint64_t{1}, kNow, 10s));
  CHECK(repeats.json().size() < 5000);
  CHECK_FALSE(repeats.has_or_add(~std::uint64_t{0}, kNow, 10s));
}

TEST_CASE("repeats: they outlive a run, and damage does no harm") {
  Repeats repeats;
  for (const std::uint64_t content : {std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX, std::uint64_t{1} << 63}) {
    CHECK_FALSE(repeats.has_or_add(content, kNow, 10s));
  }
  Repeats next = Repeats::read(repeats.json());
  CHECK(next.json() == repeats.json());
  CHECK(next.has_or_add(UINT64_MAX, kNow, 10s));
  for (const char* damaged : {"", "x", "{}", "7", "[7,[],[1],[1,2,3],[\"a\",1],[1,null]]"}) {
    CAPTURE(damaged);
    CHECK(Repeats::read(damaged).empty());
  }
  std::string many = "[[1,2]";
  for (int i = 0; i < 1000; ++i) many += ",[1,2]";
  CHECK(Repeats::read(many + "]").json().size() < 1000);
}

TEST_CASE("repeats: a message with the same t, m and topic is taken once, and the others counted") {
  Room room;
  CHECK(room.tell(R"({"t":1,"m":"yes"})") == 1);
  CHECK(room.tell(R"({"t":1,"m":"yes"})") == 0);
  CHECK(room.tell(R"({"m":"yes","t":1,"_sid":1})") == 0);
  CHECK(room.count("gitple_messages_repeated_total") == 2);
  CHECK(room.tell(R"({"t":2,"m":"yes"})") == 1);
  CHECK(room.tell(R"({"t":1,"m":"no"})") == 1);
  CHECK(room.tell(R"({"t":1,"m":"yes"})", "s/1/a/1/in/8") == 1);
  CHECK(room.tell(R"({"t":1,"c":"yes"})") == 1);
  CHECK(room.tell(R"({"t":1,"e":{"read":1}})") == 1);
  CHECK(room.tell(R"({"t":1,"e":{"read":1}})") == 0);
  room.pass(10s);
  CHECK(room.tell(R"({"t":1,"m":"yes"})") == 1);
}

TEST_CASE("repeats: without a t nobody can tell, and what was not taken is not remembered") {
  Room room;
  for (int i = 0; i < 2; ++i) CHECK(room.tell(R"({"m":"yes"})") == 1);
  for (int i = 0; i < 2; ++i) CHECK(room.tell(R"({"t":null,"m":"yes"})") == 1);
  CHECK(room.tell(R"({"t":1,"m":"yes","_sid":2})") == 0);
  CHECK(room.tell(R"({"t":1,"m":"yes","_sid":1})") == 1);
  CHECK(room.count("gitple_messages_repeated_total") == 0);
}

TEST_CASE("repeats: they are taken, too, unless the operator wants them dropped") {
  Room room{botel::gitple::ServiceConfig{}};
  for (int i = 0; i < 2; ++i) CHECK(room.tell(R"({"t":1,"m":"yes"})") == 1);
}
