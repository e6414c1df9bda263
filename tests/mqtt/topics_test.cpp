#include "mqtt/topics.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace botel::mqtt;
using namespace std::string_literals;

TEST_CASE("topics: what one may publish to") {
  for (const auto& good : {"a"s, "s/1/a/1"s, "a//b"s, "/"s, "헬로/x"s, std::string(65535, 'x')})
    CHECK(valid_topic(good));
  std::string deep;
  for (int i = 0; i < 200; ++i) deep += "/x";
  for (const auto& bad : {""s, "a/+"s, "a/#"s, "a+b"s, "a\0b"s, "a\nb"s, "a\x7f"s, "a\xff"s, "\xed\xa0\x80"s,
                          std::string(65536, 'x'), deep}) {
    CAPTURE(bad.substr(0, 20));
    CHECK_FALSE(valid_topic(bad));
  }
}

TEST_CASE("topics: what one may subscribe to") {
  for (const auto& good : {"a/+/b"s, "#"s, "a/#"s, "+"s, "a"s}) CHECK(valid_filter(good));
  for (const auto& bad : {""s, "a/#/b"s, "a+"s, "a/b#"s, "a/+b"s, "a\x01/+"s}) {
    CAPTURE(bad);
    CHECK_FALSE(valid_filter(bad));
  }
}

TEST_CASE("topics: a filter takes in what MQTT says") {
  CHECK(matches("a/+/c", "a/b/c"));
  CHECK(matches("a/#", "a/b/c"));
  CHECK(matches("a/#", "a"));
  CHECK_FALSE(matches("a/+", "a/b/c"));
  CHECK_FALSE(matches("#", "$SYS/x"));
}

TEST_CASE("topics: levels are what stands between the slashes") {
  CHECK(levels("a//b/") == std::vector<std::string_view>{"a", "", "b", ""});
  CHECK(levels("") == std::vector<std::string_view>{""});
}

TEST_CASE("topics: filters overlap where one topic fits both") {
  struct Case {
    const char *a, *b;
    bool overlap;
  };
  for (const Case& c : {Case{"a/b", "a/b", true},
                        {"a/b", "a/c", false},
                        {"a/+", "+/b", true},
                        {"a/+", "a", false},
                        {"a/#", "a", true},
                        {"a/#", "a/b/+", true},
                        {"#", "x/y", true},
                        {"a/+/c", "a/b/d", false},
                        {"s/+/a/+/t/+/req/#", "s/1/a/1/t/1/+", true},
                        {"s/+/a/+/t/+/req/#", "s/1/a/1/u/1/+", false}}) {
    CAPTURE(c.a);
    CAPTURE(c.b);
    CHECK(overlap(c.a, c.b) == c.overlap);
    CHECK(overlap(c.b, c.a) == c.overlap);
  }
}
