#include "mqtt/outbox.hpp"

#include <doctest/doctest.h>

using botel::mqtt::Outbox;
using botel::store::Batch;
using Ids = std::vector<std::uint64_t>;

namespace {

Batch saved(Outbox& outbox) {
  Batch batch;
  outbox.save(batch);
  return batch;
}

Ids ids(const Batch& batch) {
  Ids ids;
  for (const auto& message : batch.outbox) ids.push_back(message.id);
  return ids;
}

// Sends all that is there, in the packets 1, 2, 3, ...
void send_all(Outbox& outbox, int first = 1) {
  while (outbox.next()) outbox.sent(first++);
}

}  // namespace

TEST_CASE("outbox: messages are sent in order, and kept until they are acknowledged") {
  Outbox outbox;
  outbox.add("a", "1");
  outbox.add("b", "22");
  CHECK(outbox.next()->topic == "a");
  outbox.sent(7);
  CHECK(outbox.next()->payload == "22");
  outbox.sent(8);
  CHECK_FALSE(outbox.next());
  CHECK(outbox.bytes() == 5);
  CHECK(outbox.unacknowledged() == 2);
  CHECK(outbox.acknowledged(8));
  CHECK_FALSE(outbox.acknowledged(8));
  CHECK_FALSE(outbox.acknowledged(99));
  CHECK(outbox.bytes() == 2);
  CHECK_FALSE(outbox.empty());
  CHECK(outbox.acknowledged(7));
  CHECK(outbox.empty());
  CHECK(outbox.bytes() == 0);
}

TEST_CASE("outbox: the store gets each message once, and none that has arrived by then") {
  Outbox outbox;
  for (int i = 0; i < 4; ++i) outbox.add("t", "x");
  send_all(outbox);
  outbox.acknowledged(2);
  CHECK(outbox.has_new());
  const Batch first = saved(outbox);
  CHECK(ids(first) == Ids{1, 3, 4});
  CHECK(first.delivered.empty());
  CHECK_FALSE(outbox.has_new());
  CHECK_FALSE(outbox.has_gone());
  outbox.add("t", "y");
  CHECK(ids(saved(outbox)) == Ids{5});
}

TEST_CASE("outbox: what has arrived is told as everything before a message, and the rest one by one") {
  Outbox outbox;
  for (int i = 0; i < 5; ++i) outbox.add("t", "x");
  send_all(outbox);
  saved(outbox);
  for (const int packet : {1, 2, 4}) outbox.acknowledged(packet);
  CHECK(outbox.has_gone());
  const Batch some = saved(outbox);
  CHECK(some.delivered_before == 3);
  CHECK(some.delivered == Ids{4});
  outbox.acknowledged(3);
  outbox.acknowledged(5);
  const Batch rest = saved(outbox);
  CHECK(rest.delivered_before == 6);
  CHECK(rest.delivered.empty());
}

TEST_CASE("outbox: what an earlier run left comes first, and new ids go on behind it") {
  Outbox outbox;
  outbox.restore({41, "old", "a"});
  outbox.restore({43, "old", "b"});
  outbox.add("new", "c");
  CHECK(ids(saved(outbox)) == Ids{44});
  CHECK(outbox.next()->id == 41);
  send_all(outbox);
  outbox.acknowledged(1);
  CHECK(saved(outbox).delivered_before == 43);
}

TEST_CASE("outbox: after packets are forgotten all that has not arrived is sent again, in order") {
  Outbox outbox;
  for (const char* text : {"1", "2", "3"}) outbox.add("t", text);
  send_all(outbox);
  outbox.acknowledged(2);
  outbox.forget_packets();
  CHECK_FALSE(outbox.acknowledged(1));
  CHECK(outbox.next()->payload == "1");
  outbox.sent(1);
  CHECK(outbox.next()->payload == "3");
  outbox.sent(2);
  CHECK(outbox.acknowledged(1));
  CHECK(outbox.acknowledged(2));
  CHECK(outbox.empty());
}

TEST_CASE("outbox: a message that cannot be sent does not hold up those behind it") {
  Outbox outbox;
  for (const char* text : {"1", "2", "3"}) outbox.add("t", text);
  saved(outbox);
  outbox.sent(1);
  outbox.drop_next();
  CHECK(outbox.next()->payload == "3");
  outbox.sent(2);
  CHECK(saved(outbox).delivered == Ids{2});
  outbox.drop_front();
  outbox.forget_packets();
  CHECK(outbox.next()->payload == "3");
}

TEST_CASE("outbox: who wants to know hears once that a message has arrived, or was dropped") {
  Outbox outbox;
  std::string heard;
  for (const std::string name : {"a", "b", "c", "d", "e"}) {
    outbox.add(name, "", [&heard, name](bool arrived) { heard += name + (arrived ? "+" : "-"); });
  }
  outbox.add("f", "");
  outbox.sent(1);
  outbox.sent(2);
  outbox.drop_next();
  outbox.sent_for_good();
  CHECK(outbox.acknowledged(2, false));
  CHECK(outbox.acknowledged(1));
  CHECK(outbox.has_news());
  CHECK(heard.empty());
  outbox.tell();
  CHECK(heard == "c-d+b-a+");
  CHECK_FALSE(outbox.has_news());
  outbox.forget_packets();
  send_all(outbox);
  CHECK(outbox.acknowledged(1));
  outbox.tell();
  outbox.tell();
  CHECK(heard == "c-d+b-a+e+");
}
