#include "cli/chat_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json.hpp"
#include "cli/text.hpp"
#include "gitple/message.hpp"
#include "gitple/request.hpp"

namespace botel::cli {
namespace {

constexpr std::chrono::seconds kAnswerTime{5};  // of the broker and of the host, for each thing that is asked
constexpr std::chrono::seconds kStartAgain{1};

// What an error answer says: "Room unknown (-32002)".
std::string describe(const gitple::Answer& answer) {
  const auto error = json::read(answer.detail);
  const auto message = error ? error->find("message") : std::nullopt;
  return fmt::format("{} ({})", message ? json::text(*message) : answer.detail, answer.status);
}

}  // namespace

ChatSession::ChatSession(mqtt::Client& client, View& view, ChatRoom room)
    : client_(client),
      view_(view),
      room_(std::move(room)),
      start_id_(fmt::format("chat-{}-start", room_.room)),
      again_id_(fmt::format("chat-{}-again", room_.room)),
      end_id_(fmt::format("chat-{}-end", room_.room)) {}

void ChatSession::open(SteadyTime now) {
  deadline_ = now + kAnswerTime;
  const auto filters = {room_.responses(), room_.from_bot(), room_.commands()};
  missing_ = static_cast<int>(filters.size());
  for (const auto& filter : filters) {
    client_.subscribe(filter, [this](const Result<>& result) { granted(result); });
  }
}

void ChatSession::granted(const Result<>& result) {
  if (!result) return finish("the broker refuses a subscription: " + result.error());
  // What is asked next has its own time limit: advance() sets it.
  if (--missing_ == 0 && stage_ == Stage::subscribing) stage_ = Stage::starting;
}

void ChatSession::advance(SteadyTime now) {
  if (stage_ == Stage::starting && now >= start_due_) {
    // Again and again, as a host that has just been started may not listen yet. For one that does it changes nothing.
    if (start_due_ == SteadyTime{}) deadline_ = now + kAnswerTime;
    start_due_ = now + kStartAgain;
    client_.publish(room_.requests(), room_.encode_start(start_id_));
  }
  if (listens() && unread_ && now >= pace_.due()) report_read(now);
  if (now < deadline_) return;
  switch (stage_) {
    case Stage::subscribing: return finish("no connection to the broker");
    case Stage::starting: return finish("no host answers on this broker: is `botel run` running?");
    case Stage::ending: return finish("the host does not answer that the room has ended");
    case Stage::open:
    case Stage::over: return;
  }
}

SteadyTime ChatSession::due() const {
  if (stage_ == Stage::open) return pace_.due();
  return stage_ == Stage::starting ? std::min(start_due_, deadline_) : deadline_;
}

void ChatSession::finish(std::string trouble) {
  if (over()) return;
  stage_ = Stage::over;
  trouble_ = std::move(trouble);
  view_.typing(false);
}

void ChatSession::end(SteadyTime now) {
  if (stage_ == Stage::subscribing) return finish("ended before the room was started");
  if (stage_ == Stage::ending) return finish("left without waiting for the room's end");
  if (stage_ == Stage::over) return;
  stage_ = Stage::ending;
  deadline_ = now + kAnswerTime;
  client_.publish(room_.requests(), room_.encode_end(end_id_));
}

// What comes in ---------------------------------------------------------------------------------------------------

void ChatSession::receive(const mqtt::Message& message, Time now) {
  heard_ = now;
  if (message.retained || over()) return;
  if (message.topic == room_.responses()) return receive_response(message.payload, now.steady);
  if (message.topic == room_.commands()) return receive_command(message.payload, now.steady);
  if (message.topic == room_.from_bot()) return receive_message(message, now);
}

// The topic is shared with everybody who talks to this bot: the ids tell.
void ChatSession::receive_response(std::string_view payload, SteadyTime now) {
  const auto answer = gitple::decode_answer(payload);
  if (!answer) return;
  if (answer->id == start_id_ && stage_ == Stage::starting) {
    if (answer->status != 0) return finish(fmt::format("bot {} does not start: {}", room_.bot, describe(*answer)));
    stage_ = Stage::open;
    pace_.sent(now);
    // A repeated start changes nothing and is answered; by then a greeting has come, or there is none.
    client_.publish(room_.requests(), room_.encode_start(again_id_));
  } else if (answer->id == again_id_ && listens() && greeting_ && !pace_.bot_typing()) {
    pace_.heard(now);
  } else if (answer->id == end_id_ && stage_ == Stage::ending) {
    if (answer->status != 0) return finish("the room does not end: " + describe(*answer));
    view_.show("(the conversation has ended)");
    finish();
  }
}

void ChatSession::receive_command(std::string_view payload, SteadyTime now) {
  const auto command = read_chat_command(payload);
  if (!command) return view_.show("(a request of the bot that is not understood)");
  const bool known = command->method == "end" || command->method == "transfer";
  if (!command->id.empty() && !command->res_pub.empty()) {
    client_.publish(command->res_pub, known ? gitple::encode_ok(command->id)
                                            : gitple::encode_error(command->id, gitple::kMethodNotFound,
                                                                   "Method not found: there are end and transfer"));
  }
  if (!known || (stage_ != Stage::open && stage_ != Stage::starting)) return;
  view_.typing(false);
  view_.show(command->method == "end" ? "(the bot ends the conversation)"
                                      : fmt::format("(the bot hands the conversation over to {})", command->heir));
  end(now);
}

void ChatSession::receive_message(const mqtt::Message& message, Time now) {
  if (message.over_limit) {
    view_.show(fmt::format("(a message of {} bytes, which is too large)", message.size));
    return pace_.heard(now.steady);
  }
  auto read = read_chat_message(message.payload);
  if (!read) {
    view_.typing(false);
    view_.show(kNotUnderstood);
    return pace_.heard(now.steady);
  }
  // Of an earlier conversation in the same room.
  if (!read->session.empty() && read->session != std::to_string(room_.session)) return;
  show(std::move(*read), now);
}

void ChatSession::show(ChatMessage message, Time now) {
  if (message.said) {
    view_.typing(false);
    for (const auto& line : message.lines) view_.show(line);
    pace_.heard(now.steady);
    if (message.time && !has_reported_) unread_ = message.time;
  }
  if (!message.choices.empty() || !message.fields.empty()) {
    choices_ = std::move(message.choices);
    form_ = ChatForm(std::move(message.fields));
  }
  if (message.typing) {
    pace_.typing(*message.typing, now.steady);
    view_.typing(*message.typing);
  }
}

// The bot has had its say. It may have something to say to this, too.
void ChatSession::report_read(SteadyTime now) {
  const auto passed = std::chrono::floor<std::chrono::milliseconds>(now - heard_.steady);
  const std::int64_t until = *std::exchange(unread_, std::nullopt);
  client_.publish(room_.from_user(), room_.encode_read(next_time({now, heard_.unix_ms + passed.count()}), until));
  has_reported_ = true;
  pace_.heard(now);
}

// What the user says ----------------------------------------------------------------------------------------------

std::string ChatSession::prompt() const { return form_.complete() ? "> " : form_.prompt(); }

void ChatSession::enter(std::string_view line, Time now) {
  if (!listens()) return;
  const std::string_view word = trimmed(line);
  if (word == "/end") {
    view_.sent(word);
    return end(now.steady);
  }
  if (!form_.complete()) return enter_form(line, now);
  if (word.empty()) return;
  if (const auto number = number_up_to(choices_.size(), word)) {
    const ChatChoice choice = choices_[number - 1];
    return say(choice.echo, room_.encode_choice(next_time(now), choice), now.steady);
  }
  say(std::string(line), room_.encode_text(next_time(now), line), now.steady);
}

void ChatSession::enter_form(std::string_view line, Time now) {
  if (trimmed(line) == "/cancel") {
    form_ = ChatForm();
    return view_.show("(the form is left empty)");
  }
  if (!form_.enter(line)) return view_.show("(this field needs another answer; /cancel leaves the form)");
  if (!form_.complete()) return;
  const ChatForm form = std::exchange(form_, ChatForm());
  const ChatChoice answer{form.summary(), form.json()};
  say(answer.echo, room_.encode_choice(next_time(now), answer), now.steady);
}

void ChatSession::say(const std::string& text, const std::string& payload, SteadyTime now) {
  greeting_ = has_reported_ = false;
  if (!text.empty()) view_.sent(text);
  client_.publish(room_.from_user(), payload);
  pace_.sent(now);
}

// Rising within the room, as whoever sorts by it expects.
std::int64_t ChatSession::next_time(Time now) {
  last_time_ = std::max(last_time_ + 1, now.unix_ms);
  return last_time_;
}

}  // namespace botel::cli
