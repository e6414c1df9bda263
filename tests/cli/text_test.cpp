#include <doctest/doctest.h>

#include "cli/input.hpp"
#include "cli/text.hpp"

#include <unistd.h>

#include <string>

using namespace botel;
using namespace std::string_literals;

TEST_CASE("text: a number is one from 1 to the most") {
  CHECK(cli::number_up_to(3, " 3 ") == 3);
  for (const char* none : {"", "0", "4", "-1", "+1", "1.", "1 2", "x", "99999999999999999999999"}) {
    CAPTURE(none);
    CHECK(cli::number_up_to(3, none) == 0);
  }
}

TEST_CASE("input: lines are taken one by one, the last one without its end") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  cli::Input input(ends[0]);
  const auto type = [&](const std::string& text) {
    REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    input.read_some();
  };
  type("a");
  CHECK_FALSE(input.take_line());
  type("b\r\n\nc");
  CHECK_FALSE(input.wants_more());
  CHECK(input.take_line() == "ab");
  CHECK(input.take_line() == "");
  CHECK_FALSE(input.take_line());
  CHECK(input.wants_more());
  close(ends[1]);
  input.read_some();
  CHECK_FALSE(input.at_end());
  CHECK(input.take_line() == "c");
  CHECK(input.at_end());
  close(ends[0]);
}
