// What MOCA has asked for and has no answer to, in a test, and until when it waits.
#pragma once

#include <botel/ext/connector.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../actor.hpp"
#include "../json.hpp"

namespace botel::testing::detail {

struct Asked {
  std::string command;
  std::string id{};  // of a contact or a chat
  std::string before{};
  unsigned limit = 25;
  json::Object media{};  // which
  std::size_t offset = 0;
  Time by{}, quiet_by{};

  // What the answer is one of, or a list of.
  std::string kind() const {
    if (command.starts_with("get_contact")) return "contact";
    return command.starts_with("get_chat") ? "chat" : "message";
  }
  bool wants_one() const { return command == "get_contact" || command == "get_chat" || command == "send_message"; }
  // Whether it can be answered so.
  bool takes(std::int32_t effect, std::int32_t status) const {
    const bool is_step = command == "configure", is_media = command == "get_media";
    switch (effect) {
      case BOTEL_CONNECTOR_STEP:
      case BOTEL_CONNECTOR_FINISHED: return is_step;
      case BOTEL_CONNECTOR_MEDIA: return is_media;
      case BOTEL_CONNECTOR_FROM_DIRECTORY: return !is_step && !is_media && command != "send_message";
      case BOTEL_EFFECT_REPLY: return status != 0 || (!is_step && !is_media);
      default: return true;
    }
  }
};

// By token.
class AllAsked {
 public:
  std::uint64_t add(Asked asked, Time now) {
    all_[++last_token_] = std::move(asked);
    watch(last_token_, now);
    return last_token_;
  }
  Asked* find(std::uint64_t token) {
    const auto found = all_.find(token);
    return found == all_.end() ? nullptr : &found->second;
  }
  void remove(std::uint64_t token) { all_.erase(token); }
  bool has(std::string_view command) const {
    return std::any_of(all_.begin(), all_.end(), [&](const auto& one) { return one.second.command == command; });
  }
  std::size_t size() const { return all_.size(); }

  // It has all its time before it again; it has given a sign of life.
  void watch(std::uint64_t token, Time now) {
    all_.at(token).by = now + kLongestAnswer;
    show_life(token, now);
  }
  void show_life(std::uint64_t token, Time now) { all_.at(token).quiet_by = now + kAnswerTime; }
  std::optional<Time> next_due() const {
    std::optional<Time> due;
    for (const auto& [token, asked] : all_) due = std::min({due.value_or(Time::max()), asked.by, asked.quiet_by});
    return due;
  }
  // One that is given up at `now`.
  std::optional<Asked> take_overdue(Time now) {
    for (const auto& [token, asked] : all_) {
      if (std::min(asked.by, asked.quiet_by) <= now) return std::move(all_.extract(token).mapped());
    }
    return {};
  }

 private:
  static constexpr milliseconds kAnswerTime = std::chrono::seconds(10);  // from the last sign of life
  static constexpr milliseconds kLongestAnswer = std::chrono::seconds(60);

  std::map<std::uint64_t, Asked> all_;
  std::uint64_t last_token_ = 1'000'000;
};

}  // namespace botel::testing::detail
