#include "app/config.hpp"

#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <set>
#include <sstream>

#include <toml++/toml.h>

#include "app/broker_url.hpp"
#include "app/duration.hpp"
#include "base/files.hpp"
#include "mqtt/topics.hpp"

namespace botel::app {
namespace {

namespace fs = std::filesystem;

// Reads one table: what is there must be of the right kind, and what is there must be known.
class Table {
 public:
  Table(const toml::table& table, std::string name, const std::string& file, Mistakes& mistakes)
      : table_(table), name_(std::move(name)), file_(file), mistakes_(mistakes) {}

  // Every key that was not asked for is a mistake.
  ~Table() {
    for (const auto& [key, value] : table_) {
      if (!known_.contains(std::string(key.str()))) mistake(value, "{} has no key \"{}\"", name_, key.str());
    }
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  template <class... Args>
  void mistake(const toml::node& node, fmt::format_string<Args...> format, Args&&... args) {
    mistakes_.push_back(
        fmt::format("{}:{}: {}", file_, node.source().begin.line, fmt::format(format, std::forward<Args>(args)...)));
  }

  const toml::node* find(const std::string& key) {
    known_.insert(key);
    return table_.get(key);
  }

  std::optional<std::string> text(const std::string& key) {
    const toml::node* const node = find(key);
    if (!node) return {};
    auto value = node->value_exact<std::string>();
    if (!value) mistake(*node, "{}.{} must be a string", name_, key);
    return value;
  }

  std::optional<bool> flag(const std::string& key) {
    const toml::node* const node = find(key);
    if (!node) return {};
    auto value = node->value_exact<bool>();
    if (!value) mistake(*node, "{}.{} must be true or false", name_, key);
    return value;
  }

  std::optional<std::int64_t> integer(const std::string& key, std::int64_t least, std::int64_t most) {
    const toml::node* const node = find(key);
    if (!node) return {};
    auto value = node->value_exact<std::int64_t>();
    if (value && *value >= least && *value <= most) return value;
    mistake(*node, "{}.{} must be a whole number from {} to {}", name_, key, least, most);
    return {};
  }

  // A number of seconds, or a text with a unit; `least` and `most` are seconds.
  std::optional<std::chrono::milliseconds> time(const std::string& key, double least = 0.001, double most = 1e7) {
    const toml::node* const node = find(key);
    if (!node) return {};
    auto seconds = node->value<double>();
    if (const auto text = node->value_exact<std::string>()) {
      if (const auto duration = read_duration(*text)) seconds = duration->count();
    }
    if (seconds && *seconds >= least && *seconds <= most) {
      return std::chrono::milliseconds(std::llround(*seconds * 1000));
    }
    mistake(
        *node,
        R"({}.{} must be a time from {} to {:.0f} seconds: a number of them, or a text like "500ms", "10s", "5m", "1h" or "1d")",
        name_, key, least, most);
    return {};
  }

  // One topic filter, or a list of them.
  std::optional<std::vector<std::string>> filters(const std::string& key) {
    const toml::node* const node = find(key);
    if (!node) return {};
    std::vector<std::string> filters;
    const auto take = [&](const toml::node& item) {
      const auto filter = item.value_exact<std::string>();
      if (!filter || !mqtt::valid_filter(*filter)) {
        return mistake(item, "{}.{} must be a topic filter, or a list of them", name_, key);
      }
      // A room lives in one host, which must get all that is said to it.
      if (filter->starts_with("$share/")) {
        return mistake(item, "{}.{}: {} is a shared subscription, of which each host gets a part only", name_, key,
                       *filter);
      }
      filters.push_back(*filter);
    };
    if (const auto* list = node->as_array(); list && !list->empty()) {
      for (const auto& item : *list) take(item);
    } else {
      take(*node);
    }
    return filters;
  }

  // A file that can be read.
  std::optional<std::string> file(const std::string& key) {
    auto path = text(key);
    if (path && access(path->c_str(), R_OK) != 0) {
      mistake(*find(key), "{}.{}: {} cannot be read", name_, key, *path);
      path.reset();
    }
    return path;
  }

 private:
  const toml::table& table_;
  const std::string name_;
  const std::string& file_;
  Mistakes& mistakes_;
  std::set<std::string> known_;
};

template <class Value, class Given>
void set(Value& to, const std::optional<Given>& given) {
  if (given) to = static_cast<Value>(*given);
}

// What an editor or a shell puts around a text: a byte order mark before it, a line break after it.
std::string bare(std::string text) {
  constexpr std::string_view mark = "\uFEFF";
  if (text.starts_with(mark)) text.erase(0, mark.size());
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

void read_password(Table& table, mqtt::LinkConfig& link) {
  if (const auto file = table.file("password_file")) {
    const std::string line = first_line(*file);
    const bool is_utf16 = line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF");
    if (is_utf16) table.mistake(*table.find("password_file"), "mqtt.password_file: {} is UTF-16, not UTF-8", *file);
    link.password = bare(line);
  }
  if (const auto name = table.text("password_env")) {
    const char* const value = std::getenv(name->c_str());
    if (value) {
      link.password = bare(value);
    } else {
      table.mistake(*table.find("password_env"), "mqtt.password_env: the environment has no {}", *name);
    }
  }
  for (const char* const key : {"password_file", "password_env"}) {
    const toml::node* const node = table.find(key);
    if (node && link.user.empty()) table.mistake(*node, "mqtt.{} needs mqtt.user", key);
  }
  if (table.find("password_file") && table.find("password_env")) {
    table.mistake(*table.find("password_env"), "mqtt.password_file and mqtt.password_env: only one of them can be");
  }
}

void read_mqtt(Table& table, Config& config) {
  mqtt::LinkConfig& link = config.mqtt;
  if (const auto url = table.text("url")) {
    if (auto done = set_broker(*url, config); !done) table.mistake(*table.find("url"), "mqtt.url: {}", done.error());
  }
  if (const auto port = table.integer("private_port", 1, 65535)) config.broker_port = static_cast<int>(*port);
  set(link.user, table.text("user"));
  read_password(table, link);
  if (table.find("url") && table.find("private_port")) {
    table.mistake(*table.find("private_port"), "mqtt.private_port: there is no private broker beside mqtt.url");
  }
  set(link.ca, table.file("ca"));
  set(link.cert, table.file("cert"));
  set(link.key, table.file("key"));
  for (const char* const key : {"ca", "cert", "key"}) {
    const toml::node* const node = table.find(key);
    if (node && config.broker && !link.tls) table.mistake(*node, "mqtt.{}: there is TLS only with mqtts://", key);
  }
  for (const auto& [key, other] : {std::pair("cert", "key"), std::pair("key", "cert")}) {
    if (table.find(key) && !table.find(other)) table.mistake(*table.find(key), "mqtt.{} needs mqtt.{}", key, other);
  }
  set(link.client_id, table.text("client_id"));
  if (const auto version = table.text("version")) {
    if (*version == "5" || *version == "3.1.1") {
      link.version = *version == "5" ? 5 : 3;
    } else {
      table.mistake(*table.find("version"), "mqtt.version must be \"5\" or \"3.1.1\"");
    }
  }
  if (const auto qos = table.integer("qos", 0, 1)) link.qos = static_cast<int>(*qos);
  if (const auto time = table.time("session_expiry", 60, 4'294'967'295)) {
    link.session_expiry = std::chrono::ceil<std::chrono::seconds>(*time);
  }
  if (const auto time = table.time("keepalive", 5, 65535)) {
    link.keepalive = std::chrono::ceil<std::chrono::seconds>(*time);
  }
  set(link.max_payload, table.integer("max_payload", 1024, 256 << 20));
  set(link.max_waiting, table.integer("max_waiting", 1024, std::int64_t{1} << 40));
}

void read_gitple(Table& table, Config& config) {
  set(config.gitple.requests, table.filters("requests"));
  set(config.gitple.answers, table.filters("answers"));
  set(config.gitple.idle, table.time("idle_timeout"));
  set(config.gitple.request_timeout, table.time("request_timeout"));
  set(config.gitple.answer_timeout, table.time("answer_timeout"));
  set(config.gitple.leave_timeout, table.time("leave_timeout"));
  set(config.gitple.drop_repeats, table.time("drop_repeats"));
}

void read_moca(Table& table, Config& config) {
  set(config.moca.step_timeout, table.time("step_timeout"));
  set(config.moca.answer_timeout, table.time("answer_timeout"));
  set(config.moca.longest_answer, table.time("longest_answer"));
}

void read_host(Table& table, Config& config) {
  set(config.plugins, table.text("plugins"));
  set(config.data, table.text("data"));
  set(config.plugin_copies, table.text("plugin_copies"));
  set(config.plugins_writable_by_others, table.flag("plugins_writable_by_others"));
  set(config.data_writable_by_others, table.flag("data_writable_by_others"));
  set(config.threads, table.integer("threads", 2, 1000));
  set(config.slow_handler, table.time("slow_handler"));
  set(config.probation, table.time("probation"));
  set(config.probation_failures, table.integer("probation_failures", 1, 1'000'000));
  set(config.probe_time, table.time("probe_time"));
  if (const auto name = table.text("log_level")) {
    const auto level = log_level(*name);
    if (!level) table.mistake(*table.find("log_level"), "host.log_level must be debug, info, warning or error");
    set(config.log_level, level);
  }
  if (const auto name = table.text("log_format")) {
    const auto format = log_format(*name);
    if (!format) table.mistake(*table.find("log_format"), "host.log_format must be text or json");
    set(config.log_format, format);
  }
}

void read_store(Table& table, Config& config) {
  const auto name = table.text("durability");
  if (!name) return;
  if (*name == "off") {
    config.durability = Durability::off;
  } else if (*name == "relaxed") {
    config.durability = Durability::relaxed;
  } else if (*name == "strict") {
    config.durability = Durability::strict;
  } else {
    table.mistake(*table.find("durability"), "store.durability must be off, relaxed or strict");
  }
}

std::string as_json(const toml::table& values) {
  std::ostringstream json;
  json << toml::json_formatter(values);
  return json.str();
}

// [plugin.NAME]: the configuration of the bot or connector NAME.
void read_plugins(Table& top, Config& config) {
  const toml::node* const plugins = top.find("plugin");
  if (!plugins) return;
  const toml::table* const all = plugins->as_table();
  if (!all) return top.mistake(*plugins, "configurations of plugins are written as [plugin.NAME] tables");
  for (const auto& [name, node] : *all) {
    if (const toml::table* const values = node.as_table()) {
      config.bots.configs[std::string(name.str())] = as_json(*values);
    } else {
      top.mistake(node, "[plugin.{}] must be a table", name.str());
    }
  }
}

void read_bot(Table& table, const toml::node& node, Config& config) {
  BotConfig bot;
  const auto id = table.text("id");
  const auto name = table.text("name");
  if (!id || id->empty()) table.mistake(node, "[[bot]] needs an id: a Gitple bot id, or \"*\" for the rest");
  if (!name || name->empty()) table.mistake(node, "[[bot]] needs a name: that of a bot");
  set(bot.id, id);
  set(bot.name, name);
  for (const BotConfig& other : config.bots.rows) {
    if (id && other.id == *id) table.mistake(node, "[[bot]] id \"{}\" is there twice", *id);
  }
  if (const toml::node* const given = table.find("config")) {
    if (const toml::table* const values = given->as_table()) {
      bot.config = as_json(*values);
    } else {
      table.mistake(*given, "[[bot]] config must be a table");
    }
  }
  config.bots.rows.push_back(std::move(bot));
}

void read_bots(Table& top, Config& config, const std::string& file, Mistakes& mistakes) {
  const toml::node* const bots = top.find("bot");
  if (!bots) return;
  const toml::array* const list = bots->as_array();
  if (!list || !list->is_array_of_tables()) return top.mistake(*bots, "bots are written as [[bot]] tables");
  for (const toml::node& node : *list) {
    Table table(*node.as_table(), "[[bot]]", file, mistakes);
    read_bot(table, node, config);
  }
}

void read_file(const toml::table& parsed, Config& config, const std::string& file, Mistakes& mistakes) {
  Table top(parsed, "the file", file, mistakes);
  const auto section = [&](const char* name, auto read) {
    const toml::node* const node = top.find(name);
    if (!node) return;
    const toml::table* const values = node->as_table();
    if (!values) return top.mistake(*node, "[{}] must be a table", name);
    Table table(*values, name, file, mistakes);
    read(table, config);
    config.fixed[name] = as_json(*values);
  };
  section("mqtt", read_mqtt);
  section("gitple", read_gitple);
  section("moca", read_moca);
  section("store", read_store);
  section("host", read_host);
  read_bots(top, config, file, mistakes);
  read_plugins(top, config);
}

fs::path default_plugins() {
  std::error_code error;
  const fs::path prefix = fs::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  const fs::path built = prefix / "plugins";
  return fs::is_directory(built, error) ? built : prefix / BOTEL_PLUGIN_FOLDER;
}

fs::path default_data() {
  if (const char* const state = std::getenv("XDG_STATE_HOME"); state && *state == '/') return fs::path(state) / "botel";
  const char* const home = std::getenv("HOME");
  return fs::path(home && *home ? home : "/var/lib") / (home && *home ? ".local/state/botel" : "botel");
}

}  // namespace

Config default_config() {
  Config config;
  config.plugins = default_plugins();
  config.data = default_data();
  return config;
}

Mistakes read_config(const fs::path& path, Config& config) {
  const std::string file = path.string();
  if (access(file.c_str(), R_OK) != 0 || fs::is_directory(path)) return {fmt::format("{}: cannot be read", file)};
  toml::table parsed;
  try {
    parsed = toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    return {fmt::format("{}:{}: {}", file, error.source().begin.line, error.description())};
  }
  Mistakes mistakes;
  read_file(parsed, config, file, mistakes);
  return mistakes;
}

Result<> set_broker(const std::string& url, Config& config) {
  auto parsed = parse_broker_url(url);
  if (!parsed) return tl::unexpected(parsed.error());
  config.broker = url;
  config.mqtt.tls = parsed->tls;
  config.mqtt.host = std::move(parsed->host);
  config.mqtt.port = parsed->port;
  return {};
}

std::optional<log::Level> log_level(std::string_view name) {
  if (name == "debug") return log::Level::debug;
  if (name == "info") return log::Level::info;
  if (name == "warning") return log::Level::warning;
  if (name == "error") return log::Level::error;
  return {};
}

std::optional<log::Format> log_format(std::string_view name) {
  if (name == "text") return log::Format::text;
  if (name == "json") return log::Format::json;
  return {};
}

}  // namespace botel::app
