#include "base/log.hpp"

#include <doctest/doctest.h>

#include "base/counters.hpp"

TEST_CASE("log: what comes from outside cannot write lines or escape sequences of its own") {
  CHECK(botel::log::printable("a\nb\x1b[31m\x7f\u009b1m\u202e") == "a b\uFFFD[31m\uFFFD\uFFFD1m\uFFFD");
  CHECK(botel::log::printable("헬로") == "헬로");
  CHECK(botel::log::printable("a\xff") == "a\uFFFD");
}

TEST_CASE("log: long text is cut at a whole character") {
  CHECK(botel::log::printable(std::string(100, 'x')) == std::string(80, 'x') + "...");
  CHECK(botel::log::printable("xx헬로", 4) == "xx...");
}

TEST_CASE("counters: each goes up on its own") {
  botel::Counters counters;
  auto& a = counters.add("a_total", "first");
  auto& b = counters.add("b_total", "second");
  ++a;
  ++a;
  ++b;
  CHECK(counters.all()[0].value() == 2);
  CHECK(counters.all()[1].value() == 1);
}
