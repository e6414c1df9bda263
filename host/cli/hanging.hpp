// Handlers of the running host that may never return, as `botel plugins` and `botel connectors` tell of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace botel::cli {

class Hanging {
 public:
  // `answer`: the host's.
  explicit Hanging(const json::Document& answer);

  // The state of a bot's, or connector's, version, with how many of its handlers hang: "serving, 2 hang".
  [[nodiscard]] std::string state(std::string state, std::string_view name, std::string_view version) const;
  // Whether the handler of this actor does.
  [[nodiscard]] bool has(std::string_view actor, std::string_view address) const;
  // Names each, and what helps.
  void print() const;

 private:
  std::vector<json::Document> handlers_;
};

}  // namespace botel::cli
