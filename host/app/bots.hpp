// Which bot serves which Gitple bot id, and which connector which type, with which configuration. [driver]
#pragma once

#include <functional>
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

  // A plugin offers it from now on.
  void offer(const plugin::Item& item);

  // Who serves a Gitple bot id; null when nobody shall. While who shall is not there, who has served it goes on.
  [[nodiscard]] runtime::Role* find(const std::string& id);
  // Who serves the rooms that the bot `name` had under a Gitple bot id in an earlier run.
  [[nodiscard]] runtime::Role& owner(const std::string& id, const std::string& name);

  // Who serves the connectors of a type.
  [[nodiscard]] runtime::Role& connector(const std::string& type);

  // The instances that are wanted of a bot or a connector.
  [[nodiscard]] std::vector<plugin::Part> parts(const plugin::Item& item);

  // Bots, and connectors, that serve somebody, sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<std::string> connectors() const;
  // Rooms or connectors that wait for somebody, and why.
  struct Missing {
    std::string name, kind;  // "bot" or "connector"
    std::size_t actors = 0;
    std::string why;  // "is not there"
  };
  [[nodiscard]] std::vector<Missing> missing() const;
  // The bot ids that nobody serves: "bot id 1 is not served: no plugin offers dice". `why`: Plugins::why_not_served().
  using Why = std::function<std::string(const std::string& name)>;
  [[nodiscard]] std::vector<std::string> not_served(const Why& why) const;
  // Says so in the log, and which tables nobody reads, and who waits.
  void complain(const Why& why) const;
  // Only of names that no plugin has offered: instances of the others may be on their way.
  void complain_of_names(const Why& why) const;

 private:
  using Row = std::pair<std::string, std::string>;  // a Gitple bot id, and the bot's name

  [[nodiscard]] static std::string complaint(const BotConfig& row, const Why& why);
  void complain_of_tables(const Why& why) const;
  [[nodiscard]] const BotConfig* row(const std::string& id) const;
  [[nodiscard]] runtime::Role* find_by_name(const std::string& id) const;
  [[nodiscard]] bool is_served(const BotConfig& row) const;
  [[nodiscard]] runtime::Role& of(const BotConfig& row);
  [[nodiscard]] runtime::Role& named(const std::string& name);
  [[nodiscard]] std::string config_of(const std::string& name) const;
  [[nodiscard]] bool wants(const std::string& name) const;
  [[nodiscard]] std::vector<const runtime::Role*> all() const;
  [[nodiscard]] std::vector<std::string> served(std::int32_t kind) const;

  BotsConfig config_;
  std::map<std::string, std::unique_ptr<runtime::Role>> by_name_;
  std::map<Row, std::unique_ptr<runtime::Role>> by_row_;              // those with a configuration of their own
  std::map<std::string, runtime::Role*> last_;                        // by Gitple bot id: who has served it
  std::map<std::string, std::unique_ptr<runtime::Role>> connectors_;  // by type: a bot may have had the same name
  std::set<std::string> offered_, offered_connectors_;                // names that plugins have had in this run
};

}  // namespace botel::app
