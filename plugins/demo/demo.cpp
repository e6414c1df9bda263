// A service that is not there: who connects to it finds ten contacts, chats, a history with every type of message, and
// an echo. It shows what a connector does, and lets MOCA be tried without a service. `push_every` in [plugin.demo]
// makes one of its chats say something every so many seconds.
//
// All that MOCA asks for is in the host's directory, as it was pushed. The state of an account: {"said":3,"ticks":60}
// What is sent by its URL it does not fetch: it shows media of its own instead, of the same kind.
#include <botel/connector.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "history.hpp"
#include "media.hpp"

namespace {

using botel::Account;
using botel::ChatMessage;
using botel::Content;
using botel::Reply;

constexpr std::uint64_t kTick = 1;  // a timer

// What an account remembers.
struct State {
  std::int64_t said = 0;   // messages that are not of the history
  std::int64_t ticks = 0;  // seconds for which the timer is set; 0: it is not

  static State of(const Account& account) {
    const auto json = botel::json::parse(account.state());
    return {botel::json::number(json, "said"), botel::json::number(json, "ticks")};
  }
  void save(Account& account) const {
    account.save(botel::json::Object().number("said", said).number("ticks", ticks).json());
  }
};

class Demo : public botel::Connector {
 public:
  explicit Demo(std::string_view config) : push_every_(botel::json::number(botel::json::parse(config), "push_every")) {}

  void on_configure(Account& account, const botel::Answer& answer, Reply reply) override {
    if (answer.step != "phone") return account.ask(reply, phone_step());
    account.finish(reply, {.id = demo::kUser, .name = "Jon Doe", .username = "jon.doe", .phone = answer.text("phone")});
    account.push(demo::contacts(account.ids()));
    account.push(demo::chats(account.ids()));
    account.push(demo::history(account.ids()));
    State state = State::of(account);
    keep_ticking(account, state);
    state.save(account);
  }

  // The directory has the user's own contact besides.
  void on_get_contacts(Account& account, Reply reply) override { account.answer(reply, demo::contacts(account.ids())); }

  void on_send_message(Account& account, const botel::Outgoing& outgoing, Reply reply) override {
    const auto chat = demo::chat_of(account.ids(), outgoing.chat);
    if (!chat) return account.fail(reply, "there is no such chat", 404);
    State state = State::of(account);
    const ChatMessage sent = next_message(account, state, *chat, demo::kUser, outgoing.content);
    account.answer(reply, sent);
    account.push(sent);
    if (*chat == demo::kEchoChat) {
      account.push(next_message(account, state, *chat, account.ids().of(demo::kEcho), outgoing.content));
    }
    keep_ticking(account, state);
    state.save(account);
  }

  void on_get_media(Account& account, const botel::MediaRequest& request, Reply reply) override {
    const auto media = find_media(account, request);
    if (!media) return account.fail(reply, "this message has no media", 404);
    const std::string piece = media->read(request.offset, request.limit);
    const bool more = request.offset + piece.size() < media->size;
    account.media_piece(reply, piece, more, media->filename, media->mime);
  }

  void on_timer(Account& account, std::uint64_t) override {
    State state = State::of(account);
    state.ticks = 0;
    if (push_every_ > 0) {
      const auto second = std::chrono::floor<std::chrono::seconds>(account.time());
      const std::string text = "It is " + botel::rfc3339(second);
      const botel::Id clock = account.ids().of(demo::kClock);
      account.push(next_message(account, state, demo::kClockChat, clock, Content::text(text)));
    }
    keep_ticking(account, state);
    state.save(account);
  }

  // The configuration may say something else than before.
  void on_resumed(Account& account, botel::milliseconds) override {
    State state = State::of(account);
    keep_ticking(account, state);
    state.save(account);
  }

 private:
  static botel::Step phone_step() {
    return botel::Step("phone", "Phone", "A phone number to start configuration of the moca demo service")
        .text("phone", {.title = "Phone number",
                        .description = "Phone number in international format",
                        .examples = {"+491711234567", "+442071838750"},
                        .pattern = "^\\+[1-9][0-9]{6,14}$"});
  }

  ChatMessage next_message(const Account& account, State& state, demo::Room chat, const botel::Id& contact,
                           const Content& content) const {
    const botel::Ids ids = account.ids();
    const demo::MessageKey key{chat, content.type, history_size_ + state.said++};
    return {ids.of(key.number()), ids.of(chat), contact, account.time(), content};
  }

  void keep_ticking(Account& account, State& state) const {
    if (state.ticks == push_every_) return;
    state.ticks = push_every_;
    if (push_every_ == 0) return account.cancel_timer(kTick);
    account.set_timer(kTick, std::chrono::seconds(push_every_));
  }

  std::optional<demo::Media> find_media(const Account& account, const botel::MediaRequest& request) const {
    if (!request.uri.empty()) return demo::media_named(request.uri);
    const auto key = demo::MessageKey::of(account.ids().number(request.message));
    const bool is_there = key && key->index < history_size_ + State::of(account).said;
    if (!is_there || key->chat != demo::chat_of(account.ids(), request.chat)) return {};
    return demo::media_of(key->type);
  }

  const long long push_every_;  // seconds; 0: never
  const std::int64_t history_size_ = static_cast<std::int64_t>(demo::history(botel::Ids(0)).size());
};

constexpr const char* kSchema =
    R"({"type":"object","properties":{"push_every":{"title":"Seconds between two messages of the chat Clock; 0: none",)"
    R"("type":"integer","minimum":0,"maximum":86400}},"additionalProperties":false})";

}  // namespace

BOTEL_PLUGIN(botel::connector<Demo>("demo", "1.0.0", {.config_schema = kSchema}));
