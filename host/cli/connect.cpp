// botel connect: MOCA's side of a connector's configuration, in a terminal or for a script.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "cli/broker.hpp"
#include "cli/commands.hpp"
#include "cli/complain.hpp"
#include "cli/connect_session.hpp"
#include "cli/terminal.hpp"

namespace botel::cli {
namespace {

constexpr int kBySignal = 128;

struct Options {
  BrokerOptions broker;
  std::string type, id;
  bool remove = false;
};

int connect(const Options& options) {
  const auto config = find_broker(options.broker);
  if (!config) return complain(config.error(), 2);
  const auto name = ConnectorName::make(options.type, options.id);
  if (!name) return complain(name.error(), 2);
  if (options.remove && options.id.empty()) return complain("--delete needs the id of the connector", 2);

  log::set_up(log::Level::warning, log::Format::text);
  Terminal terminal;
  Counters counters;
  const auto link = open_link(*config, counters);
  if (!link) return complain(link.error());
  if (options.id.empty()) {
    terminal.view().show(fmt::format("connector {} (the same command with this id and --delete deletes it)", name->id));
  }
  const auto wish = options.remove ? ConnectSession::Wish::remove : ConnectSession::Wish::configure;
  ConnectSession session(**link, terminal.view(), *name, wish);
  const std::string trouble = terminal.lead(session, **link);
  if (trouble.empty()) return 0;
  complain(fmt::format("{}: {}", *config->broker, trouble));
  return terminal.signal() == 0 ? 1 : kBySignal + terminal.signal();
}

}  // namespace

void add_connect(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("connect", "Configure a MOCA connector in the terminal, as MOCA would");
  command->add_option("type", options->type, "What the connector connects to, such as demo")->required();
  command->add_option("id", options->id, "Id of the connector; else a new one");
  command->add_flag("--delete", options->remove, "Delete the connector, with all that is known of it");
  add_broker_options(*command, options->broker);
  command->callback([options] {
    if (const int code = connect(*options)) throw CLI::RuntimeError(code);
  });
}

}  // namespace botel::cli
