// The commands of the program, a file each.
#pragma once

namespace CLI {
class App;
}

namespace botel::cli {

// Each adds its command, which when it runs throws CLI::RuntimeError with the exit code, or returns.
void add_run(CLI::App& app);
void add_chat(CLI::App& app);
void add_store(CLI::App& app);
void add_plugins(CLI::App& app);  // plugins, check, reload, rollback
void add_connectors(CLI::App& app);
void add_connect(CLI::App& app);
void add_probe(CLI::App& app);

}  // namespace botel::cli
