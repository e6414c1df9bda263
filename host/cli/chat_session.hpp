// A conversation with a bot, as gitple leads it: starts the room, shows what the bot says, sends what the user says,
// and ends the room, whoever wants it to end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "cli/chat_form.hpp"
#include "cli/chat_message.hpp"
#include "cli/chat_pace.hpp"
#include "cli/chat_room.hpp"
#include "mqtt/client.hpp"

namespace botel::cli {

// Where a conversation is to be seen. What it is given may come from outside and need cleaning.
class ChatView {
 public:
  virtual ~ChatView() = default;
  virtual void show(std::string_view line) = 0;  // from the bot, or about the room
  virtual void sent(std::string_view line) = 0;  // by the user, as it went out
  virtual void typing(bool on) = 0;
};

// [driver]; `client` and `view` outlive it.
class ChatSession {
 public:
  ChatSession(mqtt::Client& client, ChatView& view, ChatRoom room);

  void open(SteadyTime now);
  // Takes a message of the topics that it subscribed; what does not concern it is ignored.
  void receive(const mqtt::Message& message, Time now);
  // Looks at the time limits.
  void advance(SteadyTime now);
  // When something is due: a time limit, or the user's turn.
  [[nodiscard]] SteadyTime due() const;

  // It can take what the user says, and it is the user's turn (before that it can be said as well).
  [[nodiscard]] bool listens() const { return stage_ == Stage::open; }
  [[nodiscard]] bool users_turn(SteadyTime now) const { return listens() && now >= pace_.due(); }
  // What to ask the user with: "> ", or the name of a form's field.
  [[nodiscard]] std::string prompt() const;
  void enter(std::string_view line, Time now);
  // Ends the room; a second time: gives up waiting for the answer.
  void end(SteadyTime now);

  [[nodiscard]] bool over() const { return stage_ == Stage::over; }
  // Why it is over, where the room was not ended properly.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  enum class Stage { subscribing, starting, open, ending, over };

  void granted(const Result<>& result);
  void receive_response(std::string_view payload, SteadyTime now);
  void receive_command(std::string_view payload, SteadyTime now);
  void receive_message(const mqtt::Message& message, Time now);
  void show(ChatMessage message, Time now);
  void enter_form(std::string_view line, Time now);
  void say(const std::string& text, const std::string& payload, SteadyTime now);
  void finish(std::string trouble = {});
  [[nodiscard]] std::int64_t next_time(Time now);

  mqtt::Client& client_;
  ChatView& view_;
  const ChatRoom room_;
  const std::string start_id_, again_id_, end_id_;
  Stage stage_ = Stage::subscribing;
  int missing_ = 0;  // subscriptions that are not granted yet
  SteadyTime deadline_{}, start_due_{};
  ChatPace pace_;
  bool greeting_ = true;  // the user has not said anything yet
  std::int64_t last_time_ = 0;
  std::vector<ChatChoice> choices_;
  ChatForm form_;
  std::string trouble_;
};

}  // namespace botel::cli
