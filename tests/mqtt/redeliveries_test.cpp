#include "mqtt/redeliveries.hpp"

#include <doctest/doctest.h>

#include <utility>
#include <vector>

using botel::mqtt::Redeliveries;
namespace store = botel::store;

namespace {

// The messages from `first` to `last` of a broker that counts packet ids up, as mosquitto does, and begins anew after
// 65,535. Returns how many were known.
int receive(Redeliveries& log, std::uint64_t first, std::uint64_t last, std::uint64_t hash = 7) {
  int known = 0;
  for (std::uint64_t i = first; i <= last; ++i) {
    known += log.again(static_cast<std::uint16_t>((i - 1) % 65'535 + 1), hash) ? 1 : 0;
  }
  return known;
}

// What the store holds, after a batch.
struct Kept {
  std::vector<store::Received> rows;

  void commit(Redeliveries& log) {
    store::Batch batch;
    log.save(batch);
    std::erase_if(rows, [&](const store::Received& row) { return row.number < batch.received_before; });
    rows.insert(rows.end(), batch.received.begin(), batch.received.end());
  }
  [[nodiscard]] Redeliveries next_run() const {
    Redeliveries log;
    for (const auto& row : rows) log.restore(row);
    return log;
  }
};

void confirm(Redeliveries& log) {
  log.asked(1);
  log.answered(1);
}

}  // namespace

TEST_CASE("redeliveries: in one connection nothing comes again, also where packet ids are used again") {
  Redeliveries log;
  log.connected(false);
  CHECK_FALSE(log.again(1, 10));
  CHECK_FALSE(log.again(1, 10));
  CHECK_FALSE(log.again(2, 10));
}

TEST_CASE("redeliveries: after a reconnection with the session, what was taken in is known until the first new one") {
  Redeliveries log;
  log.connected(false);
  for (const std::uint16_t packet : {1, 2, 3}) CHECK_FALSE(log.again(packet, 100u + packet));
  CHECK_FALSE(log.may_come_again());
  log.connected(true);
  CHECK(log.again(2, 102));
  CHECK(log.again(3, 103));
  CHECK(log.may_come_again());
  CHECK_FALSE(log.again(4, 104));
  CHECK_FALSE(log.may_come_again());
  // The same packet id and bytes, but after a new one: a message that somebody sent twice.
  CHECK_FALSE(log.again(1, 101));
  CHECK_FALSE(log.again(3, 103));
}

TEST_CASE("redeliveries: another message in an old packet id is new") {
  Redeliveries log;
  log.connected(false);
  CHECK_FALSE(log.again(1, 10));
  log.connected(true);
  CHECK_FALSE(log.again(1, 12));
}

TEST_CASE("redeliveries: it may come again and again") {
  Redeliveries log;
  log.connected(false);
  CHECK_FALSE(log.again(1, 10));
  for (int i = 0; i < 3; ++i) {
    log.connected(true);
    CHECK(log.again(1, 10));
  }
}

TEST_CASE("redeliveries: what expired at the broker is left out, and the rest is known") {
  Redeliveries log;
  log.connected(false);
  receive(log, 1, 5);
  log.connected(true);
  CHECK(receive(log, 2, 2) == 1);
  CHECK(receive(log, 4, 5) == 2);
  CHECK(receive(log, 6, 6) == 0);
}

TEST_CASE("redeliveries: a broker that has lost the session starts anew") {
  Redeliveries log;
  log.connected(true);
  CHECK_FALSE(log.again(1, 10));
  log.connected(false);
  CHECK_FALSE(log.again(1, 10));
  log.connected(true);
  CHECK(log.again(1, 10));
}

TEST_CASE("redeliveries: what the broker has confirmed is no redelivery") {
  Redeliveries log;
  log.connected(false);
  receive(log, 1, 3);
  CHECK(log.to_confirm() == 3);
  log.asked(9);
  CHECK(log.is_asked());
  receive(log, 4, 4);
  log.answered(8);  // something else
  CHECK(log.to_confirm() == 4);
  log.answered(9);
  CHECK_FALSE(log.is_asked());
  CHECK(log.to_confirm() == 1);
  log.connected(true);
  CHECK(receive(log, 3, 3) == 0);
}

TEST_CASE("redeliveries: an answer of the connection before says nothing") {
  Redeliveries log;
  log.connected(false);
  receive(log, 1, 3);
  log.asked(9);
  log.connected(true);
  CHECK_FALSE(log.is_asked());
  log.answered(9);
  CHECK(receive(log, 1, 3) == 3);
}

TEST_CASE("redeliveries: while messages come again, only what has come again is acknowledged") {
  Redeliveries log;
  log.connected(false);
  receive(log, 1, 10);
  log.connected(true);
  CHECK(log.to_confirm() == 0);
  CHECK(receive(log, 3, 5) == 3);
  CHECK(log.to_confirm() == 3);
  confirm(log);
  CHECK(log.to_confirm() == 0);
  CHECK(receive(log, 6, 10) == 5);
  CHECK(receive(log, 11, 12) == 0);
  log.connected(true);
  CHECK(receive(log, 6, 12) == 7);
}

TEST_CASE("redeliveries: equal messages that were confirmed swallow no new ones") {
  Redeliveries log;
  log.connected(false);
  receive(log, 1, 40'000);
  confirm(log);
  receive(log, 40'001, 66'500);
  confirm(log);
  log.connected(true);
  CHECK(receive(log, 66'501, 66'507) == 0);
}

TEST_CASE("redeliveries: packet ids that have come round are told apart, wherever the broker begins") {
  for (const std::uint64_t begin : {60'001u, 65'536u, 70'000u, 99'999u, 100'000u}) {
    CAPTURE(begin);
    Redeliveries log;
    log.connected(false);
    receive(log, 1, 60'000);
    confirm(log);
    receive(log, 60'001, 100'000);
    log.connected(true);
    CHECK(receive(log, begin, 120'000) == static_cast<int>(100'000 - begin + 1));
  }
}

TEST_CASE("redeliveries: a broker that uses the smallest free packet id confirms by using one again") {
  Redeliveries log;
  log.connected(false);
  for (const auto& [packet, hash] : {std::pair(1, 10), {2, 20}, {1, 10}}) {
    CHECK_FALSE(log.again(static_cast<std::uint16_t>(packet), static_cast<std::uint64_t>(hash)));
  }
  log.connected(true);
  CHECK(log.again(1, 10));        // the third one
  CHECK_FALSE(log.again(2, 20));  // a new one: the second one was acknowledged before the third one
}

TEST_CASE("redeliveries: it is full where packet ids could be used twice, but not for what comes again") {
  Redeliveries log;
  log.connected(false);
  receive(log, 1, Redeliveries::kMost - 10);
  CHECK_FALSE(log.is_full(9));
  CHECK(log.is_full(10));
  receive(log, Redeliveries::kMost - 9, Redeliveries::kMost);
  CHECK(log.is_full(0));
  log.connected(true);
  CHECK_FALSE(log.is_full(0));
  CHECK_FALSE(log.is_full(Redeliveries::kMost - 1));
  CHECK(log.is_full(Redeliveries::kMost));
  CHECK(receive(log, 5, Redeliveries::kMost) == static_cast<int>(Redeliveries::kMost - 4));
  receive(log, Redeliveries::kMost + 1, Redeliveries::kMost + 1);
  CHECK_FALSE(log.is_full(0));  // the first four were acknowledged
  confirm(log);
  CHECK(log.to_confirm() == 0);
}

TEST_CASE("redeliveries: another run knows what this one took in, and forgets what was confirmed") {
  Redeliveries before;
  Kept kept;
  before.connected(false);
  CHECK_FALSE(before.has_new());
  receive(before, 1, 5);
  CHECK(before.has_new());
  CHECK_FALSE(before.has_gone());
  kept.commit(before);
  CHECK_FALSE(before.has_new());
  CHECK(kept.rows.size() == 5);

  SUBCASE("killed at once") {
    Redeliveries after = kept.next_run();
    CHECK_FALSE(after.has_new());
    after.connected(true);
    CHECK(receive(after, 2, 5) == 4);
    CHECK(receive(after, 6, 6) == 0);
    CHECK(after.has_gone());
    kept.commit(after);
    CHECK_FALSE(after.has_gone());
    CHECK(kept.rows.size() == 5);
    CHECK(kept.rows.front().number == 2);
  }
  SUBCASE("killed after the broker has confirmed") {
    confirm(before);
    CHECK(before.has_gone());
    receive(before, 6, 7);
    kept.commit(before);
    CHECK_FALSE(before.has_gone());
    CHECK(kept.rows.size() == 2);
    Redeliveries after = kept.next_run();
    after.connected(true);
    CHECK(receive(after, 6, 7) == 2);
  }
  SUBCASE("the session was lost meanwhile") {
    Redeliveries after = kept.next_run();
    after.connected(false);
    CHECK(receive(after, 1, 1) == 0);
    kept.commit(after);
    CHECK(kept.rows.size() == 1);
    after = kept.next_run();
    after.connected(true);
    CHECK(receive(after, 1, 1) == 1);
  }
}

TEST_CASE("redeliveries: what was confirmed before it was saved is not saved") {
  Redeliveries log;
  Kept kept;
  log.connected(false);
  receive(log, 1, 5);
  confirm(log);
  CHECK_FALSE(log.has_new());
  receive(log, 6, 6);
  kept.commit(log);
  CHECK(kept.rows.size() == 1);
  CHECK(kept.rows[0].number == 6);
}

TEST_CASE("redeliveries: a log with a gap, as after a repair, begins after it") {
  Kept kept;
  kept.rows = {{3, 3, 7}, {4, 4, 7}, {9, 9, 7}, {10, 10, 7}};
  Redeliveries log = kept.next_run();
  log.connected(true);
  CHECK(receive(log, 9, 10) == 2);
  kept.commit(log);
  CHECK(kept.rows.size() == 2);
}
