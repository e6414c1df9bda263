// Which bot serves which Gitple bot id, and with which configuration. [driver]
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/config.hpp"
#include "plugin/plugins.hpp"
#include "runtime/role.hpp"

namespace botel::app {

class Bots {
 public:
  explicit Bots(const BotsConfig& config) : config_(config) {}

  // From now on. Rooms stay with their bots.
  void configure(const BotsConfig& config) { config_ = config; }

  // Who serves a Gitple bot id; null when nobody shall.
  [[nodiscard]] runtime::Role* find(const std::string& id);
  // Who serves the rooms that the bot `name` had under a Gitple bot id in an earlier run.
  [[nodiscard]] runtime::Role& owner(const std::string& id, const std::string& name);

  // The instances that are wanted of a bot.
  [[nodiscard]] std::vector<plugin::Part> parts(const plugin::Item& item);

  // Bots that serve somebody, sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  // How many rooms wait for each bot that is missing, or that cannot read their state.
  [[nodiscard]] std::map<std::string, std::size_t> missing() const;
  // Names in the log what the configuration wants and nobody serves.
  void complain() const;

 private:
  using Row = std::pair<std::string, std::string>;  // a Gitple bot id, and the bot's name

  [[nodiscard]] const BotConfig* row(const std::string& id) const;
  [[nodiscard]] bool is_served(const BotConfig& row) const;
  [[nodiscard]] runtime::Role& of(const BotConfig& row);
  [[nodiscard]] runtime::Role& named(const std::string& name);
  [[nodiscard]] std::string config_of(const std::string& name) const;
  [[nodiscard]] bool wants(const std::string& name) const;
  [[nodiscard]] std::vector<const runtime::Role*> all() const;

  BotsConfig config_;
  std::map<std::string, std::unique_ptr<runtime::Role>> by_name_;
  std::map<Row, std::unique_ptr<runtime::Role>> by_row_;  // those with a configuration of their own
  std::set<std::string> offered_;                         // names that plugins have had in this run
};

}  // namespace botel::app
