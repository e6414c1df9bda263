// botel plugins, check, reload and rollback: what is asked of a running host.
#include <fmt/chrono.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>

#include "app/data_folder.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/complain.hpp"
#include "cli/hanging.hpp"
#include "cli/order.hpp"
#include "cli/text.hpp"
#include "plugin/candidate.hpp"

namespace botel::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  HostOptions host;
  std::string name, file;
  bool json = false, restart_rooms = false;
};

std::string when(const json::Document& outcome) {
  const auto value = outcome.find("time_ms");
  const auto time_ms = value ? json::integer(*value).value_or(0) : 0;
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(time_ms / 1000)));
}

int show(const Options& options) {
  const auto answer = ask(options.host, order("plugins", {}));
  if (!answer) return complain(answer.error());
  if (options.json) {
    fmt::print("{}", *answer);
    return 0;
  }
  const json::Document all = *json::read(*answer);
  const Hanging hanging(all);
  std::vector<std::vector<std::string>> rows{
      {"NAME", "KIND", "VERSION", "ABI", "STATE", "GEN", "ROOMS", "CALLS", "ERRORS", "SHA256", "FILE", "LAST CHANGE"}};
  for (const auto& item : list(all, "plugins")) {
    const auto last = inside(item, "last");
    rows.push_back({of(item, "name"), of(item, "kind"), of(item, "version"), of(item, "abi"),
                    hanging.state(of(item, "state"), of(item, "name"), of(item, "version")), of(item, "generation"),
                    of(item, "rooms"), of(item, "calls"), of(item, "errors"), of(item, "sha256").substr(0, 12),
                    of(item, "file"), when(last) + (is_true(last, "good") ? " " : " refused: ") + of(last, "text")});
  }
  print_table(rows);
  std::string named;
  for (const auto& item : list(all, "plugins")) {
    const std::string file = of(item, "file"), why = of(item, "refused");
    if (why.empty() || why == of(inside(item, "last"), "text") || std::exchange(named, file) == file) continue;
    fmt::print("{} in the folder is another one, and is refused: {}\n", file, why);
  }
  for (const auto& item : list(all, "not_loaded")) {
    const std::string why = of(inside(item, "last"), "text");
    fmt::print("{} is not loaded: {}\n", of(item, "file"), why.empty() ? "it is being tried, or loaded" : why);
  }
  for (const auto& each : inside(all, "not_served").elements) fmt::print("{}\n", clean(json::text(each)));
  for (const auto& item : list(all, "missing")) {
    const std::string kind = of(item, "kind");
    fmt::print("the {} {} {}: {} waiting\n", kind, of(item, "name"), of(item, "why"),
               counted(std::stoul(of(item, "rooms")), kind == "bot" ? "room" : kind));
  }
  for (const auto& each : inside(all, "still_in_memory").elements) {
    fmt::print("still in memory: {}\n", clean(json::text(each)));
  }
  hanging.print();
  return 0;
}

// Each result in a line, or several; 1 when one is bad.
int print_results(const Result<std::string>& answer) {
  if (!answer) return complain(answer.error());
  int code = 0;
  for (const auto& result : list(*json::read(*answer), "results")) {
    const auto outcome = inside(result, "outcome");
    const bool good = is_true(outcome, "good");
    const std::string file = of(result, "file"), text = json::text(outcome, "text");
    for (const auto& line : clean_lines(text)) {
      fmt::print(good ? stdout : stderr, "{}{}{}\n", file, file.empty() ? "" : ": ", line);
    }
    if (!good) code = 1;
  }
  return code;
}

int reload(const Options& options) {
  return print_results(
      ask(options.host, order("reload", {{"name", json::quoted(options.name)},
                                         {"restart_rooms", options.restart_rooms ? "true" : "false"}})));
}

int rollback(const Options& options) {
  return print_results(ask(options.host, order("rollback", {{"name", json::quoted(options.name)}})));
}

// Where no host runs: as far as that can be known without one. Nobody knows the configurations then.
int check_alone(const fs::path& file, const app::Config& config) {
  const fs::path root = config.plugin_copies.empty() ? fs::temp_directory_path() : config.plugin_copies;
  std::string folder = (root / "botel-check-XXXXXX").string();
  if (!mkdtemp(folder.data())) return complain("no temporary folder can be made");
  plugin::Candidate candidate({});
  const auto writers = config.plugins_writable_by_others ? plugin::Writers::any : plugin::Writers::ours;
  candidate.stage({}, file, fs::path(folder) / "plugin.so", writers);
  std::deque<runtime::Role> roles;
  if (candidate.gone) candidate.error = "there is no such file";
  if (candidate.error.empty()) {
    for (const auto& item : candidate.note().items) {
      candidate.parts.push_back({&roles.emplace_back(item.id), "{}"});
    }
    candidate.try_out({}, std::atomic<bool>(false));
  }
  if (const auto named = plugin::check_name(file.filename().string()); !named && candidate.error.empty())
    candidate.error = named.error();
  const bool good = candidate.is_good();
  for (const auto& line : clean_lines(candidate.error.empty() ? candidate.report() : candidate.error)) {
    fmt::print(good ? stdout : stderr, "{}: {}\n", file.filename().string(), line);
  }
  candidate.staged.reset();
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  if (good) fmt::print("no host is running: rooms, configurations and other plugins were not looked at\n");
  return good ? 0 : 1;
}

int check(const Options& options) {
  const fs::path file = fs::absolute(options.file);
  const auto config = host_config(options.host);
  if (!config) return complain(config.error());
  if (!app::DataFolder::announced(config->data)) return check_alone(file, *config);
  return print_results(ask(options.host, order("check", {{"file", json::quoted(file.string())}})));
}

}  // namespace

void add_plugins(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  const auto add = [&](const char* name, const char* what, int (*run)(const Options&)) {
    CLI::App* const command = app.add_subcommand(name, what);
    add_host_options(*command, options->host);
    command->callback([options, run] {
      if (const int code = run(*options)) throw CLI::RuntimeError(code);
    });
    return command;
  };
  add("plugins", "Show the plugins of the running host", show)
      ->add_flag("--json", options->json, "As JSON, for programs");
  add("check", "Say what the host would make of a plugin's file, before it is dropped in", check)
      ->add_option("file", options->file, "The file")
      ->required();
  CLI::App* const again = add("reload", "Take over at once what has changed, configuration included", reload);
  again->add_option("name", options->name, "A file or a bot; else all");
  again->add_flag("--restart-rooms", options->restart_rooms, "Rooms whose state cannot be read begin anew");
  add("rollback", "Go back to the version before", rollback)
      ->add_option("name", options->name, "A file or a bot")
      ->required();
}

}  // namespace botel::cli
