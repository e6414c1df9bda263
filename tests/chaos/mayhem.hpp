// What befalls the host while it works: each trouble has a beginning and an end, and several go on at once.
#pragma once

#include <chrono>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "chaos/driver.hpp"
#include "chaos/proxy.hpp"
#include "chaos/small_disk.hpp"
#include "chaos/victim.hpp"
#include "harness/broker.hpp"

namespace chaos {

using Random = std::mt19937_64;

struct Trouble {
  std::string name;
  int times = 1;
  std::function<std::chrono::milliseconds()> pause;  // until it begins
  std::function<std::chrono::milliseconds()> hold;   // until it is over
  std::function<void()> begin, end;
  std::function<bool()> possible = [] { return true; };  // where it is not, the pause begins anew
};

// Until each has happened as often as it shall. `meanwhile` is called all the time.
void make_trouble(const std::vector<Trouble>& troubles, const std::function<void()>& meanwhile);

// At random between the two.
[[nodiscard]] std::chrono::milliseconds between(Random& random, int least_ms, int most_ms);

// SIGKILL and an immediate restart: half of them while it starts.
[[nodiscard]] Trouble kills(Victim& host, Random& random, int times);
// SIGTERM and a restart: a deploy.
[[nodiscard]] Trouble planned_stops(Victim& host, Random& random, int times);
// A bot that sleeps in its handler, in one of the first rooms.
[[nodiscard]] Trouble slow_handlers(Driver& gitple, Random& random, int times);
// SIGSTOP for three seconds.
[[nodiscard]] Trouble faints(Victim& host, Random& random, int times);
[[nodiscard]] Trouble resets(Proxy& proxy, Random& random, int times);
// The network carries nothing for a while, and then goes on.
[[nodiscard]] Trouble freezes(Proxy& proxy, Random& random, int times);
[[nodiscard]] Trouble full_disks(SmallDisk& disk, Random& random, int times);
// SIGKILL, or SIGTERM, and a restart; the next one when the conversations go on.
[[nodiscard]] Trouble broker_ends(harness::Broker& broker, Driver& gitple, Random& random, int times);

}  // namespace chaos
