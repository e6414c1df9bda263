// botel store: looks after the file that conversations are kept in.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "app/data_folder.hpp"
#include "base/files.hpp"
#include "cli/commands.hpp"
#include "cli/order.hpp"
#include "store/maintenance.hpp"
#include "store/sqlite.hpp"

namespace botel::cli {
namespace {

namespace fs = std::filesystem;

int failed(const std::string& why) {
  fmt::print(stderr, "botel: {}\n", why);
  return 1;
}

int check(const app::Config& config) {
  const fs::path file = config.data / store::kFile;
  const auto checked = store::check(file);
  if (!checked) return failed(checked.error());
  fmt::print("{}: schema {}\n", file.string(), checked->schema);
  for (const auto& table : checked->tables) fmt::print("  {} {}\n", table.name, table.records);
  for (const auto& damage : checked->damages) fmt::print("damaged: {}\n", damage);
  if (!checked->damages.empty()) return failed("`botel store repair` saves what can be read");
  fmt::print("no damage\n");
  return 0;
}

// Whether it is a directory of ours is asked first: taking its lock would make one.
int repair(const app::Config& config) {
  const fs::path file = config.data / store::kFile;
  if (!fs::exists(file)) return failed(fmt::format("there is no {}", file.string()));
  const auto folder = app::DataFolder::open(config.data, config.data_writable_by_others);
  if (!folder) return failed(folder.error());
  const auto repaired = store::repair(file);
  if (!repaired) return failed(repaired.error());
  for (const auto& table : repaired->tables) {
    fmt::print("{} {}{}\n", table.name, table.saved, table.damaged ? ", others could not be read" : "");
    if (table.left_out > 0) fmt::print("{} {} left out: their actors are lost\n", table.name, table.left_out);
  }
  fmt::print("saved in {}; the old file is {}\n", file.string(), repaired->aside.string());
  return 0;
}

int export_all(const app::Config& config) {
  const auto done = store::export_to(config.data / store::kFile, stdout);
  return done ? 0 : failed(done.error());
}

int back_up(const app::Config& config, const fs::path& to) {
  const auto done = store::back_up(config.data / store::kFile, to);
  if (!done) return failed(done.error());
  fmt::print("saved in {}; passwords and tokens of connectors are in it\n", to.string());
  return 0;
}

// Who was running when the other store was written is no part of this one.
int restore(const app::Config& config, const fs::path& copy) {
  if (!fs::exists(copy)) return failed(fmt::format("there is no {}", copy.string()));
  const auto folder = app::DataFolder::open(config.data, config.data_writable_by_others);
  if (!folder) return failed(folder.error());
  const fs::path file = config.data / store::kFile;
  const auto aside = store::restore(copy, file);
  if (!aside) return failed(aside.error());
  remove_files({(*folder)->running()});
  fmt::print("{} is as {} is{}\n", file.string(), copy.string(),
             aside->empty() ? "" : fmt::format("; the old file is {}", aside->string()));
  return 0;
}

}  // namespace

void add_store(CLI::App& app) {
  CLI::App* const store = app.add_subcommand("store", "Look after the file that conversations are kept in");
  store->require_subcommand(1);
  const auto options = std::make_shared<HostOptions>();
  const auto add = [&](const char* name, const char* what, auto run) {
    CLI::App* const command = store->add_subcommand(name, what);
    add_host_options(*command, *options);
    command->callback([options, run] {
      const auto config = host_config(*options);
      if (const int code = config ? run(*config) : failed(config.error())) throw CLI::RuntimeError(code);
    });
    return command;
  };
  add("check", "Look for damage, and count the records", check);
  add("repair", "Save what can be read of a damaged file into a new one; no host may run", repair);
  add("export", "Write all records as JSON, one a line", export_all);
  const auto file = std::make_shared<std::string>();
  const auto with_file = [&](const char* name, const char* what, int (*run)(const app::Config&, const fs::path&)) {
    CLI::App* const command = add(name, what, [file, run](const app::Config& config) { return run(config, *file); });
    command->add_option("FILE", *file, "The copy")->required();
  };
  with_file("backup", "Copy the store to a new file, also while a host runs", back_up);
  with_file("restore", "Put such a copy in the store's place; no host may run", restore);
}

}  // namespace botel::cli
