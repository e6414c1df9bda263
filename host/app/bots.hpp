// Which bot serves which Gitple bot id.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/config.hpp"
#include "plugin/library.hpp"
#include "runtime/logic.hpp"

namespace botel::app {

class Bots {
 public:
  // Makes an instance for each entry of `config`, or, where that is empty, one for each bot that is offered. What
  // cannot be made is named in the log, and its ids have no bot.
  Bots(const std::vector<plugin::Offer>& offers, const std::vector<BotConfig>& config);

  // Null when no bot serves the id.
  [[nodiscard]] std::shared_ptr<runtime::Logic> find(const std::string& id) const;

  // Of the bots that serve an id, sorted.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::unordered_map<std::string, std::shared_ptr<runtime::Logic>> by_id_;  // "*": the rest. Null: could not be made
};

}  // namespace botel::app
