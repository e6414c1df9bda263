#include <CLI/CLI.hpp>
#include "cli/commands.hpp"
namespace botel::cli {
void add_chat(CLI::App& app) { app.add_subcommand("chat", "Talk to a bot in the terminal"); }
}  // namespace botel::cli
