#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/commands.hpp"

int main(int argc, char** argv) try {
  CLI::App app("A plugin-based bot host: it serves bots over MQTT", "botel");
  app.set_version_flag("--version", "botel " BOTEL_VERSION);
  app.require_subcommand(1);
  botel::cli::add_run(app);
  botel::cli::add_chat(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& result) {
    return app.exit(result);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "botel: {}\n", error.what());
  return 1;
}
