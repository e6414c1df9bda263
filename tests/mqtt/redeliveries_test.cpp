#include "mqtt/redeliveries.hpp"

#include <doctest/doctest.h>

using botel::mqtt::Redeliveries;

TEST_CASE("redeliveries: in one connection nothing comes again, also where packet ids are used again") {
  Redeliveries seen;
  seen.connected(false);
  CHECK_FALSE(seen.again(1, 10));
  CHECK_FALSE(seen.again(1, 10));
  CHECK_FALSE(seen.again(2, 10));
}

TEST_CASE(
    "redeliveries: after a reconnection with the session, what was taken in is recognised until the first new one") {
  Redeliveries seen;
  seen.connected(false);
  for (const std::uint16_t packet : {1, 2, 3}) CHECK_FALSE(seen.again(packet, 100u + packet * 2));
  seen.connected(true);
  CHECK(seen.again(2, 104));
  CHECK(seen.again(3, 106));
  CHECK_FALSE(seen.again(4, 108));
  // The same packet id and bytes, but behind a new one: a message that somebody sent twice.
  CHECK_FALSE(seen.again(1, 102));
}

TEST_CASE("redeliveries: another message in an old packet id is new") {
  Redeliveries seen;
  seen.connected(false);
  CHECK_FALSE(seen.again(1, 10));
  seen.connected(true);
  CHECK_FALSE(seen.again(1, 12));
}

TEST_CASE("redeliveries: it may come again and again") {
  Redeliveries seen;
  seen.connected(false);
  CHECK_FALSE(seen.again(1, 10));
  for (int i = 0; i < 3; ++i) {
    seen.connected(true);
    CHECK(seen.again(1, 10));
  }
}

TEST_CASE("redeliveries: a broker that has lost the session starts anew") {
  Redeliveries seen;
  seen.connected(true);
  CHECK_FALSE(seen.again(1, 10));
  seen.connected(false);
  CHECK_FALSE(seen.again(1, 10));
  seen.connected(true);
  CHECK(seen.again(1, 10));
}

TEST_CASE("redeliveries: another run knows what this one took in") {
  Redeliveries before;
  before.connected(false);
  CHECK_FALSE(before.again(5, 50));
  CHECK_FALSE(before.again(65535, 0));
  CHECK(before.has_changes());
  const auto [forgotten, pairs] = before.take();
  CHECK(forgotten);
  CHECK_FALSE(before.has_changes());

  Redeliveries after;
  for (const auto& pair : pairs) after.restore(pair);
  after.connected(true);
  CHECK(after.again(5, 50));
  CHECK(after.again(65535, 0));
  CHECK_FALSE(after.again(6, 50));
  CHECK_FALSE(after.take().first);
}

TEST_CASE("redeliveries: that a session was lost is to be saved, also before anything else comes") {
  Redeliveries seen;
  seen.connected(true);
  CHECK_FALSE(seen.has_changes());
  seen.connected(false);
  CHECK(seen.has_changes());
  CHECK(seen.take().first);
  CHECK_FALSE(seen.has_changes());
}
