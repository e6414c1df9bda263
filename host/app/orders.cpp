#include "app/orders.hpp"

namespace botel::app {
namespace {

std::string write(const plugin::Outcome& outcome) {
  return fmt::format(R"({{"time_ms":{},"good":{},"text":{}}})", outcome.time_ms, outcome.good,
                     json::quoted(outcome.text));
}

std::string reports_as_json(const std::vector<plugin::Plugins::Report>& reports) {
  std::vector<std::string> all;
  for (const auto& [file, outcome] : reports) {
    all.push_back(fmt::format(R"({{"file":{},"outcome":{}}})", json::quoted(file), write(outcome)));
  }
  return fmt::format(R"({{"results":{}}})", json::array(all));
}

std::string write(const plugin::FileStatus& file, const plugin::Status& status) {
  return fmt::format(
      R"({{"name":{},"kind":{},"version":{},"abi":{},"state":{},"file":{},"sha256":{},"generation":{},"rooms":{},)"
      R"("calls":{},"errors":{},"can_go_back":{},"refused":{},"last":{}}})",
      json::quoted(status.name), json::quoted(status.kind), json::quoted(status.version), json::quoted(status.abi),
      json::quoted(status.state), json::quoted(file.name), json::quoted(status.sha256), status.generation, status.rooms,
      status.calls, status.errors, file.can_go_back, json::quoted(file.refused), write(file.last));
}

}  // namespace

// Handlers that may never return.
std::string Orders::hanging() const {
  std::vector<std::string> all;
  for (const runtime::Runtime::Away& away : runtime_.away()) {
    const auto elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(runtime_.now().steady - away.since);
    if (elapsed < runtime::Runtime::kHangs) continue;
    all.push_back(fmt::format(R"({{"name":{},"version":{},"actor":"{}","address":{},"event":{},"running_ms":{}}})",
                              json::quoted(away.logic->id()), json::quoted(away.logic->version()), away.actor->type,
                              json::quoted(away.actor->address), away.event->kind, elapsed.count()));
  }
  return json::array(all);
}

std::string Orders::status() const {
  std::vector<std::string> loaded, not_loaded, not_served, missing, leftovers;
  for (const plugin::FileStatus& file : plugins_.files()) {
    for (const plugin::Status& status : file.offers) loaded.push_back(write(file, status));
    if (file.offers.empty()) {
      not_loaded.push_back(fmt::format(R"({{"file":{},"last":{}}})", json::quoted(file.name), write(file.last)));
    }
  }
  for (const auto& line : bots_.not_served([this](const auto& name) { return plugins_.why_not_served(name); })) {
    not_served.push_back(json::quoted(line));
  }
  for (const auto& [name, kind, actors, why] : bots_.missing()) {
    missing.push_back(
        fmt::format(R"({{"name":{},"kind":"{}","rooms":{},"why":"{}"}})", json::quoted(name), kind, actors, why));
  }
  for (const auto& what : plugins_.leftovers()) leftovers.push_back(json::quoted(what));
  return fmt::format(
      R"({{"plugins":{},"not_loaded":{},"not_served":{},"missing":{},"hanging":{},"still_in_memory":{}}})",
      json::array(loaded), json::array(not_loaded), json::array(not_served), json::array(missing), hanging(),
      json::array(leftovers));
}

// Types that a plugin offers, and connectors, whose type may have lost its plugin.
std::string Orders::connectors() const {
  std::vector<std::string> types, connectors;
  for (const plugin::FileStatus& file : plugins_.files()) {
    for (const plugin::Status& status : file.offers) {
      if (status.kind != "connector") continue;
      types.push_back(fmt::format(R"({{"type":{},"version":{},"state":{},"file":{}}})", json::quoted(status.name),
                                  json::quoted(status.version), json::quoted(status.state), json::quoted(file.name)));
    }
  }
  for (const moca::Service::Status& status : moca_.status()) {
    connectors.push_back(fmt::format(R"({{"type":{},"id":{},"configured":{},"step":{},"waiting":{}}})",
                                     json::quoted(status.type), json::quoted(status.id), status.configured,
                                     json::quoted(status.step), status.waiting));
  }
  return fmt::format(R"({{"types":{},"connectors":{},"hanging":{}}})", json::array(types), json::array(connectors),
                     hanging());
}

void Orders::take(const json::Document& request, const Control::Answer& answer) {
  const std::string command = json::text(request, "command"), name = json::text(request, "name");
  const auto done = [answer](const auto& reports) { answer(reports_as_json(reports)); };
  if (command == "plugins") return answer(status());
  if (command == "connectors") return answer(connectors());
  if (command == "check") return plugins_.check(json::text(request, "file"), done);
  if (command == "rollback") return plugins_.rollback(name, done);
  if (command != "reload") return answer(error_as_json("this is no command"));
  if (const auto mistakes = reread_(); !mistakes.empty()) return answer(error_as_json(mistakes));
  const auto restart = request.find("restart_rooms");
  plugins_.reload(name, restart && restart->raw == "true", done);
}

}  // namespace botel::app
