// botel probe: not for people; a host starts it to try a plugin in a process of its own.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "plugin/probe.hpp"

namespace botel::cli {

void add_probe(CLI::App& app) {
  const auto copy = std::make_shared<std::string>();
  CLI::App* const command = app.add_subcommand("probe", "Try a plugin, for a host");
  command->group("");  // in no list
  command->add_option("copy", *copy)->required();
  command->callback([copy] { throw CLI::RuntimeError(plugin::run_probe(*copy)); });
}

}  // namespace botel::cli
