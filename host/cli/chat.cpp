// botel chat: gitple's side of a room, in a terminal or for a script.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/log.hpp"
#include "cli/broker.hpp"
#include "cli/chat_session.hpp"
#include "cli/commands.hpp"
#include "cli/complain.hpp"
#include "cli/terminal.hpp"

namespace botel::cli {
namespace {

constexpr const char* kHint = "(/end or Ctrl-D ends the conversation)";

struct Options {
  BrokerOptions broker;
  std::string bot = "1";
};

int chat(const Options& options) {
  const auto config = find_broker(options.broker);
  if (!config) return complain(config.error(), 2);
  auto room = ChatRoom::fresh(options.bot);
  if (!room) return complain("--bot: " + room.error(), 2);

  log::set_up(log::Level::warning, log::Format::text);
  Terminal terminal;
  Counters counters;
  const auto link = open_link(*config, counters);
  if (!link) return complain(link.error());
  if (terminal.is_interactive()) terminal.view().show(kHint);
  ChatSession session(**link, terminal.view(), std::move(*room));
  const std::string trouble = terminal.lead(session, **link);
  return trouble.empty() ? 0 : complain(*config->broker + ": " + trouble);
}

}  // namespace

void add_chat(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("chat", "Talk to a bot in the terminal");
  add_broker_options(*command, options->broker);
  command->add_option("--bot", options->bot, "Gitple bot id")->capture_default_str();
  command->footer(
      "A line is said to the bot, a number chooses what it offers. /end, or Ctrl-D, ends the conversation; /cancel\n"
      "leaves a form.");
  command->callback([options] {
    if (const int code = chat(*options)) throw CLI::RuntimeError(code);
  });
}

}  // namespace botel::cli
