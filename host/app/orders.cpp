#include "app/orders.hpp"

#include <algorithm>

namespace botel::app {
namespace {

std::string error_as_json(std::string_view why) { return fmt::format(R"({{"error":{}}})", json::quoted(why)); }

std::string list(const auto& items, const auto& write) {
  std::string json = "[";
  for (const auto& item : items) {
    if (json.size() > 1) json += ",";
    json += write(item);
  }
  return json + "]";
}

std::string write(const plugin::Outcome& outcome) {
  return fmt::format(R"({{"time_ms":{},"good":{},"text":{}}})", outcome.time_ms, outcome.good,
                     json::quoted(outcome.text));
}

std::string reports_as_json(const std::vector<plugin::Plugins::Report>& reports) {
  const auto write_one = [](const plugin::Plugins::Report& report) {
    return fmt::format(R"({{"file":{},"outcome":{}}})", json::quoted(report.file), write(report.outcome));
  };
  return fmt::format(R"({{"results":{}}})", list(reports, write_one));
}

std::string write(const plugin::Status& status, const plugin::FileStatus& file) {
  return fmt::format(
      R"({{"name":{},"kind":{},"version":{},"abi":{},"state":{},"file":{},"sha256":{},"generation":{},"rooms":{},)"
      R"("calls":{},"errors":{},"can_go_back":{},"last":{}}})",
      json::quoted(status.name), json::quoted(status.kind), json::quoted(status.version), json::quoted(status.abi),
      json::quoted(status.state), json::quoted(status.file), json::quoted(status.sha256), status.generation,
      status.rooms, status.calls, status.errors, file.can_go_back, write(file.last));
}

}  // namespace

std::string Orders::status() const {
  const auto files = plugins_.files();
  const auto write_plugin = [&](const plugin::Status& status) {
    return write(status, *std::ranges::find(files, status.file, &plugin::FileStatus::name));
  };
  std::vector<plugin::FileStatus> refused;
  std::ranges::copy_if(files, std::back_inserter(refused), [](const auto& file) { return !file.loaded; });
  const auto write_file = [](const plugin::FileStatus& file) {
    return fmt::format(R"({{"file":{},"last":{}}})", json::quoted(file.name), write(file.last));
  };
  const auto write_missing = [](const auto& missing) {
    return fmt::format(R"({{"name":{},"rooms":{}}})", json::quoted(missing.first), missing.second);
  };
  return fmt::format(R"({{"plugins":{},"not_loaded":{},"missing":{},"still_in_memory":{}}})",
                     list(plugins_.status(), write_plugin), list(refused, write_file),
                     list(bots_.missing(), write_missing),
                     list(plugins_.leftovers(), [](const std::string& text) { return json::quoted(text); }));
}

void Orders::take(const json::Document& request, const Control::Answer& answer) {
  const std::string command = json::text(request, "command"), name = json::text(request, "name");
  const auto done = [answer](const auto& reports) { answer(reports_as_json(reports)); };
  if (command == "plugins") return answer(status());
  if (command == "check") return plugins_.check(json::text(request, "file"), done);
  if (command == "rollback") return plugins_.rollback(name, done);
  if (command != "reload") return answer(error_as_json("this is no command"));
  if (const auto mistakes = reread_(); !mistakes.empty()) return answer(error_as_json(mistakes));
  const auto restart = request.find("restart_rooms");
  plugins_.reload(name, restart && restart->raw == "true", done);
}

}  // namespace botel::app
