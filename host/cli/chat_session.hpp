// A conversation with a bot, as gitple leads it: starts the room, shows what the bot says, sends what the user says,
// and ends the room, whoever wants it to end.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/chat_form.hpp"
#include "cli/chat_message.hpp"
#include "cli/chat_pace.hpp"
#include "cli/chat_room.hpp"
#include "cli/conversation.hpp"
#include "mqtt/client.hpp"

namespace botel::cli {

// [driver]; `client` and `view` outlive it.
class ChatSession final : public Conversation {
 public:
  ChatSession(mqtt::Client& client, View& view, ChatRoom room);

  void open(SteadyTime now) override;
  void receive(const mqtt::Message& message, Time now) override;
  void advance(SteadyTime now) override;
  [[nodiscard]] SteadyTime due() const override;

  [[nodiscard]] bool listens() const override { return stage_ == Stage::open; }
  [[nodiscard]] bool users_turn(SteadyTime now) const override { return listens() && now >= pace_.due() && !unread_; }
  [[nodiscard]] std::string prompt() const override;
  void enter(std::string_view line, Time now) override;
  // Ends the room; a second time: gives up waiting for the answer.
  void end(SteadyTime now) override;

  [[nodiscard]] bool over() const override { return stage_ == Stage::over; }
  // Empty where the room was ended properly.
  [[nodiscard]] const std::string& trouble() const override { return trouble_; }

 private:
  enum class Stage { subscribing, starting, open, ending, over };

  void granted(const Result<>& result);
  void receive_response(std::string_view payload, SteadyTime now);
  void receive_command(std::string_view payload, SteadyTime now);
  void receive_message(const mqtt::Message& message, Time now);
  void show(ChatMessage message, Time now);
  void report_read(SteadyTime now);
  void enter_form(std::string_view line, Time now);
  void say(const std::string& text, const std::string& payload, SteadyTime now);
  void finish(std::string trouble = {});
  [[nodiscard]] std::int64_t next_time(Time now);

  mqtt::Client& client_;
  View& view_;
  const ChatRoom room_;
  const std::string start_id_, again_id_, end_id_;
  Stage stage_ = Stage::subscribing;
  int missing_ = 0;  // subscriptions that are not granted yet
  SteadyTime deadline_{}, start_due_{};
  ChatPace pace_;
  bool greeting_ = true;  // the user has not said anything yet
  // The time of what the bot said last, until it is told that this was read. What it says then may be its answer to
  // that: it is told again only after the user has said something, or two programs would talk for ever.
  std::optional<std::int64_t> unread_;
  bool has_reported_ = false;
  Time heard_{};  // when something came in last
  std::int64_t last_time_ = 0;
  std::vector<ChatChoice> choices_;
  ChatForm form_;
  std::string trouble_;
};

}  // namespace botel::cli
