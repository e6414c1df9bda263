// What operators ask a running host for, as JSON over its socket (Control). [driver]
#pragma once

#include <functional>
#include <string>

#include "app/bots.hpp"
#include "app/control.hpp"
#include "base/json.hpp"
#include "moca/service.hpp"
#include "plugin/plugins.hpp"

namespace botel::app {

class Orders {
 public:
  // `reread`: reads the configuration again; what is wrong with it, or nothing.
  Orders(plugin::Plugins& plugins, const Bots& bots, const moca::Service& moca, const runtime::Runtime& runtime,
         std::function<std::string()> reread)
      : plugins_(plugins), bots_(bots), moca_(moca), runtime_(runtime), reread_(std::move(reread)) {}

  // {"command":"plugins"}
  // {"command":"connectors"}
  // {"command":"reload","name":"echo","restart_rooms":true}: both optional
  // {"command":"rollback","name":"echo"}
  // {"command":"check","file":"/path/echo.so"}
  void take(const json::Document& request, const Control::Answer& answer);

 private:
  [[nodiscard]] std::string status() const;
  [[nodiscard]] std::string connectors() const;
  [[nodiscard]] std::string hanging() const;

  plugin::Plugins& plugins_;
  const Bots& bots_;
  const moca::Service& moca_;
  const runtime::Runtime& runtime_;
  const std::function<std::string()> reread_;
};

}  // namespace botel::app
