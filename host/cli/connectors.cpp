// botel connectors: which connectors the running host has.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/complain.hpp"
#include "cli/hanging.hpp"
#include "cli/order.hpp"

namespace botel::cli {
namespace {

struct Options {
  HostOptions host;
  bool json = false;
};

// "configured", "at the step phone", or both where it is configured anew.
std::string state_of(const json::Document& connector) {
  const std::string step = of(connector, "step");
  const std::string at = step.empty() ? "" : "at the step " + step;
  if (!is_true(connector, "configured")) return at.empty() ? "not configured" : at;
  return at.empty() ? "configured" : "configured, anew " + at;
}

using Rows = std::vector<std::vector<std::string>>;

// Each type that a plugin offers, and those that have connectors and no plugin.
Rows types_of(const json::Document& all, const Hanging& hanging) {
  std::map<std::string, std::size_t> numbers;
  for (const auto& connector : list(all, "connectors")) ++numbers[of(connector, "type")];
  Rows rows{{"TYPE", "VERSION", "STATE", "FILE", "CONNECTORS"}};
  for (const auto& type : list(all, "types")) {
    const std::string name = of(type, "type");
    const std::string version = of(type, "version");
    rows.push_back({name, version, hanging.state(of(type, "state"), name, version), of(type, "file"),
                    std::to_string(numbers[name])});
    numbers.erase(name);
  }
  for (const auto& [name, number] : numbers) rows.push_back({name, "-", "not there", "-", std::to_string(number)});
  return rows;
}

Rows connectors_of(const json::Document& all, const Hanging& hanging) {
  Rows rows{{"TYPE", "ID", "WAITING", "STATE"}};
  for (const auto& connector : list(all, "connectors")) {
    const std::string type = of(connector, "type"), id = of(connector, "id");
    const bool hangs = hanging.has("connector", type + "/" + id);
    rows.push_back({type, id, of(connector, "waiting"), state_of(connector) + (hangs ? ", hangs" : "")});
  }
  return rows;
}

int show(const Options& options) {
  const auto answer = ask(options.host, order("connectors"));
  if (!answer) return complain(answer.error());
  if (options.json) {
    fmt::print("{}", *answer);
    return 0;
  }
  const json::Document all = *json::read(*answer);
  const Hanging hanging(all);
  const Rows types = types_of(all, hanging), connectors = connectors_of(all, hanging);
  if (types.size() == 1) {
    fmt::print("no plugin that is loaded offers connectors, and there are none\n");
    return 0;
  }
  print_table(types);
  fmt::print("\n");
  if (connectors.size() == 1) {
    fmt::print("there are no connectors yet: `botel connect {}` makes one\n", types[1][0]);
  } else {
    print_table(connectors);
  }
  hanging.print();
  return 0;
}

}  // namespace

void add_connectors(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("connectors", "Show the MOCA connectors of the running host");
  add_host_options(*command, options->host);
  command->add_flag("--json", options->json, "As JSON, for programs");
  command->callback([options] {
    if (const int code = show(*options)) throw CLI::RuntimeError(code);
  });
}

}  // namespace botel::cli
