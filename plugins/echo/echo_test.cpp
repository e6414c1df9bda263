#include <botel/testing.hpp>

#include <doctest/doctest.h>

using botel::testing::Talk;
using botel::testing::the_bot;

TEST_CASE("echo: it says back what it hears") {
  Talk talk(the_bot(botel_entry_v1, "echo"));
  CHECK(talk.start() == "");
  CHECK(talk.message("hi") == "say you said: hi");
  CHECK(talk.message("헬로 123") == "say you said: 헬로 123");
  CHECK(talk.message("") == "say you said: ");
  CHECK(talk.choose("Yes", R"({"yes":1})") == R"(say you said: {"yes":1})");
  CHECK(talk.choose("Busan", R"("Busan")") == "say you said: Busan");
  CHECK(talk.rich(R"([{"t":"hi"}])") == R"(say you said: [{"t":"hi"}])");
}

TEST_CASE("echo: it goes when it is told to, or when nobody talks") {
  Talk talk(the_bot(botel_entry_v1));
  CHECK(talk.message("/quit") == "end");
  CHECK(talk.message("/transfer") == "transfer");
  CHECK(talk.timeout() == "end");
  CHECK(talk.end("left") == "");
}

TEST_CASE("echo: what it does not understand it ignores") {
  Talk talk(the_bot(botel_entry_v1));
  CHECK(talk.typing() == "");
  CHECK(talk.read(talk.time()) == "");
  CHECK(talk.event(R"({"video":1})") == "");
  CHECK(talk.result(0) == "");
  CHECK(talk.timer(1) == "");
  CHECK(talk.resumed(std::chrono::minutes(5)) == "");
}
