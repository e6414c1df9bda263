// A plugin is tried in a process of its own before the host loads it: a crash, a hang or an exit there is an answer.
// The process is this program, started anew as `botel probe`, never a bare fork.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "plugin/images.hpp"

namespace botel::plugin {

// An instance that shall be made of a descriptor. `config`: a JSON object.
struct Trial {
  std::string name;
  std::string config = "{}";
};

// What came of it.
struct Tried {
  std::vector<std::string> errors;    // by trial; empty: an instance can be made of it
  std::vector<std::string> warnings;  // what does not speak against loading it
  // The libraries of the process: its own, those that came with the plugin, and those that its instances have opened.
  std::vector<Image> own, brought, opened;
};

// Why it must not be loaded.
struct Refusal {
  std::string why;
  // It is not the plugin's doing: the host could not start the process, or had no time or memory for it.
  bool may_pass = false;
};

using Probed = tl::expected<Tried, Refusal>;

struct ProbeConfig {
  std::filesystem::path program{"/proc/self/exe"};
  std::chrono::milliseconds time{5000};  // after which it hangs
};

// Tries the copy of a plugin: loads it, checks each configuration against its schema, makes the instances, has them
// handle a start and a message whose effects nobody sees, unloads it. Blocks; `stop` ends it early. [any thread]
[[nodiscard]] Probed probe(const ProbeConfig& config, const std::filesystem::path& copy,
                           const std::vector<Trial>& trials, const std::atomic<bool>& stop);

// The other side, in a process of its own: reads the trials from stdin, and answers on stdout. Its exit code.
int run_probe(const std::filesystem::path& copy);

}  // namespace botel::plugin
