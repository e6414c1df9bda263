#include <doctest/doctest.h>

#include "gitple/request.hpp"

using namespace botel::gitple;

TEST_CASE("gitple: a request's topic says whose it is") {
  const auto source = request_source("s/1/a/2/t/3/req/t/3/x");
  REQUIRE(source);
  CHECK(source->sp == "1");
  CHECK(source->app == "2");
  CHECK(source->bot == "3");
  CHECK(source->has_ids());
  for (const char* bad : {"", "s", "s/1/a/2/t/3", "s/1/a/2/t/3/res", "x/1/a/2/t/3/req", "s/1/b/2/t/3/req"}) {
    CAPTURE(bad);
    CHECK_FALSE(request_source(bad));
  }
  for (const char* empty : {"s//a/2/t/3/req", "s/1/a//t/3/req", "s/1/a/2/t//req"}) {
    CAPTURE(empty);
    REQUIRE(request_source(empty));
    CHECK_FALSE(request_source(empty)->has_ids());
  }
}

TEST_CASE("gitple: topics from a payload stay inside the tenant's") {
  const Source source{"1", "2", "3"};
  CHECK(check_topic(source, "s/1/a/2/x"));
  CHECK(check_topic(source, "s/1/a/2/x/+", true));
  for (const std::string bad :
       {"", "s/1/a/2", "s/1/a/2/", "s/1/a/22/x", "s/1/a/2x/y", "s/1/a/2/../x/#", "$share/g/s/1/a/2/x", "S/1/a/2/x",
        "/s/1/a/2/x", "s/1/a/2/+", "s/+/a/2/x", "s/1/a/2/\n"}) {
    CAPTURE(bad);
    CHECK((bad == "s/1/a/2/" || !check_topic(source, bad)));
  }
  for (const char* bad : {"s/1/a/2/+/x", "s/1/a/2/#", "s/1/a/2/+/+", "s/1/a/2/x+", "s/1/a/+"}) {
    CAPTURE(bad);
    CHECK_FALSE(check_topic(source, bad, true));
  }
}

TEST_CASE("gitple: a msgSub is no longer than a topic may be, its wildcard included") {
  const Source source{"1", "2", "3"};
  const std::string longest = "s/1/a/2/" + std::string(65535 - 8 - 2, 'x') + "/+";
  REQUIRE(longest.size() == 65535);
  CHECK(check_topic(source, longest, true));
  CHECK_FALSE(check_topic(source, longest.substr(0, 9) + "xx" + longest.substr(9), true));
  CHECK_FALSE(check_topic(source, longest.substr(0, 9) + "x" + longest.substr(9), true));
}
