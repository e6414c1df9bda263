// Ids that an account has for itself, and the check that it has.
#include <botel/testing.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <set>
#include <string>

using botel::Account;
using botel::Answer;
using botel::Error;
using botel::GivenId;
using botel::Id;
using botel::Ids;
using botel::Reply;
using botel::testing::collisions;
using botel::testing::Lines;
using botel::testing::Moca;
using botel::testing::PushedIds;

namespace {

constexpr std::int64_t kLast = (std::int64_t{1} << 53) - 1;

GivenId given(const Id& id) { return GivenId(id.text()); }

// A message of one contact in one chat, with ids of the account's own or the service's.
struct Letters : botel::Connector {
  explicit Letters(std::string_view config) : own_(config.find("own") != config.npos) {}
  void on_configure(Account& account, const Answer&, Reply reply) override {
    const auto id = [&](std::int64_t number) { return own_ ? account.ids().of(number) : Id(number << 30); };
    account.finish(reply, {.id = 1, .name = "Me"});
    account.push(botel::Contact{id(2), "Ann"});
    account.push(botel::Chat{id(3), "Us", false, {1, id(2)}});
    account.push(botel::ChatMessage{id(4), id(3), id(2), account.time(), botel::Content::text("hi")});
  }
  const bool own_;
};

constexpr auto kLetters = botel::connector<Letters>("letters", "1.0.0");

}  // namespace

TEST_CASE("ids: of each number there is another integer below 2^53, which gives it back") {
  const Ids ids(5);
  std::mt19937_64 random(1);
  std::set<std::string> all;
  for (int i = 0; i < 10'000; ++i) {
    const auto number = i < 5000 ? i : static_cast<std::int64_t>(random() >> 11);
    const Id id = ids.of(number);
    CHECK(id.is_number());
    CHECK(ids.number(given(id)) == number);
    all.insert(id.text());
  }
  CHECK(all.size() == 10'000);
  CHECK(ids.number(given(ids.of(kLast))) == kLast);
  for (const std::int64_t number : {std::int64_t{-1}, kLast + 1}) CHECK_THROWS_AS(ids.of(number), Error);
  for (const char* text : {"", "x", "-5", "9007199254740992", "5.0"}) CHECK(ids.number(GivenId(text)) == -1);
}

TEST_CASE("ids: those of two seeds, and of numbers that follow each other, have nothing in common") {
  std::set<std::uint64_t> high;  // all but their lowest 20 bits, of 2,000 ids
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::int64_t number = 0; number < 100; ++number) {
      high.insert(std::stoull(Ids(seed).of(number).text()) >> 20);
    }
  }
  CHECK(high.size() == 2000);
}

TEST_CASE("ids: a text has the account's mark before it, and is given back without") {
  const Ids ids(5), others(6);
  const Id id = ids.of("letter-5");
  CHECK(id.text().size() == 12 + 8);
  CHECK(id.text().ends_with("-letter-5"));
  CHECK(ids.text(given(id)) == "letter-5");
  CHECK(ids.of(std::string("letter-5")) == id);
  CHECK(others.of("letter-5").text() != id.text());
  CHECK(others.text(given(id)).empty());
  CHECK(ids.text(GivenId("letter-5")).empty());
  CHECK_THROWS_AS(ids.of("a/b"), Error);
  CHECK_THROWS_AS(ids.of(std::string(250, 'x')), Error);
}

TEST_CASE("ids: an account has others than another one, and others when it is configured anew") {
  Moca one(kLetters, R"({"own":1})"), other(kLetters, R"({"own":1})", "43");
  one.configure();
  other.configure();
  CHECK(one.ids().items.size() == 3);
  CHECK(collisions(one.ids(), other.ids()) == "");
  const auto before = one.ids();
  one.configure();
  CHECK(collisions(before, one.ids()).size() == 3);  // they are the same
  one.remove();
  CHECK(one.ids().items.empty());
  one.configure();
  CHECK(collisions(before, one.ids()) == "");
}

TEST_CASE("ids: what MOCA would not tell apart is found, but for the user's own contact") {
  Moca one(kLetters), other(kLetters, "{}", "43");
  one.configure();
  other.configure();
  const std::string id = std::to_string(4LL << 30);
  CHECK(collisions(one.ids(), other.ids()) == "message " + id + " of 42 and message " + id + " of 43");
  const auto before = one.ids();
  one.remove();
  one.configure();
  CHECK(collisions(before, one.ids()).size() == 3);
}

TEST_CASE("ids: ids are folded with the account's, and those of messages with their chat's") {
  const PushedIds one{"42", {{"contact", "8"}, {"chat", "8"}, {"message", "16", "8"}, {"message", "a", "8"}}};
  // 8 ^ 42 == 9 ^ 43, and 16 ^ 8 == 17 ^ 9.
  const PushedIds other{"43", {{"contact", "9"}, {"chat", "9"}, {"message", "17", "9"}, {"message", "a", "9"}}};
  CHECK(collisions(one, other) == Lines{"contact 8 of 42 and contact 9 of 43", "chat 8 of 42 and chat 9 of 43",
                                        "message 16 of 42 and message 17 of 43",
                                        "message a of 42 and message a of 43"});
  const PushedIds far{"43", {{"contact", "8"}, {"chat", "8"}, {"message", "18", "8"}, {"message", "b", "8"}}};
  CHECK(collisions(one, far) == "");
}
