// What bot.hpp promises to the author of a bot.
#include <botel/message.hpp>
#include <botel/testing.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using namespace std::chrono_literals;
using botel::Room;
using botel::testing::Lines;
using botel::testing::Talk;

namespace {

// Tells what it was called with.
struct Parrot : botel::Bot {
  void on_start(Room& room) override { room.say("start " + std::string(room.info())); }
  void on_message(Room& room, const botel::Message& m) override {
    room.say(m.text + "|" + std::string(m.command) + "|" + std::string(m.rich) + "|" + std::string(m.whole));
  }
  void on_typing(Room& room, bool typing) override { room.say(typing ? "you type" : "you stopped"); }
  void on_read(Room& room, botel::Time until) override {
    room.say("read until " + std::to_string(until.time_since_epoch().count()));
  }
  void on_event(Room& room, std::string_view event) override { room.say("event " + std::string(event)); }
  void on_timer(Room& room, std::uint64_t tag) override { room.say("timer " + std::to_string(tag)); }
  void on_result(Room& room, const botel::Result& r) override {
    room.say((r.ok() ? "ok " : "error ") + std::to_string(r.tag) + " " + std::to_string(r.status) + " " +
             std::string(r.json));
  }
  void on_timeout(Room& room) override { room.say("still there?"); }
  void on_end(Room& room, std::string_view why) override { room.say("end: " + std::string(why)); }
  void on_resumed(Room& room, botel::milliseconds away) override {
    room.say("away for " + std::to_string(away.count()));
  }
};

// Does what its message says.
struct Servant : botel::Bot {
  void on_message(Room& room, const botel::Message& m) override {
    if (m.text == "options") room.say("hi", R"({"o":1})");
    if (m.text == "rich") room.say(botel::Rich("hi").add(botel::button("b")));
    if (m.text == "pause") {
      room.typing();
      room.wait(1s);
      room.wait(500ms);
      room.set_timer(3, 1min);
      room.say("one");
      room.say("two");
      room.typing(false);
    }
    if (m.text == "go") {
      room.transfer();
      room.transfer_to_bot("7", 5);
      room.cancel_timer(3);
      room.wait(2s);
      room.end(6);
    }
    if (m.text == "time") room.say(std::to_string(room.time().time_since_epoch().count()));
    if (m.text == "random") room.say(std::to_string(room.random()()));
    if (m.text == "count") {
      room.save(std::string(room.state()) + "x");
      room.say(std::string(room.state()) + " " + std::to_string(room.state_schema()));
    }
    if (m.text == "log") room.log("a line");
    if (m.text == "not utf-8") room.say("\xff");
    if (m.text == "negative") {
      room.set_timer(1, -1ms);
      room.wait(2s);
      room.wait(-5s);
      room.say("later");
    }
    if (m.text == "too long") room.set_timer(1, std::chrono::years(1000));
    if (m.text == "bad options") room.say("hi", "{");
  }
};

struct Failing : botel::Bot {
  void on_message(Room& room, const botel::Message& m) override {
    room.say("never seen");
    room.set_timer(1, 1s);
    room.save("never kept");
    if (m.text == "error") throw botel::Error("no bread left");
    if (m.text == "exception") throw std::runtime_error("surprise");
    if (m.text == "anything") throw 5;
    if (m.text == "retry") throw botel::RetryAfter{500ms};
    if (m.text == "retry once" && room.event().attempt == 1) throw botel::RetryAfter{500ms};
    if (m.text == "retry now") throw botel::RetryAfter{-1ms};
    if (m.text == "retry never") throw botel::RetryAfter{std::chrono::years(1000)};
  }
  void on_start(Room&) override { throw botel::Error("closed"); }
};

struct Counted {
  explicit Counted(std::string_view state) : length(state.size()) { ++made, ++alive; }
  Counted(Counted&& from) noexcept : length(from.length) { ++alive; }
  ~Counted() { --alive; }
  std::size_t length;
  static inline int made = 0, alive = 0;
};

// Keeps the length of its state in a cached object.
struct Caching : botel::Bot {
  void on_message(Room& room, const botel::Message& m) override {
    auto& counted = room.cached<Counted>([&] { return Counted(room.state()); });
    CHECK(&counted == &room.cached<Counted>([&]() -> Counted { throw std::logic_error("made twice"); }));
    counted.length += m.text.size();
    room.save(std::string(room.state()) + m.text);
    room.say(std::to_string(counted.length));
    if (m.text == "fail") throw botel::Error("failed");
  }
};

struct Configured : botel::Bot {
  explicit Configured(std::string_view config) : greeting(botel::json::text(botel::json::parse(config), "greeting")) {
    if (greeting.empty()) throw botel::Error("no greeting");
  }
  void on_start(Room& room) override { room.say(greeting); }
  const std::string greeting;
};

struct Quiet : botel::Bot {};

}  // namespace

TEST_CASE("bot: each event reaches its function with all that it holds") {
  Talk talk(botel::bot<Parrot>("parrot", "1.0.0"));
  talk.set_info(R"({"context":{"room":7},"user":null})");
  CHECK(talk.start() == R"(say start {"context":{"room":7},"user":null})");
  CHECK(talk.message("헬로 123") == R"(say 헬로 123|||{"t":1534395300000,"m":"헬로 123"})");
  CHECK(talk.choose("Yes", R"({"y":1})") == R"(say Yes|{"y":1}||{"t":1534395300000,"m":"Yes","c":{"y":1}})");
  CHECK(talk.rich(R"([{"t":"a"}])") == R"(say ||[{"t":"a"}]|{"t":1534395300000,"m":[{"t":"a"}]})");
  CHECK(talk.typing(true) == "say you type");
  CHECK(talk.typing(false) == "say you stopped");
  CHECK(talk.read(1534395332549ms) == "say read until 1534395332549");
  CHECK(talk.event(R"({"video":1})") == R"(say event {"video":1})");
  CHECK(talk.timer(UINT64_MAX) == "say timer 18446744073709551615");
  CHECK(talk.result(4) == R"(say ok 4 0 "OK")");
  CHECK(talk.result(4, -32600, R"({"code":-32600})") == R"(say error 4 -32600 {"code":-32600})");
  CHECK(talk.timeout() == "say still there?");
  CHECK(talk.resumed(5min) == "say away for 300000");
  CHECK(talk.end("replaced") == "say end: replaced");
}

TEST_CASE("bot: a choice by its echo is text, whatever the client makes of the item's `c`") {
  Talk talk(botel::bot<Parrot>("parrot", "1.0.0"));
  for (const char* c : {"null", R"("Seoul")", R"({"e":"Seoul"})", R"({"l":{"a":"http://a"},"e":null,"r":"r"})"}) {
    CAPTURE(c);
    CHECK(talk.choose("Seoul", c) == R"(say Seoul|||{"t":1534395300000,"m":"Seoul","c":)" + std::string(c) + "}");
  }
  for (const char* c : {R"("Busan")", "{}", R"({"e":1})", R"({"e":"Seoul","n":1})", R"({"l":[1]})", "[]", "false"}) {
    CAPTURE(c);
    CHECK(talk.choose("Seoul", c).front().starts_with("say Seoul|" + std::string(c) + "|"));
  }
}

TEST_CASE("bot: what is shown of a choice may be a number") {
  const auto shown = [](const char* whole) { return botel::detail::shown(whole); };
  CHECK(shown(R"({"m":7,"c":1})") == "7");
  CHECK(shown(R"({"m":true,"c":1})") == "true");
  CHECK(shown(R"({"m":"x","c":1})") == "x");
  for (const char* none : {R"({"c":1})", R"({"m":null,"c":1})", R"({"m":{},"c":1})", R"({"m":[],"c":1})", "", "[]"}) {
    CHECK(shown(none).empty());
  }
}

TEST_CASE("bot: what it does not answer does nothing, but a timeout ends the room") {
  Talk talk(botel::bot<Quiet>("quiet", "1.0.0"));
  CHECK(talk.start() == "");
  CHECK(talk.message("hi") == "");
  CHECK(talk.event("7") == "");
  CHECK(talk.timer(1) == "");
  CHECK(talk.result(0) == "");
  CHECK(talk.timeout() == "end");
  CHECK(talk.end() == "");
}

TEST_CASE("bot: effects come in order, and a wait delays the next thing that the user sees") {
  Talk talk(botel::bot<Servant>("servant", "1.0.0"));
  CHECK(talk.message("options") == R"(say hi with options {"o":1})");
  CHECK(talk.message("rich") == R"(say {"t":"hi","a":[{"p":"button","t":"b"}]})");
  CHECK(talk.message("pause") ==
        Lines{"typing", "timer 3 in 60000 ms", "after 1500 ms: say one", "say two", "typing stops"});
  CHECK(talk.message("go") == Lines{"transfer", "transfer to bot 7", "cancel timer 3", "after 2000 ms: end"});
  REQUIRE(talk.effects().size() == 4);
  CHECK(talk.effects()[1].tag == 5);
  CHECK(talk.effects()[3].tag == 6);
  CHECK(talk.effects()[3].delay == 2s);
}

TEST_CASE("bot: a negative time is none") {
  Talk talk(botel::bot<Servant>("servant", "1.0.0"));
  CHECK(talk.message("negative") == Lines{"timer 1 in 0 ms", "after 2000 ms: say later"});
}

TEST_CASE("bot: time and randomness are the event's own") {
  Talk talk(botel::bot<Servant>("servant", "1.0.0"));
  CHECK(talk.message("time") == "say 1534395300000");
  talk.advance(1s);
  CHECK(talk.message("time") == "say 1534395301000");
  talk.set_seed(42);
  const Lines first = talk.message("random");
  CHECK(talk.message("random") != first);
  talk.set_seed(42);
  CHECK(talk.message("random") == first);
}

TEST_CASE("bot: the state is kept, and a handler reads the one from before it") {
  Talk talk(botel::bot<Servant>("servant", "1.0.0", {.schema_written = 3, .schema_oldest = 2}));
  CHECK(talk.message("count") == "say  0");
  CHECK(talk.message("count") == "say x 3");
  CHECK(talk.state() == "xx");
  CHECK(talk.state_schema() == 3);
  talk.set_state("old", 2);
  CHECK(talk.message("count") == "say old 2");
  CHECK(talk.state_schema() == 3);
}

TEST_CASE("bot: logs go to the host") {
  Talk talk(botel::bot<Servant>("servant", "1.0.0"));
  CHECK(talk.message("log") == "");
  CHECK(talk.log() == std::vector<std::string>{"a line"});
}

TEST_CASE("bot: an effect that the host refuses fails the event") {
  Talk talk(botel::bot<Servant>("servant", "1.0.0"));
  const std::string malformed = "failed: the host refused an effect: it is malformed";
  CHECK(talk.message("not utf-8") == malformed);
  CHECK(talk.message("too long") == malformed);
  CHECK(talk.message("bad options") == malformed);
}

TEST_CASE("bot: of a handler that throws nothing remains but the reason") {
  Talk talk(botel::bot<Failing>("failing", "1.0.0"));
  talk.set_state("before");
  CHECK(talk.start() == "failed: closed");
  CHECK(talk.message("error") == "failed: no bread left");
  CHECK(talk.message("exception") == "failed: surprise");
  CHECK(talk.message("anything") == "failed: an exception that is no std::exception");
  CHECK(talk.state() == "before");
  CHECK(talk.effects().empty());
  CHECK(talk.advance(1h) == "");
}

TEST_CASE("bot: RetryAfter undoes the handler, and the event comes again before all later ones") {
  Talk talk(botel::bot<Failing>("failing", "1.0.0"));
  CHECK(talk.message("retry once") == "retry after 500 ms");
  CHECK(talk.state().empty());
  CHECK(talk.message("error") == "waits for the retry");
  CHECK(talk.advance(499ms) == "");
  CHECK(talk.advance(1ms) == Lines{"say never seen", "timer 1 in 1000 ms", "failed: no bread left"});
  CHECK(talk.state() == "never kept");
}

TEST_CASE("bot: the twentieth attempt is the last") {
  Talk talk(botel::bot<Failing>("failing", "1.0.0"));
  talk.message("retry");
  const Lines lines = talk.advance(1h);
  CHECK(lines.size() == 19);
  CHECK(lines.back() == "failed: too many attempts");
}

TEST_CASE("bot: a RetryAfter out of range is the shortest or the longest there is") {
  Talk talk(botel::bot<Failing>("failing", "1.0.0"));
  CHECK(talk.message("retry now") == "retry after 1 ms");
  Talk other(botel::bot<Failing>("failing", "1.0.0"));
  CHECK(other.message("retry never") == "retry after 1073741823 ms");
}

TEST_CASE("bot: a cached object is made once, and anew after the host has dropped it") {
  Counted::made = 0;
  {
    Talk talk(botel::bot<Caching>("caching", "1.0.0"));
    CHECK(talk.message("ab") == "say 2");
    CHECK(talk.message("c") == "say 3");
    CHECK(Counted::made == 1);
    talk.forget_cache();
    CHECK(talk.message("d") == "say 4");
    CHECK(Counted::made == 2);
    // It is ahead of the state, which did not change.
    CHECK(talk.message("fail") == "failed: failed");
    CHECK(talk.message("e") == "say 5");
    CHECK(Counted::made == 3);
    talk.reload(botel::bot<Caching>("caching", "1.1.0"));
    CHECK(talk.message("f") == "say 6");
    CHECK(Counted::made == 4);
    CHECK(Counted::alive == 1);
  }
  CHECK(Counted::alive == 0);
}

TEST_CASE("bot: the configuration comes with the constructor, which may refuse it") {
  const auto configured = botel::bot<Configured>("configured", "1.0.0");
  CHECK(Talk(configured, R"({"greeting":"안녕"})").start() == "say 안녕");
  CHECK_THROWS_WITH_AS(Talk(configured, "{}"), "the bot was not created: no greeting", botel::Error);
  CHECK_THROWS_AS(Talk(configured, "[]"), botel::Error);
}
