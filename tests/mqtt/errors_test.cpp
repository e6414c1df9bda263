#include "mqtt/errors.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using botel::mqtt::describe;

TEST_CASE("mqtt errors: each has a sentence or a number, though libmosquitto does not know all of its own") {
  constexpr int kLast = 31, kKeepalive = 19, kErrno = 14;  // of mosq_err_t
  for (int error = -4; error <= kLast; ++error) {
    errno = EPIPE;
    CAPTURE(error);
    CHECK_FALSE(describe(error).empty());
    CHECK(describe(error) != "Unknown error.");
  }
  CHECK(describe(kKeepalive) == "the broker does not answer any more");
  errno = EPIPE;
  CHECK(describe(kErrno) == "Broken pipe");
}
