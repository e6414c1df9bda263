// What a session speaks to in a test.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "cli/conversation.hpp"
#include "mqtt/fake_client.hpp"

namespace botel::cli {

// What has been published since the last time, a line each: "TOPIC PAYLOAD".
inline std::string take_sent(FakeClient& client) {
  std::string sent;
  for (const auto& line : std::exchange(client.lines, {})) {
    if (line.starts_with("< ")) sent += line.substr(2) + "\n";
  }
  return sent;
}

struct FakeView : View {
  void show(std::string_view line) override { text += std::string(line) + "\n"; }
  void sent(std::string_view line) override { text += "> " + std::string(line) + "\n"; }
  void typing(bool on) override { types = on; }

  std::string text;
  bool types = false;
};

}  // namespace botel::cli
