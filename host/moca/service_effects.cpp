// The third part of Service: what connectors do.
#include <botel/ext/connector.h>

#include <algorithm>
#include <utility>

#include "moca/service.hpp"

namespace botel::moca {
namespace {

constexpr std::size_t kLongestName = 64;           // of a step or a secret, in bytes
constexpr std::size_t kLongestSecret = 64 * 1024;  // bytes

std::string_view view(botel_str text) { return {text.ptr, text.len}; }

std::string member(std::string_view json, std::string_view key) {
  const auto object = json.empty() ? failure("") : json::read(json);
  return object ? json::text(*object, key) : std::string();
}

bool is_name(std::string_view name) { return !name.empty() && name.size() <= kLongestName; }

bool begins_with(std::string_view json, char bracket) {
  const auto first = json.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && json[first] == bracket;
}

// It says itself that no object satisfies it.
bool is_never_an_object(std::string_view schema) {
  const auto document = json::read(schema);
  const auto type = document ? document->find("type") : std::nullopt;
  if (!type) return document && document->root.raw == "false";
  return type->raw.find(R"("object")") == std::string_view::npos;
}

// A step's schema must be sound, and not satisfied by {}, which always means the beginning.
Result<> check_schema(std::string_view text) {
  const auto schema = Schema::compile(text);
  if (!schema) return tl::unexpected(schema.error());
  if (is_never_an_object(text)) return failure("no object satisfies it");
  return schema->check("{}").empty() ? failure("it requires no member") : Result<>();
}

std::string_view kind_of(std::int32_t effect) {
  if (effect == BOTEL_CONNECTOR_PUSH_CONTACTS) return "contact";
  return effect == BOTEL_CONNECTOR_PUSH_CHATS ? "chat" : "message";
}

Result<Item> read_item(std::string_view kind, std::string_view json) {
  if (kind == "contact") return read_contact(json);
  return kind == "chat" ? read_chat(json) : read_message(json);
}

}  // namespace

std::int32_t Service::check(const botel_effect& effect) const {
  const std::string_view payload = view(effect.payload);
  const bool is_json = effect.format == BOTEL_FORMAT_JSON;
  bool good = true;
  switch (effect.kind) {
    case BOTEL_EFFECT_REPLY: good = is_json && effect.reply != 0; break;
    case BOTEL_CONNECTOR_STEP: good = effect.reply != 0 && is_step(effect); break;
    case BOTEL_CONNECTOR_FINISHED: good = is_json && effect.reply != 0 && begins_with(payload, '{'); break;
    case BOTEL_CONNECTOR_PUSH_CONTACTS:
    case BOTEL_CONNECTOR_PUSH_CHATS:
    case BOTEL_CONNECTOR_PUSH_MESSAGES: good = is_json && begins_with(payload, '['); break;
    case BOTEL_CONNECTOR_WORKING:
    case BOTEL_CONNECTOR_FROM_DIRECTORY: good = effect.reply != 0; break;
    case BOTEL_CONNECTOR_MEDIA: good = effect.reply != 0 && payload.size() <= kMediaPiece; break;
    case BOTEL_CONNECTOR_SECRET:
      good = is_name(member(view(effect.detail), "name")) && payload.size() <= kLongestSecret;
      break;
    default: return BOTEL_E_UNSUPPORTED;
  }
  return good ? BOTEL_OK : BOTEL_E_INVALID;
}

bool Service::is_step(const botel_effect& effect) const {
  const std::string step = member(view(effect.detail), "step");
  if (effect.format != BOTEL_FORMAT_JSON || !is_name(step) || step == "finished") return false;
  const auto sound = check_schema(view(effect.payload));
  if (sound) return true;
  const std::lock_guard lock(check_mutex_);
  check_complaints_.warning("the schema of the step {} is refused: {}", log::printable(step), sound.error());
  return false;
}

bool Service::take(runtime::Actor& actor, runtime::Effect& effect) {
  Connector& connector = static_cast<Connector&>(actor);
  switch (effect.kind) {
    case BOTEL_EFFECT_REPLY: reply(connector, effect); return true;
    case BOTEL_CONNECTOR_STEP: step(connector, effect); return true;
    case BOTEL_CONNECTOR_FINISHED: finished(connector, effect); return true;
    case BOTEL_CONNECTOR_WORKING: sign_of_life(connector, effect); return true;
    case BOTEL_CONNECTOR_FROM_DIRECTORY:
      if (answered_by(connector, effect)) look_up(connector, effect.reply);
      return true;
    case BOTEL_CONNECTOR_MEDIA: send_media(connector, effect); return true;
    case BOTEL_CONNECTOR_SECRET: keep_secret(connector, effect); return true;
    case BOTEL_CONNECTOR_PUSH_CONTACTS:
    case BOTEL_CONNECTOR_PUSH_CHATS:
    case BOTEL_CONNECTOR_PUSH_MESSAGES: return !keep_items(connector, effect);
    default: return false;
  }
}

void Service::perform(runtime::Actor& actor, runtime::Effect& effect) {
  static_cast<Connector&>(actor).pushes.leave(kind_of(effect.kind), effect.payload);
}

void Service::handled(runtime::Actor& actor, const runtime::Event& event, const Result<>& committed) {
  Connector& connector = static_cast<Connector&>(actor);
  if (event.kind == BOTEL_CONNECTOR_DELETE || connector.gone) return leave(connector);
  if (committed || !asked(connector, event.reply)) return;
  connector.last_answer = runtime_.now().steady;
  fail(connector, event.reply, kFailed, "the connector failed");
}

void Service::censor(runtime::Event& letter) const {
  if (letter.kind == BOTEL_CONNECTOR_CONFIGURE) letter.payload.clear();
}

// The request that a connector speaks of; null: it is answered already, or now, as what it says does not fit.
Asked* Service::answered_by(Connector& connector, const runtime::Effect& effect) {
  Asked* const known = asked(connector, effect.reply);
  // A deletion is not for the connector to answer.
  if (!known || known->command == Command::remove) return nullptr;
  if (effect.kind != BOTEL_CONNECTOR_WORKING) connector.last_answer = runtime_.now().steady;
  const bool is_step = known->command == Command::configure, is_media = known->command == Command::get_media;
  bool fits = true;
  switch (effect.kind) {
    case BOTEL_CONNECTOR_STEP:
    case BOTEL_CONNECTOR_FINISHED: fits = is_step; break;
    case BOTEL_CONNECTOR_MEDIA: fits = is_media; break;
    case BOTEL_CONNECTOR_FROM_DIRECTORY: fits = !is_step && !is_media && known->command != Command::send_message; break;
    case BOTEL_EFFECT_REPLY: fits = effect.status != 0 || (!is_step && !is_media); break;
    default: break;
  }
  if (fits) return known;
  fail(connector, effect.reply, kFailed, "the connector's answer does not fit");
  return nullptr;
}

void Service::sign_of_life(Connector& connector, const runtime::Effect& effect) {
  Asked* const known = answered_by(connector, effect);
  if (!known) return;
  known->quiet_by = runtime_.now().steady + config_.answer_timeout;
  look_at(connector, effect.reply);
}

void Service::step(Connector& connector, const runtime::Effect& effect) {
  if (!answered_by(connector, effect)) return;
  set_step(connector, member(effect.detail, "step"), effect.payload);
  answer(connector, effect.reply, step_as_json(connector, {}));
}

void Service::finished(Connector& connector, const runtime::Effect& effect) {
  if (!answered_by(connector, effect)) return;
  auto contact = read_contact(effect.payload);
  if (!contact) return fail(connector, effect.reply, kFailed, "the contact is wrong: " + contact.error());
  end_flow(connector);
  connector.configured = connector.stays = true;
  answer(connector, effect.reply,
         fmt::format(R"({{"step":"finished","contact":{0},"data":{{"contact":{0}}}}})", contact->json));
  directory_.put(runtime_.id(connector), "contact", *contact, runtime_.new_id());
  complaints_.info("connector {} is configured", log::printable(connector.address));
  connector.pushes.begin(std::move(*contact));
}

void Service::reply(Connector& connector, const runtime::Effect& effect) {
  const Asked* const known = answered_by(connector, effect);
  if (!known) return;
  if (effect.status != 0) {
    const int code = effect.status >= 400 && effect.status < 600 ? effect.status : static_cast<int>(kFailed);
    const std::string why = member(effect.payload, "message");
    return fail(connector, effect.reply, code, why.empty() ? "the connector could not" : why);
  }
  std::string_view kind = "message";
  if (known->command == Command::get_contacts || known->command == Command::get_contact) kind = "contact";
  if (known->command == Command::get_chats || known->command == Command::get_chat) kind = "chat";
  const bool is_one = known->command == Command::get_contact || known->command == Command::get_chat ||
                      known->command == Command::send_message;
  if (is_one) {
    auto item = read_item(kind, effect.payload);
    if (!item) return fail(connector, effect.reply, kFailed, "the connector's answer is wrong: " + item.error());
    const std::string json = item->json;
    if (kind == "contact") directory_.put(runtime_.id(connector), kind, std::move(*item), runtime_.new_id());
    return answer(connector, effect.reply, json);
  }
  const auto all = json::read(effect.payload);
  if (!all || !all->root.is(json::Kind::array)) {
    return fail(connector, effect.reply, kFailed, "the connector's answer is no list");
  }
  std::vector<std::string> items;
  for (auto& item : read_items(connector, kind, *all)) {
    items.push_back(item.json);
    if (kind == "contact") directory_.put(runtime_.id(connector), kind, std::move(item), runtime_.new_id());
  }
  answer(connector, effect.reply, json::array(items));
}

// One piece after the other, each an event of its own, so that a restart in between goes on where it was. What is sent
// again may arrive twice: so the next one, or the end, waits until the broker has the one before.
void Service::send_media(Connector& connector, const runtime::Effect& effect) {
  Asked* const known = answered_by(connector, effect);
  if (!known) return;
  const Token token = effect.reply;
  if (known->sending) return fail(connector, token, kFailed, "the connector gives more than it was asked for");
  const auto text = [&](std::string_view name) { return json::quoted(member(effect.detail, name)); };
  if (effect.status == 0) {
    known->end = fmt::format(R"({{"data":null,"filename":{},"mime":{}}})", text("filename"), text("mime"));
  }
  if (effect.payload.empty()) {
    return known->end.empty() ? fail(connector, token, kFailed, "the connector gives nothing")
                              : go_on_with_media(connector, token);
  }
  if (known->offset == 0) known->losses = client_.losses();
  known->offset += effect.payload.size();
  known->sending = true;
  runtime_.touch(connector);
  client_.publish(known->topic + "/response", fmt::format(R"({{"data":"{}"}})", base64(effect.payload)),
                  [this, address = connector.address, token](bool arrived) {
                    const auto there = connectors_.find(address);
                    if (there != connectors_.end()) media_sent(*there->second, token, arrived);
                  });
}

void Service::media_sent(Connector& connector, Token token, bool arrived) {
  Asked* const known = asked(connector, token);
  if (!known) return;
  known->sending = false;
  arrived ? go_on_with_media(connector, token) : fail(connector, token, kFailed, "the broker does not take it");
}

void Service::go_on_with_media(Connector& connector, Token token) {
  const Asked& known = connector.asked.at(token);
  if (known.offset > 0 && known.losses != client_.losses()) {
    return fail(connector, token, kFailed, "the connection to the broker was lost meanwhile");
  }
  if (known.end.empty()) {
    watch(connector, token);
    return post_media(connector, token);
  }
  const Digest key = known.key;
  publish(known.topic, known.end);
  finish(connector, token);
  recent_.forget(key);
}

// What is wrong is left out: MOCA would lose the rest of the list with it.
std::vector<Item> Service::read_items(const Connector& connector, std::string_view kind, const json::Document& list) {
  std::vector<Item> good;
  for (std::size_t i = 0; i < list.elements.size(); ++i) {
    if (auto item = read_item(kind, list.elements[i].raw)) {
      good.push_back(std::move(*item));
    } else {
      ++bad_items_;
      complaints_.warning("connector {}: the {}. {} of a list is left out: {}", log::printable(connector.address),
                          i + 1, kind, log::printable(item.error()));
    }
  }
  return good;
}

// What is pushed before the end of a configuration waits for it. Where none is under way it might wait for ever.
bool Service::may_push(const Connector& connector) {
  const bool is_nobodys = !connector.configured && connector.flow_timer == 0;
  if (!is_nobodys && connector.pushes.has_room()) return true;
  ++dropped_pushes_;
  complaints_.warning("connector {}: what it pushes is dropped: {}", log::printable(connector.address),
                      is_nobodys ? "it is not configured" : "too many of its pushes wait for MOCA");
  return false;
}

// The directory has them at once, MOCA in their turn. False: nothing is left to push.
bool Service::keep_items(Connector& connector, runtime::Effect& effect) {
  if (!may_push(connector)) return false;
  const std::string_view kind = kind_of(effect.kind);
  const auto all = json::read(effect.payload);
  if (!all) return false;
  std::vector<std::string> good;
  for (Item& item : read_items(connector, kind, *all)) {
    ++pushed_;
    good.push_back(item.json);
    directory_.put(runtime_.id(connector), kind, std::move(item), runtime_.new_id());
  }
  if (good.empty()) return false;
  effect.payload = json::array(good);
  connector.pushes.queued(kind, good, effect.payload.size());
  return true;
}

void Service::keep_secret(Connector& connector, const runtime::Effect& effect) {
  const std::string name = member(effect.detail, "name");
  secrets_.push_back({runtime_.id(connector), name, effect.payload});
  if (effect.payload.empty()) {
    connector.secrets.erase(name);
  } else {
    connector.secrets[name] = effect.payload;
  }
}

const std::string* Service::secret(const runtime::Actor& actor, std::string_view name) const {
  const auto& secrets = static_cast<const Connector&>(actor).secrets;
  const auto found = secrets.find(name);
  return found == secrets.end() ? nullptr : &found->second;
}

}  // namespace botel::moca
