// Plugins that are tried by the real program, or by one of the test's.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cerrno>

#include "base/text.hpp"
#include "plain_ends.hpp"
#include "plugin/probe.hpp"
#include "plugin/zoo.hpp"

namespace probing {

namespace fs = std::filesystem;
using botel::plugin::probe;
using botel::plugin::ProbeConfig;
using botel::plugin::Probed;
using botel::plugin::Trial;

struct Scene {
  Scene() { let_children_end_plainly(); }

  Probed run(const fs::path& copy, const std::vector<Trial>& trials = {{"zoo", "{}"}}) const {
    auto tried = probe(config, copy, trials, stop);
    CHECK_FALSE(has_children());
    return tried;
  }
  Probed run_zoo(const std::string& name, const std::vector<Trial>& trials = {{"zoo", "{}"}}) const {
    return run(zoo::copy(folder, name), trials);
  }
  // Has a shell script do what is botel's to do.
  void pretend(const std::string& script) {
    config.program = folder.write("program", "#!/bin/sh\n" + script + "\n");
    fs::permissions(config.program, fs::perms::owner_all);
  }
  // Living or dead.
  static bool has_children() { return waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD; }

  TempFolder folder;
  ProbeConfig config{.program = BOTEL_EXECUTABLE, .time = std::chrono::minutes(1)};
  std::atomic<bool> stop{false};
};

// For comparison: all that came of it, and nothing where all is well.
inline std::string text(const Probed& tried) {
  if (!tried) return "refused: " + tried.error().why;
  std::string all;
  for (const auto& error : tried->errors) all += error.empty() ? "" : "error: " + error + "\n";
  for (const auto& warning : tried->warnings) all += "warning: " + warning + "\n";
  return all;
}

}  // namespace probing
