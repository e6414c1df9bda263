// The broker that a command speaks to: the one that it is told, or that of a host.
#pragma once

#include <memory>
#include <string>

#include "app/config.hpp"
#include "base/counters.hpp"
#include "base/result.hpp"
#include "mqtt/link.hpp"

namespace CLI {
class App;
}

namespace botel::cli {

struct BrokerOptions {
  std::string config, broker, data;
};

// --broker, --config and --data. `options` outlives the command.
void add_broker_options(CLI::App& command, BrokerOptions& options);

// The broker (Config::broker is there), and how to log in there: a host's configuration file says it, too.
[[nodiscard]] Result<app::Config> find_broker(const BrokerOptions& options);

// A connection to it, under a name of its own.
[[nodiscard]] Result<std::unique_ptr<mqtt::Link>> open_link(const app::Config& config, Counters& counters);

}  // namespace botel::cli
