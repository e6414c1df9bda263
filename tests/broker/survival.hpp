// What the tests of restarts have in common.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "harness/world.hpp"

// How a host may end without losing anything that somebody has heard of.
struct Ending {
  std::string durability;
  int signal_number;
};
inline const std::array<Ending, 2> kEndings = {Ending{"relaxed", SIGTERM}, Ending{"strict", SIGKILL}};

inline std::ostream& operator<<(std::ostream& out, const Ending& ending) {
  return out << ending.durability << ", signal " << ending.signal_number;
}

inline std::string durability(const std::string& name) { return "durability = \"" + name + "\"\n"; }

namespace doctest {
template <>
struct StringMaker<std::vector<std::string>> {
  static String convert(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
    return all.c_str();
  }
};
}  // namespace doctest

inline harness::WorldOptions kept(const std::string& name) { return {.host = {.store = durability(name)}}; }

// What was said on a topic, or else came there, in order. A repeat of the same bytes, which each end of a host may
// cause, counts once.
inline std::vector<std::string> payloads(const harness::World& world, const std::string& topic) {
  std::vector<std::string> all;
  std::set<std::string> seen;
  for (const auto& message : world.client.received()) {
    if (message.topic == topic && seen.insert(message.payload).second) all.push_back(message.payload);
  }
  return all;
}

// The texts of a room's bot.
inline std::vector<std::string> said(const harness::World& world, const harness::Room& room) {
  std::vector<std::string> texts;
  for (const auto& payload : payloads(world, room.msg_pub())) texts.push_back(harness::at(payload, "m"));
  return texts;
}

// "first", ... "last".
inline std::vector<std::string> numbers(int first, int last) {
  std::vector<std::string> all;
  for (int i = first; i <= last; ++i) all.push_back(std::to_string(i));
  return all;
}

// Lets all handlers go on that are told "until FILE".
inline void let_go(const std::filesystem::path& file) { harness::write_file(file, ""); }

using Clock = std::chrono::steady_clock;

// Waits for a moment that has to pass while nobody is there.
inline void sleep_until(Clock::time_point moment) {
  harness::wait_until("the clock", [=] { return Clock::now() >= moment; });
}
