#include "app/bots.hpp"

#include <algorithm>
#include <set>

#include "base/log.hpp"

namespace botel::app {
namespace {

using Offers = std::vector<plugin::Offer>;

// Each bot serves the id that is its name, and the first by name serves the rest.
std::vector<BotConfig> default_bots(const Offers& offers) {
  std::vector<BotConfig> bots;
  for (const auto& offer : offers) {
    if (offer.descriptor->kind == BOTEL_BOT) bots.push_back({offer.descriptor->id, offer.descriptor->id});
  }
  std::ranges::sort(bots, {}, &BotConfig::id);
  if (!bots.empty()) bots.push_back({"*", bots.front().name});
  return bots;
}

Result<std::shared_ptr<runtime::Logic>> make(const Offers& offers, const BotConfig& bot) {
  const auto offer = std::ranges::find_if(offers, [&](const plugin::Offer& candidate) {
    return candidate.descriptor->kind == BOTEL_BOT && bot.name == candidate.descriptor->id;
  });
  if (offer == offers.end()) return failure("no plugin offers the bot {}", log::printable(bot.name));
  return runtime::Logic::create(*offer->descriptor, bot.config, offer->library);
}

}  // namespace

Bots::Bots(const Offers& offers, const std::vector<BotConfig>& config) {
  for (const BotConfig& bot : config.empty() ? default_bots(offers) : config) {
    auto logic = make(offers, bot);
    if (!logic) log::error("bot id {} is not served: {}", log::printable(bot.id), logic.error());
    // Its id has a table of its own, even if it is of no use: it is not one of the rest.
    by_id_[bot.id] = logic ? std::move(*logic) : nullptr;
  }
  if (names().empty()) log::error("no bot is served");
}

std::shared_ptr<runtime::Logic> Bots::find(const std::string& id) const {
  auto found = by_id_.find(id);
  if (found == by_id_.end()) found = by_id_.find("*");
  return found == by_id_.end() ? nullptr : found->second;
}

std::vector<std::string> Bots::names() const {
  std::set<std::string> names;
  for (const auto& [id, logic] : by_id_) {
    if (logic) names.insert(std::string(logic->id()));
  }
  return {names.begin(), names.end()};
}

}  // namespace botel::app
