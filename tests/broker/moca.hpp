// What the tests of connectors have in common: a host with the demo service and with a puppet that does what it is
// told.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "harness/moca.hpp"
#include "survival.hpp"

// A puppet's configuration.
inline const std::string kLogin = R"({"user":"kim","password":"s3cr3t-word"})";
inline const std::string kCode = R"({"code":"1234"})";

struct MocaScene {
  // `more`: tables of the configuration, such as "[moca]\n...".
  explicit MocaScene(const std::string& more = "", const std::string& durability_name = "relaxed")
      : world({.host = {.store = durability(durability_name), .bots = std::string(harness::kBots) + more}}) {
    namespace fs = std::filesystem;
    fs::create_symlink(fs::path(BOTEL_PLUGINS) / "demo.so", world.host.plugins() / "demo.so");
    fs::create_symlink(BOTEL_PUPPET, world.host.plugins() / "puppet.so");
    world.broker.wait_for_subscription("demo/#");
    world.broker.wait_for_subscription("puppet/#");
  }

  harness::World world;
};

// Configured already.
struct Demo : harness::Moca {
  explicit Demo(const MocaScene& scene, const std::string& id = "42") : Moca(scene.world.broker, "demo", id) {
    configure();
    CHECK(harness::is_finished(configure(R"({"phone":"+491711234567"})")));
  }
};
struct Puppet : harness::Moca {
  explicit Puppet(const MocaScene& scene, const std::string& id = "7") : Moca(scene.world.broker, "puppet", id) {
    configure();
    configure(kLogin);
    CHECK(harness::is_finished(configure(kCode)));
  }
};

// What a puppet is told, as a message to its chat.
inline std::string told(const std::string& command) {
  return R"({"message":{"type":"text","content":)" + harness::quoted(command) + "}}";
}
inline const std::string kTell = "send_message/80001";
// What it has said.
inline std::string text_of(const std::string& message) { return harness::at(message, "message.content"); }
