// What is asked of a running host (app::Control), and how its answers are read.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

namespace CLI {
class App;
}

namespace botel::cli {

struct HostOptions {
  std::string config, data;
};

// --config and --data. `options` outlives the command.
void add_host_options(CLI::App& command, HostOptions& options);

// What the host is told itself: of its data directory, and whom it trusts.
[[nodiscard]] Result<app::Config> host_config(const HostOptions& options);

// {"command":COMMAND,...}: the values are JSON.
[[nodiscard]] std::string order(std::string_view command,
                                std::initializer_list<std::pair<std::string_view, std::string>> more = {});

// The host's answer, a JSON object, or its error.
[[nodiscard]] Result<std::string> ask(const HostOptions& options, const std::string& order);

// The objects in the array `key`.
[[nodiscard]] std::vector<json::Document> list(const json::Document& from, std::string_view key);
// The inside of the member `key`; empty where there is none.
[[nodiscard]] json::Document inside(const json::Document& item, std::string_view key);
// A text or a number, clean.
[[nodiscard]] std::string of(const json::Document& item, std::string_view key);
[[nodiscard]] bool is_true(const json::Document& item, std::string_view key);

// Columns as wide as what is in them.
void print_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace botel::cli
