// botel run: the host, until it is told to stop.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "app/config.hpp"
#include "app/host.hpp"
#include "cli/commands.hpp"

namespace botel::cli {
namespace {

struct Options {
  std::string config, broker, plugins, data, log_level, log_format;
  int broker_port = 0;
  std::vector<std::string> bots;
};

Result<app::BotConfig> parse_bot(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
    return failure("--bot is written ID=NAME, such as 1=echo or *=echo");
  }
  return app::BotConfig{text.substr(0, equals), text.substr(equals + 1)};
}

// What the command line says goes above what the file says.
app::Mistakes apply(const Options& options, app::Config& config) {
  app::Mistakes mistakes;
  if (!options.broker.empty()) {
    if (auto done = app::set_broker(options.broker, config); !done) mistakes.push_back("--broker: " + done.error());
  }
  if (options.broker_port != 0) config.broker_port = options.broker_port;
  if (!options.plugins.empty()) config.plugins = options.plugins;
  if (!options.data.empty()) config.data = options.data;
  if (const auto level = app::log_level(options.log_level)) config.log_level = *level;
  if (const auto format = app::log_format(options.log_format)) config.log_format = *format;
  if (!options.bots.empty()) config.bots.rows.clear();
  for (const auto& text : options.bots) {
    auto bot = parse_bot(text);
    if (!bot) {
      mistakes.push_back(bot.error());
    } else if (std::ranges::count(config.bots.rows, bot->id, &app::BotConfig::id) > 0) {
      mistakes.push_back(fmt::format("--bot: the id {} is there twice", bot->id));
    } else {
      config.bots.rows.push_back(std::move(*bot));
    }
  }
  if (config.broker && options.broker_port != 0) {
    mistakes.push_back("--broker-port: there is no private broker beside the URL of another one");
  }
  return mistakes;
}

app::Mistakes read(const Options& options, app::Config& config) {
  app::Mistakes mistakes;
  if (!options.config.empty()) mistakes = app::read_config(options.config, config);
  const auto more = apply(options, config);
  mistakes.insert(mistakes.end(), more.begin(), more.end());
  return mistakes;
}

int run(const Options& options) {
  log::start_thread();
  app::Config config = app::default_config();
  const app::Mistakes mistakes = read(options, config);
  for (const auto& mistake : mistakes) log::print(STDERR_FILENO, "botel: " + mistake);
  if (!mistakes.empty()) return 2;

  log::set_up(config.log_level, config.log_format);
  const auto host =
      app::Host::create(config, options.config, [options](app::Config& again) { return read(options, again); });
  if (!host) {
    log::print(STDERR_FILENO, "botel: " + host.error());
    return 1;
  }
  return (*host)->run();
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("run", "Load the bots and serve their rooms");
  command->add_option("--config", options->config, "Configuration file (TOML)");
  command->add_option("--broker", options->broker,
                      "mqtt://HOST:PORT or mqtts://HOST:PORT; else a private one is started");
  command
      ->add_option("--broker-port", options->broker_port, "Port of the private broker; else 1883 or the next free one")
      ->check(CLI::Range(1, 65535));
  command->add_option("--plugins", options->plugins, "Folder of the plugins");
  command->add_option("--data", options->data, "Data directory; else ~/.local/state/botel");
  command->add_option("--bot", options->bots, "ID=NAME: the bot NAME serves the Gitple bot id ID, * being the rest");
  command->add_option("--log-level", options->log_level)->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  command->add_option("--log-format", options->log_format)->check(CLI::IsMember({"text", "json"}));
  command->callback([options] {
    if (const int code = run(*options)) throw CLI::RuntimeError(code);
  });
}

}  // namespace botel::cli
