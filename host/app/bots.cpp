#include "app/bots.hpp"

#include <algorithm>
#include <set>
#include <tuple>

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
  (item.kind == BOTEL_CONNECTOR ? offered_connectors_ : offered_).insert(item.id);
}

Role* Bots::find(const std::string& id) {
  const BotConfig* const found = row(id);
  if (!found) return config_.rows.empty() ? find_by_name(id) : nullptr;
  Role& wanted = of(*found);
  Role*& last = last_[found->id];
  if (wanted.logic() || !last || !last->logic()) last = &wanted;
  return last;
}

// Without any table each bot serves the id that is its name, and the first by name all ids that are numbers, as those
// of Gitple are: one that is a name and is nobody's is a mistake.
Role* Bots::find_by_name(const std::string& id) const {
  const auto is_known = [this](const auto& each) {
    return each.second->logic() || each.second->actors() > 0 || offered_.contains(each.first);
  };
  if (const auto known = by_name_.find(id); known != by_name_.end() && is_known(*known)) return known->second.get();
  const bool is_number = !id.empty() && id.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number) return nullptr;
  const auto first = std::ranges::find_if(by_name_, [](const auto& each) { return each.second->logic() != nullptr; });
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
  auto& role = connectors_[type];
  if (!role) role = std::make_unique<Role>(type, BOTEL_CONNECTOR);
  return *role;
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
  if (item.kind == BOTEL_CONNECTOR) return {{&connector(item.id), config_of(item.id)}};
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
  for (const auto& [type, role] : connectors_) roles.push_back(role.get());
  return roles;
}

std::vector<std::string> Bots::served(std::int32_t kind) const {
  std::set<std::string> names;
  for (const Role* const role : all()) {
    if (role->logic() && role->kind() == kind) names.insert(role->name());
  }
  return {names.begin(), names.end()};
}

std::vector<std::string> Bots::names() const { return served(BOTEL_BOT); }
std::vector<std::string> Bots::connectors() const { return served(BOTEL_CONNECTOR); }

std::vector<Bots::Missing> Bots::missing() const {
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> counts;
  for (const Role* const role : all()) {
    const auto& logic = role->logic();
    const auto actors =
        role->is_gone() ? role->actors() : role->unreadable(logic->schema_oldest(), logic->schema_written());
    const std::string kind = role->kind() == BOTEL_CONNECTOR ? "connector" : "bot";
    const std::string why = !logic ? "is not there" : role->is_gone() ? "is failing" : "cannot read what it left";
    if (actors > 0) counts[{role->name(), kind, why}] += actors;
  }
  std::vector<Missing> missing;
  for (const auto& [who, actors] : counts) {
    const auto& [name, kind, why] = who;
    missing.push_back({name, kind, actors, why});
  }
  return missing;
}

std::vector<std::string> Bots::not_served(const Why& why) const {
  std::vector<std::string> all;
  for (const BotConfig& row : config_.rows) {
    if (!is_served(row)) all.push_back(complaint(row, why));
  }
  return all;
}

std::string Bots::complaint(const BotConfig& row, const Why& why) {
  return fmt::format("bot id {} is not served: {}", log::printable(row.id), why(row.name));
}

void Bots::complain_of_names(const Why& why) const {
  for (const BotConfig& row : config_.rows) {
    if (!offered_.contains(row.name)) log::error("{}", complaint(row, why));
  }
  complain_of_tables(why);
}

void Bots::complain_of_tables(const Why& why) const {
  for (const auto& [name, config] : config_.configs) {
    if (!offered_.contains(name) && !offered_connectors_.contains(name))
      log::warning("nobody reads [plugin.{}]: {}", log::printable(name), why(name));
  }
}

void Bots::complain(const Why& why) const {
  for (const auto& line : not_served(why)) log::error("{}", line);
  complain_of_tables(why);
  for (const auto& [name, kind, actors, what] : missing()) {
    log::error("the {} {} {}: {} waiting", kind, name, what, counted(actors, kind == "bot" ? "room" : kind));
  }
  if (names().empty() && connectors().empty()) log::error("no bot is served");
}

}  // namespace botel::app
