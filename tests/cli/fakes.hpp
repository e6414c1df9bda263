// What a session speaks to in a test.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cli/conversation.hpp"
#include "mqtt/client.hpp"

namespace botel::cli {

// A broker that grants at once, unless it is told not to, and keeps what is published.
struct FakeClient : mqtt::Client {
  void publish(std::string_view topic, std::string_view payload) override {
    sent += std::string(topic) + " " + std::string(payload) + "\n";
  }
  void subscribe(const std::string& filter, Done done) override {
    subscribed += filter + "\n";
    if (grants) done(refusal.empty() ? Result<>() : Result<>(tl::unexpected(refusal)));
  }
  void unsubscribe(const std::string&) override {}
  void disown(const std::string&) override {}

  bool grants = true;
  std::string refusal, sent, subscribed;
};

struct FakeView : View {
  void show(std::string_view line) override { text += std::string(line) + "\n"; }
  void sent(std::string_view line) override { text += "> " + std::string(line) + "\n"; }
  void typing(bool on) override { types = on; }

  std::string text;
  bool types = false;
};

}  // namespace botel::cli
