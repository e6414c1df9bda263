// The account itself: each fault that the suite is there to find shows, and none where there is none.
#include "chaos/ledger.hpp"

#include <doctest/doctest.h>

#include "chaos/numbers.hpp"

using namespace chaos;

namespace {

std::string said(long long time, const std::string& text) {
  return R"({"t":)" + std::to_string(time) + R"(,"m":")" + text + R"("})";
}

// Three messages, the third of which sets a timer, and a tick.
struct Played {
  Ledger ledger{"room"};
  Played() {
    ledger.send_number(false);
    ledger.send_number(false);
    ledger.send_number(true);
    ledger.send_tick();
  }
  void hear(const std::vector<std::string>& texts) {
    for (const auto& text : texts) ledger.hear(said(++time, text));
  }
  void hear_all() { hear({"1 | a", "2 | b", "3 | c", "tick 1 | d", "timer 3 | e"}); }
  long long time = 0;
};

const char* const kAll = "1-3|3|1";

}  // namespace

TEST_CASE("numbers: a list keeps their order, and those that are there twice") {
  std::string list;
  for (const long long number : {1, 2, 3, 3, 5, 4, 10, 11}) append(list, number);
  CHECK(list == "1-3,3,5,4,10-11");
  CHECK(expand(list) == std::vector<long long>{1, 2, 3, 3, 5, 4, 10, 11});
  CHECK(count(list) == 8);
  CHECK(count("") == 0);
}

TEST_CASE_FIXTURE(Played, "ledger: where all came and went once and in order, all is well") {
  hear_all();
  const Balance balance = ledger.balance(kAll);
  CHECK(is_clean(balance.counts));
  CHECK(balance.complaints.empty());
  CHECK(balance.counts.sent == 4);
  CHECK(balance.counts.handled == 4);
  CHECK(balance.counts.answers == 5);
  CHECK(balance.counts.timers == 1);
}

TEST_CASE_FIXTURE(Played, "ledger: what the bot has not seen, or twice, or too late, shows") {
  hear_all();
  struct {
    const char* state;
    long long Counts::*count;
  } const cases[] = {{"1,3|3|1", &Counts::lost},
                     {"1-3|3|0", &Counts::lost},
                     {"1-3,2|3|1", &Counts::doubled},
                     {"1-3|3|2", &Counts::doubled},
                     {"2,1,3|3|1", &Counts::reordered},
                     {"1-3||1", &Counts::timers_lost},
                     {"1-3|3,3|1", &Counts::timers_doubled}};
  for (const auto& faulty : cases) {
    CAPTURE(faulty.state);
    const Balance balance = ledger.balance(faulty.state);
    CHECK(balance.counts.*faulty.count == 1);
    CHECK_FALSE(is_clean(balance.counts));
    CHECK_FALSE(balance.complaints.empty());
  }
  CHECK(ledger.balance("1,3|3|1").lost.at("room") == std::vector<long long>{2});
}

TEST_CASE_FIXTURE(Played, "ledger: a bot that gives no report has lost everything") {
  hear_all();
  CHECK(ledger.balance("").counts.lost == 4);
}

TEST_CASE_FIXTURE(Played, "ledger: an answer that did not come is missing") {
  hear({"1 | a", "3 | c", "tick 1 | d"});
  const Counts counts = ledger.balance(kAll).counts;
  CHECK(counts.missing == 1);
  CHECK(counts.timers_missing == 1);
}

TEST_CASE_FIXTURE(Played, "ledger: an answer that came too late is out of order, by its number and by its time") {
  hear({"2 | b", "1 | a", "3 | c", "tick 1 | d"});
  ledger.hear(said(1, "timer 3 | e"));
  CHECK(ledger.balance(kAll).counts.overtaken == 2);
}

TEST_CASE_FIXTURE(Played, "ledger: a repeat is the same, byte for byte") {
  hear_all();
  ledger.hear(said(2, "2 | b"));
  CHECK(is_clean(ledger.balance(kAll).counts));
  CHECK(ledger.balance(kAll).counts.repeats == 1);
  ledger.hear(said(6, "2 | b"));
  CHECK(ledger.balance(kAll).counts.differing == 1);
}

TEST_CASE_FIXTURE(Played, "ledger: a report has come when all its parts have") {
  hear({"report 1 1/2 | 1-"});
  CHECK(ledger.report(1).empty());
  hear({"report 1 2/2 | 3|3|1", "report 12 1/1 | other"});
  CHECK(ledger.report(1) == kAll);
}
