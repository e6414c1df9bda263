#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <thread>

using botel::Digest;
using botel::digest;

TEST_CASE("digest: it is the same in every run and on every thread") {
  const std::string expected = digest({"topic", "payload"}).hex();
  CHECK(expected.size() == 32);
  CHECK(digest({"topic", "payload"}).hex() == expected);
  std::string other;
  std::thread([&] { other = digest({"topic", "payload"}).hex(); }).join();
  CHECK(other == expected);
}

TEST_CASE("digest: each byte counts, and where one text ends") {
  const Digest one = digest({"topic", "payload"});
  for (const auto& other : {digest({"topicp", "ayload"}), digest({"topicpayload"}), digest({"topic", "payloae"}),
                            digest({"topic", "payload", ""}), digest({"payload", "topic"}), digest({})}) {
    CHECK(other != one);
  }
}

TEST_CASE("digest: as text and back") {
  const Digest one = digest({"x"});
  CHECK(Digest::from_hex(one.hex()) == one);
  CHECK(Digest::from_hex(Digest{0, 1}.hex()) == Digest{0, 1});
  for (const char* const bad : {"", "7", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcde "}) {
    CHECK(Digest::from_hex(bad) == Digest());
  }
}
