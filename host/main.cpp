#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "base/init_process.hpp"
#include "base/log.hpp"
#include "cli/commands.hpp"

namespace {

// Where stdin, stdout or stderr is closed, the next file to be opened would be taken for it.
void fill_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) try {
  fill_standard_descriptors();
  if (const auto done = botel::leave_first_process(); !done) {
    fmt::print(stderr, "botel: {}\n", done.error());
    return 1;
  }
  CLI::App app("A plugin-based bot host: it serves bots over MQTT", "botel");
  app.set_version_flag("--version", "botel " BOTEL_VERSION);
  app.require_subcommand(1);
  botel::cli::add_run(app);
  botel::cli::add_chat(app);
  botel::cli::add_plugins(app);
  botel::cli::add_connectors(app);
  botel::cli::add_connect(app);
  botel::cli::add_store(app);
  botel::cli::add_probe(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RuntimeError& result) {
    return result.get_exit_code();
  } catch (const CLI::ParseError& result) {
    return app.exit(result) == 0 ? 0 : 2;
  }
  return 0;
} catch (const std::exception& error) {
  botel::log::print(STDERR_FILENO, fmt::format("botel: {}", error.what()));
  return 1;
}
