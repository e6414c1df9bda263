#include "mqtt/subscriptions.hpp"

#include <doctest/doctest.h>

using botel::Result;
using botel::mqtt::Subscriptions;

namespace {

// Notes what a holder is told.
struct Holder {
  std::string told;
  Subscriptions::Done done() {
    return [this](const Result<>& granted) { told = granted ? "granted" : granted.error(); };
  }
};

std::string lost(const std::optional<Subscriptions::Lost>& filter) {
  return filter ? filter->filter + (filter->is_news ? ", news" : "") : "nothing";
}

}  // namespace

TEST_CASE("subscriptions: the broker is asked once, and told once, however many hold a filter") {
  Subscriptions subscriptions;
  Holder first, second, third;
  CHECK(subscriptions.add("a", first.done()));
  subscriptions.asked(1, "a");
  CHECK_FALSE(subscriptions.add("a", second.done()));
  CHECK(first.told.empty());
  CHECK_FALSE(subscriptions.answered(1, ""));
  CHECK(first.told == "granted");
  CHECK(second.told == "granted");
  CHECK_FALSE(subscriptions.add("a", third.done()));
  CHECK(third.told == "granted");
  CHECK_FALSE(subscriptions.remove("a"));
  CHECK_FALSE(subscriptions.remove("a"));
  CHECK(subscriptions.remove("a"));
  CHECK_FALSE(subscriptions.remove("a"));
  CHECK(subscriptions.all().empty());
}

TEST_CASE("subscriptions: a refused filter is not held, and can be asked for again") {
  Subscriptions subscriptions;
  Holder holder;
  CHECK(subscriptions.add("a", holder.done()));
  subscriptions.asked(1, "a");
  CHECK_FALSE(subscriptions.answered(1, "Not authorized"));
  CHECK(holder.told == "Not authorized");
  CHECK(subscriptions.all().empty());
  CHECK(subscriptions.add("a", holder.done()));
}

TEST_CASE("subscriptions: only the answer to the last packet counts") {
  Subscriptions subscriptions;
  Holder first, second;
  CHECK(subscriptions.add("a", first.done()));
  subscriptions.asked(1, "a");
  CHECK(subscriptions.remove("a"));
  CHECK(subscriptions.add("a", second.done()));
  subscriptions.asked(2, "a");
  CHECK_FALSE(subscriptions.answered(1, ""));
  CHECK(second.told.empty());
  CHECK_FALSE(subscriptions.answered(2, ""));
  CHECK(second.told == "granted");
  CHECK(first.told.empty());
}

TEST_CASE("subscriptions: after an outage everything is asked for again, and who waits is told then") {
  Subscriptions subscriptions;
  Holder granted, waiting;
  CHECK(subscriptions.add("a", granted.done()));
  subscriptions.asked(1, "a");
  CHECK_FALSE(subscriptions.answered(1, ""));
  CHECK(subscriptions.add("b", waiting.done()));
  subscriptions.asked(2, "b");
  subscriptions.forget_answers();
  CHECK_FALSE(subscriptions.answered(2, ""));
  CHECK(waiting.told.empty());

  CHECK(subscriptions.all() == std::vector<std::string>{"a", "b"});
  subscriptions.asked(3, "a");
  subscriptions.asked(4, "b");
  CHECK(lost(subscriptions.answered(3, "Not authorized")) == "a, news");
  CHECK_FALSE(subscriptions.answered(4, ""));
  CHECK(waiting.told == "granted");
}

TEST_CASE(
    "subscriptions: a filter that is refused after an outage is not granted to whoever comes, and can come back") {
  Subscriptions subscriptions;
  Holder first, second, third;
  CHECK(subscriptions.add("a", first.done()));
  subscriptions.asked(1, "a");
  CHECK_FALSE(subscriptions.answered(1, ""));
  subscriptions.forget_answers();
  subscriptions.asked(2, "a");
  CHECK(lost(subscriptions.answered(2, "Not authorized")) == "a, news");
  CHECK(subscriptions.misses("a"));

  CHECK(subscriptions.add("a", second.done()));
  subscriptions.asked(3, "a");
  CHECK_FALSE(subscriptions.misses("a"));
  CHECK(lost(subscriptions.answered(3, "Not authorized")) == "a");
  CHECK(second.told == "Not authorized");

  CHECK(subscriptions.all() == std::vector<std::string>{"a"});
  CHECK(subscriptions.add("a", third.done()));
  subscriptions.asked(4, "a");
  CHECK_FALSE(subscriptions.answered(4, ""));
  CHECK(third.told == "granted");
  CHECK_FALSE(subscriptions.remove("a"));
  CHECK(subscriptions.remove("a"));
}

TEST_CASE("subscriptions: what is kept when it is refused can be asked for again, and is news once") {
  Subscriptions subscriptions;
  CHECK(subscriptions.add("a", {}));
  for (int packet = 1; packet < 6; packet += 2) {
    subscriptions.asked(packet, "a");
    CHECK(lost(subscriptions.answered(packet, "Not authorized")) == (packet == 1 ? "a, news" : "a"));
    CHECK(subscriptions.misses("a"));
    CHECK_FALSE(subscriptions.grants("a"));
  }
  subscriptions.asked(7, "a");
  CHECK_FALSE(subscriptions.answered(7, ""));
  CHECK(subscriptions.grants("a"));
  subscriptions.forget_answers();
  CHECK_FALSE(subscriptions.grants("a"));
  subscriptions.asked(8, "a");
  CHECK(lost(subscriptions.answered(8, "Not authorized")) == "a, news");
  CHECK(subscriptions.remove("a"));
}

TEST_CASE("subscriptions: an answer to nothing is ignored") {
  Subscriptions subscriptions;
  CHECK_FALSE(subscriptions.answered(9, ""));
  CHECK_FALSE(subscriptions.misses("a"));
}
