// More messages wait at the broker than there are packet ids, and it hands over all of them before it takes in a single
// acknowledgement. What it has not taken in when the host ends, or the connection, comes again.
#include <doctest/doctest.h>
#include <sched.h>

#include <thread>
#include <utility>

#include "chaos/durable.hpp"
#include "chaos/stage.hpp"

using namespace chaos;

namespace {

// Host, broker and test share a core, so that the broker sends far ahead of what the host takes in.
class OneCore {
 public:
  OneCore() {
    REQUIRE(sched_getaffinity(0, sizeof before_, &before_) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &before_)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  }
  ~OneCore() { sched_setaffinity(0, sizeof before_, &before_); }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  cpu_set_t before_{};
};

class Backlog {
  const OneCore one_core_;

 public:
  Backlog(const std::string& name, const std::string& durability)
      : stage({.name = "backlog, " + name + ", " + durability,
               .durability = durability,
               .proxied = true,
               .watch = {.from_host = [this](const Packet& packet) { look_at(packet); }, .from_broker = {}},
               .broker_lines = "log_type none\n",
               // Few, so that the host takes in messages much faster than their bots handle them.
               .pace = {.rooms = 2, .visitors = 0}}) {}

  // The host was away for long, and is back. When this returns it has taken in all that it takes in without an answer
  // of the broker, which knows nothing of it.
  void wait_for_host() {
    REQUIRE(stage.host.stop() == 0);
    stage.gitple.pile_up(messages_);
    is_host_held_ = true;
    stage.host.start();
    long long before = 0, now = 0;
    for (int idle = 0; idle < 10 && now<messages_; idle = now> before || now == 0 ? 0 : idle + 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      before = std::exchange(now, query_number(stage.host.data() / "botel.db", "SELECT sum(sequence) FROM states"));
    }
    CHECK(now > 40'000);
  }

  // What the host has sent to the broker is lost with its connection.
  void lose_connection() {
    is_host_held_ = false;
    stage.proxy->reset();
    stage.proxy->hold_host(false);
  }

  Balance settle() {
    // Before that it is not ready: the broker's answer to its subscriptions comes after the backlog.
    stage.gitple.wait_for_answers(messages_ * 3 / 4 - stage.gitple.answered());
    return stage.settle();
  }

  Stage stage;

 private:
  void look_at(const Packet& packet) {
    if (is_host_held_ && packet.type() == PacketType::puback) stage.proxy->hold_host(true);
  }

  const int messages_ = times(80'000, 200'000);
  std::atomic<bool> is_host_held_ = false;
};

}  // namespace

TEST_CASE("chaos: backlog: a host that is killed in the middle of it loses, doubles and reorders nothing") {
  Backlog backlog("kill", "strict");
  Stage& stage = backlog.stage;
  backlog.wait_for_host();
  stage.host.kill();
  backlog.lose_connection();
  stage.host.start();
  stage.suffer({kills(stage.host, stage.random, times(1, 20))});
  check_clean(backlog.settle(), stage);
}

TEST_CASE("chaos: backlog: planned stops and torn connections lose, double and reorder nothing, even in relaxed") {
  for (const char* durability : {"strict", "relaxed"}) {
    Backlog backlog("stop", durability);
    Stage& stage = backlog.stage;
    backlog.wait_for_host();
    CHECK(stage.host.stop() == 0);
    backlog.lose_connection();
    stage.host.start();
    stage.suffer({resets(*stage.proxy, stage.random, times(2, 20))});
    check_clean(backlog.settle(), stage);
  }
}

TEST_CASE("chaos: backlog: in relaxed a kill takes back what was not on disk, and doubles nothing") {
  Backlog backlog("kill", "relaxed");
  Stage& stage = backlog.stage;
  backlog.wait_for_host();
  stage.host.kill();
  backlog.lose_connection();
  stage.host.start();
  stage.suffer({kills(stage.host, stage.random, times(1, 20))});
  const Balance balance = backlog.settle();
  CHECK(balance.counts.doubled == 0);
  CHECK(balance.counts.reordered == 0);
  CHECK(balance.counts.handled > balance.counts.sent * 3 / 4);
}
