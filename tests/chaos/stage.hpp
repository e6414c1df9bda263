// One scenario: a broker, a host on it with counting bots, Gitple, and the account at the end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "chaos/driver.hpp"
#include "chaos/form.hpp"
#include "chaos/mayhem.hpp"
#include "chaos/proxy.hpp"
#include "chaos/victim.hpp"
#include "harness/broker.hpp"

namespace chaos {

struct StageOptions {
  std::string name;  // of its line in the table
  std::string durability = "strict";
  bool proxied = false;
  Watch watch = {};
  bool broker_keeps_sessions = false;
  std::string broker_lines = "";  // of its configuration
  Pace pace = {};
  std::string data = "";                      // directory; empty: one of its own
  std::string executable = "";                // empty: the real one
  std::vector<std::string> environment = {};  // of the host
  std::string plugins = "";                   // folder; empty: one with the counting bot
};

class Stage {
 public:
  explicit Stage(StageOptions options);
  // With BOTEL_CHAOS_KEEP its files are copied to a folder of its name there.
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // All of a scenario: talk, trouble, quiet, account; the host must end well when it is told to. Prints its line.
  Balance play(const std::vector<Trouble>& troubles);
  // Its parts.
  void suffer(const std::vector<Trouble>& troubles);
  Balance settle();

  harness::TempDir dir;
  Random random;
  harness::Broker broker;
  std::optional<Proxy> proxy;
  Victim host;
  Driver gitple;

 private:
  const StageOptions options_;
  const Clock::time_point since_ = Clock::now();
  std::map<std::string, int> troubles_;
};

// Fails the test unless nothing was lost, doubled or out of order; says what was.
void check_clean(const Balance& balance, const Stage& stage);
// The same, where only loss counts.
void check_nothing_lost(const Balance& balance, const Stage& stage);

// A line of the table for a scenario that could not be played.
void print_skipped(const std::string& name, const std::string& reason);

}  // namespace chaos
