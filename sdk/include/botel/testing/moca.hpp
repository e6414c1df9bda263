// Moca: one account of a connector, with MOCA and the host around it, in a test. See testing.hpp.
#pragma once

#include <botel/ext/connector.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../ids.hpp"
#include "../items.hpp"
#include "asked.hpp"
#include "collisions.hpp"
#include "connector_effects.hpp"
#include "directory.hpp"
#include "one_actor.hpp"

namespace botel::testing {

class Moca : public OneActor {
 public:
  // Throws botel::Error when the connector refuses the configuration, a JSON object. `id`: the account's, at MOCA.
  explicit Moca(const botel_descriptor& connector, std::string_view config = "{}", const std::string& id = "42")
      : OneActor(check_kind(connector), detail::check_connector_effect, config,
                 {BOTEL_ACTOR_CONNECTOR, connector.id + ("/" + id), info(connector.id, id, 0)}),
        id_(id) {}

  // A step of the configuration, as an object in JSON; {} begins it, or shows the step again that is under way.
  Lines configure(const std::string& answer = "{}") {
    const auto object = json::parse(answer);
    if (!object.IsObject()) return {"error 400: the payload is no JSON object"};
    if (asked_.has("configure")) return {"error 409: the step before is still being handled"};
    flow_until_ = time() + kStepTime;
    if (step_.empty()) return ask("configure", BOTEL_CONNECTOR_CONFIGURE, "{}", step_detail());
    if (object.ObjectEmpty()) return {step_line()};
    if (const auto fault = detail::fault(schema_, answer)) return {"wrong: " + *fault, step_line()};
    return ask("configure", BOTEL_CONNECTOR_CONFIGURE, answer, step_detail());
  }

  // What MOCA asks for. An account that is not configured is not asked.
  Lines get_contacts() { return request({.command = "get_contacts"}, BOTEL_CONNECTOR_GET_CONTACTS); }
  Lines get_contact(const Id& id) {
    return request({.command = "get_contact", .id = id.text()}, BOTEL_CONNECTOR_GET_CONTACT);
  }
  Lines get_chats() { return request({.command = "get_chats"}, BOTEL_CONNECTOR_GET_CHATS); }
  Lines get_chat(const Id& id) { return request({.command = "get_chat", .id = id.text()}, BOTEL_CONNECTOR_GET_CHAT); }
  Lines get_messages(const Id& chat, const std::optional<Id>& before = {}, unsigned limit = 25) {
    json::Object page;
    if (before) page.text("before", before->text());
    page.number("limit", limit);
    return request({.command = "get_messages",
                    .id = chat.text(),
                    .before = before ? before->text() : std::string(),
                    .limit = limit},
                   BOTEL_CONNECTOR_GET_MESSAGES, page.json());
  }
  Lines send(const Id& chat, const Content& content) {
    if (!configured_) return not_configured();
    const std::string where = json::Object().text("chat_id", chat.text()).json();
    return ask("send_message", BOTEL_CONNECTOR_SEND_MESSAGE, content.json(), where);
  }
  Lines send(const Id& chat, const std::string& text) { return send(chat, Content::text(text)); }
  // All pieces, as long as each is answered at once. media() has them.
  Lines get_media(const Id& chat, const Id& message) {
    const auto ids = json::Object().text("chat_id", chat.text()).text("message_id", message.text());
    return begin_media({.command = "get_media", .media = ids});
  }
  Lines get_media_file(const std::string& uri) {
    return begin_media({.command = "get_media", .media = json::Object().text("uri", uri)});
  }
  const std::string& media() const { return media_; }

  // The account is deleted: the next configure() begins with nothing, as another one with its id would.
  Lines remove() { return happen({.kind = BOTEL_CONNECTOR_DELETE}); }

  Lines timer(std::uint64_t tag) {
    cancel_timer(tag);
    return happen({.kind = BOTEL_TIMER_DUE, .tag = tag});
  }
  // The host was away for so long. An account that is not configured does not hear of it.
  Lines resumed(milliseconds away) {
    return configured_ ? happen(number_event(BOTEL_CONNECTOR_RESUMED, away)) : Lines{};
  }
  // Goes on with another version of the plugin, or another configuration, which a configured account is told.
  Lines reload(const botel_descriptor& connector, std::string_view config = "{}") {
    OneActor::reload(check_kind(connector), config);
    return resumed(milliseconds(0));
  }
  // The state is gone: a version could not read it, and the operator said that it may.
  Lines reset() {
    begin_anew();
    configured_ = false;
    end_flow();
    return happen({.kind = BOTEL_CONNECTOR_RESET});
  }

  bool configured() const { return configured_; }
  // What Account::ids() of the account makes.
  Ids own_ids() const { return Ids(seed(descriptor().id, id_, life_)); }
  // What it has pushed. See collisions().
  PushedIds ids() const {
    PushedIds ids{id_, directory_.ids()};
    std::erase_if(ids.items, [&](const auto& item) { return item.kind == "contact" && item.id == own_; });
    return ids;
  }
  // Requests that wait for an answer.
  std::size_t unanswered() const { return asked_.size(); }
  // Empty: there is none.
  std::string secret(std::string_view name) const {
    const auto found = secrets_.find(name);
    return found == secrets_.end() ? std::string() : found->second;
  }

 private:
  using Asked = detail::Asked;
  static constexpr milliseconds kStepTime = std::chrono::minutes(15);

  // Each account has one of its own, and another one in its next life.
  static std::uint64_t seed(const std::string& type, const std::string& id, unsigned life) {
    return detail::hash_of_id(type + "/" + id + "/" + std::to_string(life)) >> 11;
  }
  static std::string info(const std::string& type, const std::string& id, unsigned life) {
    const auto number = static_cast<long long>(seed(type, id, life));
    return json::Object().text("type", type).text("id", id).number("seed", number).json();
  }
  static const botel_descriptor& check_kind(const botel_descriptor& connector) {
    if (connector.kind != BOTEL_CONNECTOR) throw Error("Moca is for connectors; bots have Talk");
    return connector;
  }

  // Requests.
  Lines request(Asked asked, std::int32_t kind, const std::string& more = {}) {
    if (!configured_) return not_configured();
    const std::string id = asked.id;
    return happen(
        {.kind = kind, .reply = add(std::move(asked)), .format = BOTEL_FORMAT_TEXT, .payload = id, .detail = more});
  }
  Lines begin_media(Asked asked) {
    if (!configured_) return not_configured();
    media_.clear();
    return happen(media_event(add(std::move(asked))));
  }
  Lines ask(const char* command, std::int32_t kind, const std::string& json, const std::string& more) {
    return happen({.kind = kind,
                   .reply = add({.command = command}),
                   .format = BOTEL_FORMAT_JSON,
                   .payload = json,
                   .detail = more});
  }
  static Lines not_configured() { return {"error 409: the connector is not configured yet"}; }
  std::uint64_t add(Asked asked) { return asked_.add(std::move(asked), time()); }
  Event media_event(std::uint64_t token) {
    const Asked& asked = *asked_.find(token);
    json::Object which = asked.media;
    which.number("offset", static_cast<long long>(asked.offset)).number("limit", 1 << 20);
    return {.kind = BOTEL_CONNECTOR_GET_MEDIA, .reply = token, .detail = which.json()};
  }

  // Effects.
  Lines take(const Event& event, const Effect& effect) override {
    switch (effect.kind) {
      case BOTEL_CONNECTOR_PUSH_CONTACTS: return push("contact", effect);
      case BOTEL_CONNECTOR_PUSH_CHATS: return push("chat", effect);
      case BOTEL_CONNECTOR_PUSH_MESSAGES: return push("message", effect);
      case BOTEL_CONNECTOR_SECRET: return keep_secret(effect);
      default: return take_answer(event, effect);
    }
  }
  Lines take_answer(const Event& event, const Effect& effect) {
    Asked* const asked = asked_.find(effect.reply);
    if (asked == nullptr) return {"nobody waits for this answer"};
    // Of an answer to another event it is said which.
    const std::string to = effect.reply == event.reply ? "" : "to " + asked->command + ": ";
    if (!asked->takes(effect.kind, effect.status))
      return error(to, effect.reply, "500: the connector's answer does not fit");
    switch (effect.kind) {
      case BOTEL_CONNECTOR_WORKING: asked_.show_life(effect.reply, time()); return {to + "working"};
      case BOTEL_CONNECTOR_STEP: return step(to, effect);
      case BOTEL_CONNECTOR_FINISHED: return finished(to, effect);
      case BOTEL_CONNECTOR_MEDIA: return piece(to, effect, *asked);
      case BOTEL_CONNECTOR_FROM_DIRECTORY: return from_directory(to, effect.reply, *asked);
      default: return reply(to, effect, *asked);
    }
  }

  Lines step(const std::string& to, const Effect& effect) {
    step_ = detail::member(effect.detail, "step");
    schema_ = effect.payload;
    flow_until_ = time() + kStepTime;
    asked_.remove(effect.reply);
    return {to + step_line()};
  }
  Lines finished(const std::string& to, const Effect& effect) {
    auto contact = json::parse(effect.payload);
    if (json::find(contact, "id") && !json::find(contact, "contact_id")) {
      contact.FindMember("id")->name.SetString("contact_id");
    }
    const std::string wrong = directory_.put("contact", contact);
    if (!wrong.empty()) return error(to, effect.reply, "500: the contact is wrong: " + wrong);
    own_ = detail::Directory::text(contact, "contact_id");
    end_flow();
    configured_ = stays_ = true;
    asked_.remove(effect.reply);
    return {to + "finished: " + effect.payload};
  }
  Lines reply(const std::string& to, const Effect& effect, const Asked& asked) {
    if (effect.status != 0) {
      const int code = effect.status >= 400 && effect.status < 600 ? effect.status : 500;
      return error(to, effect.reply, std::to_string(code) + ": " + detail::member(effect.payload, "message"));
    }
    const auto json = json::parse(effect.payload);
    if (!asked.wants_one() && !json.IsArray()) return error(to, effect.reply, "500: the connector's answer is no list");
    const std::string wrong = asked.wants_one() ? directory_.fault(asked.kind(), json) : std::string();
    if (!wrong.empty()) return error(to, effect.reply, "500: the connector's answer is wrong: " + wrong);
    Lines lines{to + "answer: " + effect.payload};
    if (!asked.wants_one()) append(lines, left_out(asked.kind(), json, false));
    asked_.remove(effect.reply);
    return lines;
  }
  // What is wrong among them. `keep`: the others go into the directory.
  Lines left_out(const std::string& kind, const rapidjson::Value& items, bool keep) {
    Lines lines;
    for (const auto& item : items.GetArray()) {
      const std::string wrong = keep ? directory_.put(kind, item) : directory_.fault(kind, item);
      if (!wrong.empty()) lines.push_back("left out, a " + kind + ": " + wrong);
    }
    return lines;
  }
  Lines from_directory(const std::string& to, std::uint64_t token, const Asked& asked) {
    const auto found = find(asked);
    if (!found) return error(to, token, "404: nothing is known by this id");
    asked_.remove(token);
    return {to + "from the directory: " + *found};
  }
  std::optional<std::string> find(const Asked& asked) const {
    if (asked.command == "get_messages") return directory_.messages(asked.id, asked.before, asked.limit);
    return asked.id.empty() ? directory_.all(asked.kind()) : directory_.one(asked.kind(), asked.id);
  }
  // One piece after the other, each an event of its own.
  Lines piece(const std::string& to, const Effect& effect, Asked& asked) {
    media_ += effect.payload;
    asked.offset += effect.payload.size();
    if (effect.status != 0 && effect.payload.empty())
      return error(to, effect.reply, "500: the connector gives nothing");
    if (effect.status != 0) {
      asked_.watch(effect.reply, time());
      next_piece_ = effect.reply;
      return {};
    }
    asked_.remove(effect.reply);
    return {to + "media " + detail::member(effect.detail, "filename") + " " + detail::member(effect.detail, "mime") +
            ", " + std::to_string(media_.size()) + " bytes"};
  }
  Lines error(const std::string& to, std::uint64_t token, const std::string& what) {
    asked_.remove(token);
    return {to + "error " + what};
  }

  Lines push(const std::string& kind, const Effect& effect) {
    if (!configured_ && !flow_until_) return {"dropped, a push: the connector is not configured"};
    Lines lines{"push " + kind + "s: " + effect.payload};
    append(lines, left_out(kind, json::parse(effect.payload), true));
    return lines;
  }
  Lines keep_secret(const Effect& effect) {
    const std::string name = detail::member(effect.detail, "name");
    if (effect.payload.empty()) {
      secrets_.erase(name);
    } else {
      secrets_[name] = effect.payload;
    }
    return {"secret " + name + (effect.payload.empty() ? " forgotten" : " kept")};
  }

  Lines handled(const Event& event, bool committed) override {
    if (event.kind == BOTEL_CONNECTOR_DELETE) return leave();
    actor().secrets = secrets_;
    if (!committed && asked_.find(event.reply)) return error("", event.reply, "500: the connector failed");
    if (const std::uint64_t token = std::exchange(next_piece_, 0)) return queue(media_event(token));
    return {};
  }

  // Time, and the end.
  std::optional<Time> next_due() const override {
    const auto due = asked_.next_due();
    return flow_until_ ? std::min(due.value_or(Time::max()), *flow_until_) : due;
  }
  Lines do_due() override {
    if (const auto asked = asked_.take_overdue(time())) {
      return {"to " + asked->command + ": error 504: the connector did not answer in time"};
    }
    end_flow();
    Lines lines{"the configuration has expired"};
    if (!stays_) append(lines, leave());
    return lines;
  }
  Lines leave() {
    Lines lines;
    while (const auto asked = asked_.take_overdue(Time::max())) {
      lines.push_back("to " + asked->command + ": error 404: the connector was deleted");
    }
    begin_anew();
    actor().info = info(descriptor().id, id_, ++life_);
    end_flow();
    directory_.clear();
    secrets_.clear();
    actor().secrets.clear();
    configured_ = stays_ = false;
    lines.push_back("deleted");
    return lines;
  }
  void end_flow() {
    step_.clear();
    schema_.clear();
    flow_until_.reset();
  }
  std::string step_line() const { return "step " + step_ + ": " + schema_; }
  std::string step_detail() const { return json::Object().text("step", step_).json(); }

  const std::string id_;
  unsigned life_ = 0;  // how often it was deleted
  std::string own_;    // the id of the user's own contact
  bool configured_ = false;
  bool stays_ = false;         // it was configured once
  std::string step_, schema_;  // of a configuration that is under way
  std::optional<Time> flow_until_;
  detail::AllAsked asked_;
  std::uint64_t next_piece_ = 0;  // a token
  std::string media_;
  Secrets secrets_;
  detail::Directory directory_;
};

}  // namespace botel::testing
