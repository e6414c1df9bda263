#include "cli/hanging.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "cli/order.hpp"

namespace botel::cli {

Hanging::Hanging(const json::Document& answer) : handlers_(list(answer, "hanging")) {}

std::string Hanging::state(std::string state, std::string_view name, std::string_view version) const {
  const auto count = std::ranges::count_if(handlers_, [&](const json::Document& handler) {
    return of(handler, "name") == name && of(handler, "version") == version;
  });
  return count == 0 ? state : fmt::format("{}, {} {}", state, count, count == 1 ? "hangs" : "hang");
}

bool Hanging::has(std::string_view actor, std::string_view address) const {
  return std::ranges::any_of(handlers_, [&](const json::Document& handler) {
    return of(handler, "actor") == actor && of(handler, "address") == address;
  });
}

void Hanging::print() const {
  for (const auto& handler : handlers_) {
    const auto running = handler.find("running_ms"), event = handler.find("event");
    fmt::print("{} {} hangs in {} {}: event {:#x} has been running for {} s\n", of(handler, "name"),
               of(handler, "version"), of(handler, "actor"), of(handler, "address"),
               event ? json::integer(*event).value_or(0) : 0, running ? json::integer(*running).value_or(0) / 1000 : 0);
  }
  if (handlers_.empty()) return;
  fmt::print(
      "What hangs holds up its own room or connector, also after another version has taken over, until the host is\n"
      "restarted. Then the event is tried once more; the second time it becomes a dead letter.\n");
}

}  // namespace botel::cli
