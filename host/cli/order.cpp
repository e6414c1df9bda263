#include "cli/order.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/control.hpp"
#include "base/text.hpp"

namespace botel::cli {

void add_host_options(CLI::App& command, HostOptions& options) {
  command.add_option("--config", options.config, "The host's configuration file, which names its data directory");
  command.add_option("--data", options.data, "Data directory of the host; else ~/.local/state/botel");
}

Result<app::Config> host_config(const HostOptions& options) {
  app::Config config = app::default_config();
  if (!options.config.empty()) {
    const auto mistakes = app::read_config(options.config, config);
    if (!mistakes.empty()) return failure("{}", mistakes.front());
  }
  if (!options.data.empty()) config.data = options.data;
  return config;
}

std::string order(std::string_view command, std::initializer_list<std::pair<std::string_view, std::string>> more) {
  std::string json = fmt::format(R"({{"command":"{}")", command);
  for (const auto& [key, value] : more) json += fmt::format(R"(,"{}":{})", key, value);
  return json + "}";
}

Result<std::string> ask(const HostOptions& options, const std::string& order) {
  const auto config = host_config(options);
  if (!config) return tl::unexpected(config.error());
  auto answer = app::ask(config->data, order);
  if (!answer) return answer;
  const auto read = json::read(*answer);
  if (!read) return failure("the host's answer cannot be read");
  if (const auto error = json::text(*read, "error"); !error.empty()) return failure("{}", error);
  return answer;
}

std::vector<json::Document> list(const json::Document& from, std::string_view key) {
  std::vector<json::Document> items;
  for (const auto& element : inside(from, key).elements) {
    if (auto item = json::read(element.raw)) items.push_back(std::move(*item));
  }
  return items;
}

json::Document inside(const json::Document& item, std::string_view key) {
  const auto value = item.find(key);
  auto read = value ? json::read(value->raw) : failure("");
  return read ? std::move(*read) : json::Document();
}

std::string of(const json::Document& item, std::string_view key) { return clean(json::text(item, key)); }

bool is_true(const json::Document& item, std::string_view key) {
  const auto value = item.find(key);
  return value && value->raw == "true";
}

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    fmt::print("{}\n", line.substr(0, line.find_last_not_of(' ') + 1));
  }
}

}  // namespace botel::cli
