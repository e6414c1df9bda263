#include "cli/broker.hpp"

#include <CLI/CLI.hpp>

#include "app/data_folder.hpp"
#include "base/text.hpp"

namespace botel::cli {
namespace {

constexpr const char* kUsualBroker = "mqtt://127.0.0.1:1883";

}  // namespace

void add_broker_options(CLI::App& command, BrokerOptions& options) {
  command.add_option("--broker,--url", options.broker,
                     "mqtt://HOST:PORT or mqtts://HOST:PORT; else that of the host on this machine");
  command.add_option("--config", options.config, "Configuration file of the host: its broker, and the login there");
  command.add_option("--data", options.data, "Data directory of the host; else ~/.local/state/botel");
}

Result<app::Config> find_broker(const BrokerOptions& options) {
  app::Config config = app::default_config();
  if (!options.config.empty()) {
    const auto mistakes = app::read_config(options.config, config);
    if (!mistakes.empty()) return failure("{}", mistakes.front());
  }
  if (!options.data.empty()) config.data = options.data;
  std::string url = options.broker.empty() ? config.broker.value_or("") : options.broker;
  if (url.empty()) {
    const auto announced = app::DataFolder::announced(config.data);
    if (!announced && !options.data.empty())
      return failure("no host is running on the data directory {}", options.data);
    url = announced.value_or(kUsualBroker);
  }
  if (auto done = app::set_broker(url, config); !done) return failure("{}: {}", clean(url), done.error());
  return config;
}

Result<std::unique_ptr<mqtt::Link>> open_link(const app::Config& config, Counters& counters) {
  mqtt::LinkConfig link = config.mqtt;
  link.client_id.clear();  // that is the host's
  return mqtt::Link::create(link, counters);
}

}  // namespace botel::cli
