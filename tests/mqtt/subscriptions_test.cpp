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

}  // namespace

TEST_CASE("subscriptions: the broker is asked once, and told once, however many hold a filter") {
  Subscriptions subscriptions;
  Holder first, second, third;
  CHECK(subscriptions.add("a", first.done()));
  subscriptions.asked(1, {"a"});
  CHECK_FALSE(subscriptions.add("a", second.done()));
  CHECK(first.told.empty());
  CHECK(subscriptions.answered(1, {""}).empty());
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
  subscriptions.asked(1, {"a"});
  CHECK(subscriptions.answered(1, {"Not authorized"}).empty());
  CHECK(holder.told == "Not authorized");
  CHECK(subscriptions.all().empty());
  CHECK(subscriptions.add("a", holder.done()));
}

TEST_CASE("subscriptions: only the answer to the last packet counts") {
  Subscriptions subscriptions;
  Holder first, second;
  CHECK(subscriptions.add("a", first.done()));
  subscriptions.asked(1, {"a"});
  CHECK(subscriptions.remove("a"));
  CHECK(subscriptions.add("a", second.done()));
  subscriptions.asked(2, {"a"});
  CHECK(subscriptions.answered(1, {""}).empty());
  CHECK(second.told.empty());
  CHECK(subscriptions.answered(2, {""}).empty());
  CHECK(second.told == "granted");
  CHECK(first.told.empty());
}

TEST_CASE("subscriptions: after an outage everything is asked for again, and who waits is told then") {
  Subscriptions subscriptions;
  Holder granted, waiting;
  CHECK(subscriptions.add("a", granted.done()));
  subscriptions.asked(1, {"a"});
  CHECK(subscriptions.answered(1, {""}).empty());
  CHECK(subscriptions.add("b", waiting.done()));
  subscriptions.asked(2, {"b"});
  subscriptions.forget_answers();
  CHECK(subscriptions.answered(2, {""}).empty());
  CHECK(waiting.told.empty());

  CHECK(subscriptions.all().size() == 2);
  subscriptions.asked(3, {"a", "b"});
  CHECK(subscriptions.answered(3, {"Not authorized", ""}) == std::vector<std::string>{"a"});
  CHECK(waiting.told == "granted");
}

TEST_CASE("subscriptions: an answer that is too short is a refusal, one to nothing is ignored") {
  Subscriptions subscriptions;
  Holder holder;
  CHECK(subscriptions.add("a", holder.done()));
  subscriptions.asked(1, {"a"});
  CHECK(subscriptions.answered(9, {""}).empty());
  CHECK(subscriptions.answered(1, {}).empty());
  CHECK(holder.told == "the broker's answer is too short");
}
