// In relaxed, acknowledgements and answers leave at once, and commits follow at least every 100 ms: a kill takes a room
// back by no more than that.
#include <doctest/doctest.h>
#include <fmt/core.h>

#include <map>
#include <mutex>

#include "chaos/durable.hpp"
#include "chaos/stage.hpp"

using namespace chaos;
using std::chrono::milliseconds;

namespace {

// A commit is begun within 100 ms of what it is to save. It is safe when it is done: with a sync, and two processors
// for the host, the broker and the test, that may take as long again.
constexpr milliseconds kGroup{100};
constexpr milliseconds kCommit{100};

// When the host acknowledged each numbered message. It is the best witness of when the message was taken in: the time
// at which it was sent is too early by as long as it waited in the broker for a host that was starting. It is too late
// by the way from the host to the proxy, which is why a kill may come before it.
class Acknowledgements {
 public:
  Watch watch() {
    return {.from_host = [this](const Packet& packet) { acknowledged(packet); },
            .from_broker = [this](const Packet& packet) { delivered(packet); }};
  }

  // For the last time; nothing where it never was.
  std::optional<Clock::time_point> of(const std::string& topic, long long number) {
    const std::lock_guard lock(mutex_);
    const auto found = times_.find({topic, number});
    return found == times_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  using Key = std::pair<std::string, long long>;

  void delivered(const Packet& packet) {
    if (packet.type() != PacketType::publish || packet.qos() == 0) return;
    const std::string text = harness::at(std::string(packet.payload()), "m");
    if (text.empty() || text[0] < '0' || text[0] > '9') {
      waiting_.erase(packet.id());
    } else {
      waiting_[packet.id()] = {std::string(packet.topic()), std::stoll(text)};
    }
  }

  void acknowledged(const Packet& packet) {
    if (packet.type() != PacketType::puback) return;
    const auto found = waiting_.find(packet.id());
    if (found == waiting_.end()) return;
    const std::lock_guard lock(mutex_);
    times_[found->second] = Clock::now();
  }

  std::map<int, Key> waiting_;  // by packet
  std::mutex mutex_;
  std::map<Key, Clock::time_point> times_;
};

// From then to the next kill. One that is seen a little later than a kill was before it.
milliseconds until_kill(Clock::time_point then, const std::vector<Clock::time_point>& kills) {
  for (const auto kill : kills) {
    if (kill + kGroup >= then) return std::chrono::ceil<milliseconds>(kill - then);
  }
  return milliseconds::max();
}

}  // namespace

TEST_CASE("chaos: relaxed: what a kill takes back was handled within the last 100 ms") {
  Acknowledgements acknowledgements;
  Stage stage({.name = "relaxed, host kills",
               .durability = "relaxed",
               .proxied = true,
               .watch = acknowledgements.watch(),
               .pace = {.visitors = 0}});
  // A room of the last 100 ms would be gone as a whole.
  harness::wait_until("the rooms to be in the store", [&] {
    return query_number(stage.host.data() / "botel.db", "SELECT count(*) FROM actors WHERE type = 'room'") ==
           Pace().rooms;
  });
  const Balance balance = stage.play({kills(stage.host, stage.random, times(8, 100))});
  CHECK(balance.counts.doubled == 0);
  CHECK(balance.counts.reordered == 0);
  CHECK(balance.counts.handled > balance.counts.sent / 2);
  milliseconds longest{0};
  for (const auto& [room, numbers] : balance.lost) {
    for (const long long number : numbers) {
      CAPTURE(room);
      CAPTURE(number);
      const auto then = acknowledgements.of(harness::Room{.room = room}.from_user(), number);
      // What was not acknowledged the broker would have delivered again.
      REQUIRE(then.has_value());
      longest = std::max(longest, until_kill(*then, stage.host.kills()));
    }
  }
  CHECK_MESSAGE(longest <= kGroup + kCommit, stage.host.last_words());
  fmt::print("{:<28}| {} lost, the oldest of them {} ms before a kill\n", "", balance.counts.lost, longest.count());
}
