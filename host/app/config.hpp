// What an operator decides: the configuration file (TOML) and what the command line puts above it.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/result.hpp"
#include "gitple/service.hpp"
#include "moca/service.hpp"
#include "mqtt/link.hpp"

namespace botel::app {

// Which bot serves a Gitple bot id.
struct BotConfig {
  std::string id;                          // "*": all ids that no other table names
  std::string name;                        // of the bot, as its plugin calls it
  std::optional<std::string> config = {};  // JSON object, given to the bot; none: that of its name
};

// What may change while the host runs.
struct BotsConfig {
  std::vector<BotConfig> rows;  // empty: each bot serves the id that is its name, and the first one numbers
  std::map<std::string, std::string> configs;  // JSON objects, by names of bots and connectors
};

// When what has happened is on disk.
enum class Durability {
  off,      // never: it ends with the process
  relaxed,  // shortly after it is acknowledged
  strict    // before it is acknowledged
};

struct Config {
  std::optional<std::string> broker;  // URL; nothing: a private broker
  std::optional<int> broker_port;     // of the private one
  mqtt::LinkConfig mqtt;
  gitple::ServiceConfig gitple;
  moca::ServiceConfig moca;
  std::filesystem::path plugins;
  std::filesystem::path data;
  std::filesystem::path plugin_copies;      // where plugins are loaded from; empty: in `data`
  bool plugins_writable_by_others = false;  // whom the operator trusts to run code as the host
  bool data_writable_by_others = false;     // the same
  BotsConfig bots;
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;
  unsigned threads = 16;                        // at the most
  std::chrono::milliseconds slow_handler{100};  // what takes longer is named in the log
  Durability durability = Durability::relaxed;
  unsigned probation_failures = 5;                                // of handlers, until a new version is rolled back
  std::chrono::milliseconds probation{std::chrono::minutes(1)};   // for so long behind its take-over
  std::chrono::milliseconds probe_time{std::chrono::seconds(5)};  // in which a plugin must have been tried
  std::map<std::string, std::string> fixed = {};  // by table: what the file says that is only taken at the start
};

using Mistakes = std::vector<std::string>;

// The defaults, for this user and this executable.
[[nodiscard]] Config default_config();

// Puts what `file` says above `config`. All mistakes at once, each as `FILE:LINE: what is wrong`.
[[nodiscard]] Mistakes read_config(const std::filesystem::path& file, Config& config);

// Puts mqtt://HOST[:PORT] or mqtts://HOST[:PORT] into `config`.
[[nodiscard]] Result<> set_broker(const std::string& url, Config& config);

[[nodiscard]] std::optional<log::Level> log_level(std::string_view name);
[[nodiscard]] std::optional<log::Format> log_format(std::string_view name);

}  // namespace botel::app
