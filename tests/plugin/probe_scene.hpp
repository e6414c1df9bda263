// Plugins that are tried by the real program, or by one of the test's.
#pragma once

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>

#include "base/text.hpp"
#include "plugin/probe.hpp"
#include "plugin/zoo.hpp"

namespace probing {

namespace fs = std::filesystem;
using botel::plugin::probe;
using botel::plugin::ProbeConfig;
using botel::plugin::Trial;
using botel::plugin::Tried;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

struct Scene {
  // A sanitizer must not turn a plugin's end into another one.
  Scene() {
    for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
      const char* const before = std::getenv(name);
      const std::string options = std::string(before ? before : "") +
                                  ":handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:"
                                  "detect_leaks=0:report_thread_leaks=0";
      setenv(name, options.c_str(), 1);
    }
  }

  botel::Result<Tried> run(const fs::path& copy, const std::vector<Trial>& trials = {{"zoo", "{}"}}) const {
    auto tried = probe(config, copy, trials, stop);
    CHECK_FALSE(has_children());
    return tried;
  }
  botel::Result<Tried> run_zoo(const std::string& name, const std::vector<Trial>& trials = {{"zoo", "{}"}}) const {
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
inline std::string text(const botel::Result<Tried>& tried) {
  if (!tried) return "refused: " + tried.error();
  std::string all;
  for (const auto& error : tried->errors) all += error.empty() ? "" : "error: " + error + "\n";
  for (const auto& warning : tried->warnings) all += "warning: " + warning + "\n";
  return all;
}

}  // namespace probing
