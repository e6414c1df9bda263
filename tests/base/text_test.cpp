#include "base/text.hpp"

#include <doctest/doctest.h>

TEST_CASE("text: what is no control character stays") {
  CHECK(botel::clean("샌드위치 é \u2028x 👩‍🍳 \u00a0") == "샌드위치 é \uFFFDx 👩‍🍳 \u00a0");
}

TEST_CASE("text: what is no UTF-8 is repaired") { CHECK(botel::clean("a\xff\x1b") == "a\uFFFD\uFFFD"); }
