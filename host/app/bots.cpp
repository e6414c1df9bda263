#include "app/bots.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"
#include "base/text.hpp"

namespace botel::app {

using runtime::Role;

const BotConfig* Bots::row(const std::string& id) const {
  const auto& rows = config_.rows;
  const auto found = std::ranges::find(rows, id, &BotConfig::id);
  if (found != rows.end()) return &*found;
  const auto rest = std::ranges::find(rows, "*", &BotConfig::id);
  return rest == rows.end() ? nullptr : &*rest;
}

void Bots::offer(const plugin::Item& item) {
  offered_.insert(item.id);
  if (item.kind == BOTEL_CONNECTOR) connectors_.insert(item.id);
}

Role* Bots::find(const std::string& id) {
  const BotConfig* const found = row(id);
  if (!found) return config_.rows.empty() ? find_by_name(id) : nullptr;
  Role& wanted = of(*found);
  Role*& last = last_[found->id];
  if (wanted.logic() || !last || !last->logic()) last = &wanted;
  return last;
}

// Without any table each bot serves the id that is its name, and the first by name serves the rest.
Role* Bots::find_by_name(const std::string& id) const {
  const auto is_bot = [this](const auto& each) {
    const bool is_known = each.second->logic() || each.second->actors() > 0 || offered_.contains(each.first);
    return is_known && !connectors_.contains(each.first);
  };
  if (const auto known = by_name_.find(id); known != by_name_.end() && is_bot(*known)) return known->second.get();
  const auto first =
      std::ranges::find_if(by_name_, [&](const auto& each) { return each.second->logic() && is_bot(each); });
  return first == by_name_.end() ? nullptr : first->second.get();
}

Role& Bots::owner(const std::string& id, const std::string& name) {
  const BotConfig* const found = row(id);
  return found && found->name == name ? of(*found) : named(name);
}

bool Bots::is_served(const BotConfig& row) const {
  const auto serves = [](const auto& roles, const auto& key) {
    const auto found = roles.find(key);
    return found != roles.end() && found->second->logic();
  };
  return row.config ? serves(by_row_, Row(row.id, row.name)) : serves(by_name_, row.name);
}

Role& Bots::of(const BotConfig& row) {
  if (!row.config) return named(row.name);
  auto& role = by_row_[{row.id, row.name}];
  if (!role) role = std::make_unique<Role>(row.name);
  return *role;
}

Role& Bots::connector(const std::string& type) {
  connectors_.insert(type);
  return named(type);
}

Role& Bots::named(const std::string& name) {
  auto& role = by_name_[name];
  if (!role) role = std::make_unique<Role>(name);
  return *role;
}

std::string Bots::config_of(const std::string& name) const {
  const auto found = config_.configs.find(name);
  return found == config_.configs.end() ? "{}" : found->second;
}

bool Bots::wants(const std::string& name) const {
  const auto known = by_name_.find(name);
  return config_.rows.empty() || (known != by_name_.end() && known->second->actors() > 0) ||
         std::ranges::any_of(config_.rows, [&](const BotConfig& row) { return !row.config && row.name == name; });
}

std::vector<plugin::Part> Bots::parts(const plugin::Item& item) {
  std::vector<plugin::Part> parts;
  if (item.kind == BOTEL_CONNECTOR) return {{&named(item.id), config_of(item.id)}};
  if (item.kind != BOTEL_BOT) return parts;
  if (wants(item.id)) parts.push_back({&named(item.id), config_of(item.id)});
  for (const BotConfig& row : config_.rows) {
    if (row.config && row.name == item.id) parts.push_back({&of(row), *row.config});
  }
  // A table that is there no more may have left rooms.
  for (const auto& [key, role] : by_row_) {
    const BotConfig* const now = row(key.first);
    const bool is_there = now && now->id == key.first && now->name == key.second && now->config;
    if (!is_there && key.second == item.id && role->actors() > 0) {
      parts.push_back({role.get(), config_of(item.id)});
    }
  }
  return parts;
}

std::vector<const Role*> Bots::all() const {
  std::vector<const Role*> roles;
  for (const auto& [name, role] : by_name_) roles.push_back(role.get());
  for (const auto& [row, role] : by_row_) roles.push_back(role.get());
  return roles;
}

std::vector<std::string> Bots::served(bool connectors) const {
  std::set<std::string> names;
  for (const Role* const role : all()) {
    if (role->logic() && connectors_.contains(role->name()) == connectors) names.insert(role->name());
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> Bots::names() const { return served(false); }
std::vector<std::string> Bots::connectors() const { return served(true); }

std::map<std::string, std::size_t> Bots::missing() const {
  std::map<std::string, std::size_t> missing;
  for (const Role* const role : all()) {
    const auto& logic = role->logic();
    const auto rooms =
        role->is_gone() ? role->actors() : role->unreadable(logic->schema_oldest(), logic->schema_written());
    if (rooms > 0) missing[role->name()] += rooms;
  }
  return missing;
}

void Bots::complain() const {
  for (const BotConfig& row : config_.rows) {
    if (is_served(row) || !offered_.contains(row.name)) continue;
    log::error("bot id {} is not served: no instance could be made of {}", log::printable(row.id),
               log::printable(row.name));
  }
  complain_of_names();
  for (const auto& [name, actors] : missing()) {
    const bool is_connector = connectors_.contains(name);
    log::error("the {} {} is not there, is failing or cannot read what it left: {} waiting",
               is_connector ? "connector" : "bot", name, counted(actors, is_connector ? "connector" : "room"));
  }
  if (names().empty() && connectors().empty()) log::error("no bot is served");
}

void Bots::complain_of_names() const {
  for (const BotConfig& row : config_.rows) {
    if (!offered_.contains(row.name)) {
      log::warning("no plugin offers the bot {}, which shall serve the bot id {}", log::printable(row.name),
                   log::printable(row.id));
    }
  }
  for (const auto& [name, config] : config_.configs) {
    if (!offered_.contains(name)) log::warning("no plugin offers {0}: nobody reads [plugin.{0}]", log::printable(name));
  }
}

}  // namespace botel::app
