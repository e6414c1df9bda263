// Connectors in C++: derive from Connector, export with BOTEL_PLUGIN. Header-only, on top of abi.h.
//
//     struct Demo : botel::Connector {
//       void on_configure(botel::Account& account, const botel::Answer& answer, botel::Reply reply) override {
//         if (answer.step.empty()) return account.ask(reply, botel::Step("phone").text("phone"));
//         account.finish(reply, {.id = 192168, .name = "Jon Doe", .phone = answer.text("phone")});
//       }
//     };
//     BOTEL_PLUGIN(botel::connector<Demo>("demo", "1.0.0"))
//
// A connector keeps no account in its members: one instance serves all accounts, several at a time. What an account
// must remember is its state: read it with Account::state(), replace it with Account::save().
#pragma once

#include <botel/abi.h>
#include <botel/ext/connector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "actor.hpp"
#include "ids.hpp"
#include "items.hpp"
#include "json.hpp"
#include "plugin.hpp"
#include "step.hpp"

namespace botel {

// Where an answer goes. Each is answered exactly once: at once or in a later event, for which the token can be kept in
// the state. An answer to one that is answered already, or was given up, is dropped.
struct Reply {
  explicit Reply(std::uint64_t token = 0) : token(token) {}
  std::uint64_t token;
};

// Which messages of a chat: at most `limit`, the newest first, older than `before` if that is given.
struct Page {
  GivenId chat;
  GivenId before;  // a message; empty: from the newest on
  std::size_t limit;
};

// A message that MOCA wants to be sent.
struct Outgoing {
  GivenId chat;
  Content content;
  std::string_view json;  // the content as it came. Valid until the handler returns
};

// A piece of the media of a message, or of what a `uri` names: `limit` bytes from `offset` on.
struct MediaRequest {
  GivenId chat, message;
  std::string uri;  // instead of the ids
  std::size_t offset, limit;
};

// One account at a service, as MOCA has configured it: what it remembers, and what shall happen once the handler
// returns. Effects, answers and the new state happen together, or not at all. Valid until the handler returns. [actor]
class Account : public Actor {
 public:
  using Actor::Actor;

  // The connector's id at MOCA, and its type, which is the name in its descriptor.
  std::string id() const { return std::string(json::text(json::parse(info()), "id")); }
  std::string type() const { return std::string(json::text(json::parse(info()), "type")); }
  // Makes ids that no other account has. MOCA has one message where two accounts have messages with the same id.
  Ids ids() const { return Ids(static_cast<std::uint64_t>(json::number(json::parse(info()), "seed"))); }

  // on_configure is answered by the next step, or by the end, with the user's own contact. botel::Error: the step has
  // no field that is needed, or its schema is not sound; the host's log says why.
  void ask(Reply reply, const Step& step) {
    answer_with(BOTEL_CONNECTOR_STEP, reply, step.json(), json::Object().text("step", step.id()).json());
  }
  void finish(Reply reply, const Contact& own) { answer_with(BOTEL_CONNECTOR_FINISHED, reply, own.own_json()); }

  // Answers with what was asked for: one, or a list.
  void answer(Reply reply, const Contact& contact) { answer_with(BOTEL_EFFECT_REPLY, reply, contact.json()); }
  void answer(Reply reply, const Chat& chat) { answer_with(BOTEL_EFFECT_REPLY, reply, chat.json()); }
  void answer(Reply reply, const ChatMessage& message) { answer_with(BOTEL_EFFECT_REPLY, reply, message.json()); }
  void answer(Reply reply, const std::vector<Contact>& contacts) { answer_list(reply, contacts); }
  void answer(Reply reply, const std::vector<Chat>& chats) { answer_list(reply, chats); }
  void answer(Reply reply, const std::vector<ChatMessage>& messages) { answer_list(reply, messages); }
  // Answers a get_ request with what was pushed so far, in this event as well.
  void from_directory(Reply reply) {
    botel_effect effect = make(BOTEL_CONNECTOR_FROM_DIRECTORY);
    effect.reply = reply.token;
    emit(effect);
  }
  // Answers with an error. `code`: 400 to 599, as in HTTP; anything else becomes 500.
  void fail(Reply reply, const std::string& why, int code = 500) {
    botel_effect effect = make(BOTEL_EFFECT_REPLY);
    effect.status = code == 0 ? 500 : code;
    answer_with(effect, reply, json::Object().text("message", why).json());
  }
  // It will be answered: the host waits 10 seconds more, but no longer than 60 in all.
  void working(Reply reply) {
    botel_effect effect = make(BOTEL_CONNECTOR_WORKING);
    effect.reply = reply.token;
    emit(effect);
  }

  // Answers on_get_media with the piece of `whole` that is asked for.
  void media(Reply reply, const MediaRequest& request, std::string_view whole, const std::string& filename,
             const std::string& mime) {
    const std::string_view rest = whole.substr(std::min(request.offset, whole.size()));
    media_piece(reply, rest.substr(0, request.limit), rest.size() > request.limit, filename, mime);
  }
  // Answers on_get_media with a piece of at most MediaRequest::limit bytes. `more`: others are behind it, and it must
  // not be empty; they are asked for next. The names are needed at the end only.
  void media_piece(Reply reply, std::string_view piece, bool more, const std::string& filename = {},
                   const std::string& mime = {}) {
    botel_effect effect = make(BOTEL_CONNECTOR_MEDIA);
    effect.reply = reply.token;
    effect.status = more ? 1 : 0;
    effect.payload = detail::borrow(piece);
    const std::string names = json::Object().text("filename", filename).text("mime", mime).json();
    effect.detail = detail::borrow(names);
    emit(effect);
  }

  // Tells MOCA and the host's directory of something new. One that is known by its id is replaced. The host holds it
  // back until MOCA is ready for it, after the end of the configuration.
  void push(const std::vector<Contact>& contacts) { push_list(BOTEL_CONNECTOR_PUSH_CONTACTS, contacts); }
  void push(const std::vector<Chat>& chats) { push_list(BOTEL_CONNECTOR_PUSH_CHATS, chats); }
  void push(const std::vector<ChatMessage>& messages) { push_list(BOTEL_CONNECTOR_PUSH_MESSAGES, messages); }
  void push(const Contact& contact) { push(std::vector{contact}); }
  void push(const Chat& chat) { push(std::vector{chat}); }
  void push(const ChatMessage& message) { push(std::vector{message}); }

  // Secrets, such as a token: bytes that the host keeps apart from the state and shows to nobody. At most 64 KiB each;
  // a name has at most 64 bytes. What is kept is seen from the next event on. Valid until the handler returns; empty:
  // there is none.
  std::string_view secret(std::string_view name) const {
    const auto* const host =
        static_cast<const botel_connector_v1*>(call().host->extension(call().host, BOTEL_CONNECTOR_EXTENSION));
    if (!host) throw Error("the host keeps no secrets");
    botel_str value{};
    check(host->secret(&call(), detail::borrow(name), &value));
    return detail::view(value);
  }
  void keep_secret(const std::string& name, std::string_view value) {
    const std::string which = json::Object().text("name", name).json();
    botel_effect effect = make(BOTEL_CONNECTOR_SECRET);
    effect.payload = detail::borrow(value);
    effect.detail = detail::borrow(which);
    emit(effect);
  }
  void forget_secret(const std::string& name) { keep_secret(name, {}); }

 private:
  void answer_with(std::int32_t kind, Reply reply, std::string_view json, std::string_view more = {}) {
    answer_with(make(kind), reply, json, more);
  }
  void answer_with(botel_effect effect, Reply reply, std::string_view json, std::string_view more = {}) {
    effect.reply = reply.token;
    effect.format = BOTEL_FORMAT_JSON;
    effect.payload = detail::borrow(json);
    effect.detail = detail::borrow(more);
    emit(effect);
  }
  template <class Item>
  void answer_list(Reply reply, const std::vector<Item>& items) {
    answer_with(BOTEL_EFFECT_REPLY, reply, json::list(items));
  }
  template <class Item>
  void push_list(std::int32_t kind, const std::vector<Item>& items) {
    const std::string json = json::list(items);
    botel_effect effect = make(kind);
    effect.format = BOTEL_FORMAT_JSON;
    effect.payload = detail::borrow(json);
    emit(effect);
  }
};

// The logic of a connector. Every function is one transaction: when it throws, nothing of it has happened, and what was
// asked for is answered with an error. Called for one event of an account at a time, in order; for different accounts
// at the same time. [actor]
class Connector {
 public:
  virtual ~Connector() = default;

  // The answer to a step, which satisfies its schema; at the beginning, answer.step is empty. Answer with Account::ask
  // or Account::finish. It may begin anew at any time, also for an account that is configured.
  virtual void on_configure(Account&, const Answer&, Reply) = 0;

  // What MOCA asks for. Each is answered by the directory, unless the connector has it better.
  virtual void on_get_contacts(Account& account, Reply reply) { account.from_directory(reply); }
  virtual void on_get_contact(Account& account, const GivenId&, Reply reply) { account.from_directory(reply); }
  virtual void on_get_chats(Account& account, Reply reply) { account.from_directory(reply); }
  virtual void on_get_chat(Account& account, const GivenId&, Reply reply) { account.from_directory(reply); }
  virtual void on_get_messages(Account& account, const Page&, Reply reply) { account.from_directory(reply); }
  virtual void on_get_media(Account& account, const MediaRequest&, Reply reply) {
    account.fail(reply, "there are no media", 404);
  }

  // Answer with the whole message, and push it with the same id.
  virtual void on_send_message(Account& account, const Outgoing&, Reply reply) {
    account.fail(reply, "the service takes no messages", 501);
  }

  virtual void on_timer(Account&, std::uint64_t /*tag*/) {}
  // The last event. Whatever comes of it, the host forgets all that it has of the account.
  virtual void on_delete(Account&) {}
  // The host was away for so long; 0: another version or configuration has taken over.
  virtual void on_resumed(Account&, milliseconds /*away*/) {}
  // The state could not be read and is gone: the account is to be configured anew.
  virtual void on_reset(Account&) {}
};

namespace detail {

inline Page page(const botel_event& event) {
  const auto json = json::parse(view(event.detail));
  return {GivenId(view(event.payload)), GivenId(json::text(json, "before")),
          static_cast<std::size_t>(json::number(json, "limit", 25))};
}

inline Outgoing outgoing(const botel_event& event) {
  const auto json = json::parse(view(event.detail));
  return {GivenId(json::text(json, "chat_id")), Content::read(view(event.payload)), view(event.payload)};
}

inline MediaRequest media_request(const botel_event& event) {
  const auto json = json::parse(view(event.detail));
  return {GivenId(json::text(json, "chat_id")), GivenId(json::text(json, "message_id")),
          std::string(json::text(json, "uri")), static_cast<std::size_t>(json::number(json, "offset")),
          static_cast<std::size_t>(json::number(json, "limit"))};
}

inline Answer given_answer(const botel_event& event) {
  return {std::string(json::text(json::parse(view(event.detail)), "step")), view(event.payload)};
}

inline void dispatch_to_connector(Connector& connector, Account& account, const botel_event& event) {
  const Reply reply(event.reply);
  const auto id = [&] { return GivenId(view(event.payload)); };
  switch (event.kind) {
    case BOTEL_CONNECTOR_CONFIGURE: return connector.on_configure(account, given_answer(event), reply);
    case BOTEL_CONNECTOR_GET_CONTACTS: return connector.on_get_contacts(account, reply);
    case BOTEL_CONNECTOR_GET_CONTACT: return connector.on_get_contact(account, id(), reply);
    case BOTEL_CONNECTOR_GET_CHATS: return connector.on_get_chats(account, reply);
    case BOTEL_CONNECTOR_GET_CHAT: return connector.on_get_chat(account, id(), reply);
    case BOTEL_CONNECTOR_GET_MESSAGES: return connector.on_get_messages(account, page(event), reply);
    case BOTEL_CONNECTOR_SEND_MESSAGE: return connector.on_send_message(account, outgoing(event), reply);
    case BOTEL_CONNECTOR_GET_MEDIA: return connector.on_get_media(account, media_request(event), reply);
    case BOTEL_CONNECTOR_DELETE: return connector.on_delete(account);
    case BOTEL_CONNECTOR_RESUMED: return connector.on_resumed(account, milliseconds(number(event.payload)));
    case BOTEL_CONNECTOR_RESET: return connector.on_reset(account);
    case BOTEL_TIMER_DUE: return connector.on_timer(account, event.tag);
    default: return;
  }
}

}  // namespace detail

// Describes the connector T, for BOTEL_PLUGIN or for a test; `id` is the type that MOCA knows. T is made by
// T(std::string_view config), where it has that constructor (config is a JSON object), otherwise by T().
template <class T>
constexpr botel_descriptor connector(const char* id, const char* version, PluginOptions options = {}) {
  static_assert(std::is_base_of_v<Connector, T>, "a connector derives from botel::Connector");
  using Thunks = detail::Thunks<T, Connector, Account, detail::dispatch_to_connector>;
  return detail::descriptor<Thunks>(BOTEL_CONNECTOR, id, version, options);
}

}  // namespace botel
