// The second part of Service: requests wait for their connectors, and are answered exactly once.
#include <botel/ext/connector.h>

#include <algorithm>
#include <utility>

#include "moca/failures.hpp"
#include "moca/service.hpp"

namespace botel::moca {
namespace {

constexpr std::size_t kLongestWhy = 1000;  // bytes of an error's message

std::string page_as_json(const Page& page) {
  return page.before.empty() ? fmt::format(R"({{"limit":{}}})", page.limit)
                             : fmt::format(R"({{"before":{},"limit":{}}})", json::quoted(page.before), page.limit);
}

}  // namespace

using runtime::Event;

void Service::serve(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key) {
  const auto refuse_it = [&](std::string_view why) { refuse(message, topic, kBadRequest, why); };
  if (is_full(connector)) {
    return refuse(connector, message, topic, kUnavailable, "too many requests wait for this connector");
  }
  Event event{.format = BOTEL_FORMAT_TEXT, .payload = topic.argument};
  Page page;
  switch (*topic.command) {
    case Command::get_contacts: event.kind = BOTEL_CONNECTOR_GET_CONTACTS; break;
    case Command::get_contact: event.kind = BOTEL_CONNECTOR_GET_CONTACT; break;
    case Command::get_chats: event.kind = BOTEL_CONNECTOR_GET_CHATS; break;
    case Command::get_chat: event.kind = BOTEL_CONNECTOR_GET_CHAT; break;
    case Command::get_old_messages:
    case Command::get_messages: {
      auto read = read_page(message.payload);
      if (!read) return refuse_it(read.error());
      page = std::move(*read);
      event.kind = BOTEL_CONNECTOR_GET_MESSAGES;
      event.detail = page_as_json(page);
      break;
    }
    case Command::send_message: {
      auto read = read_outgoing(message.payload, topic.argument);
      if (!read) return refuse_it(read.error());
      event.kind = BOTEL_CONNECTOR_SEND_MESSAGE;
      event.format = BOTEL_FORMAT_JSON;
      event.payload = std::move(read->content);
      event.detail = fmt::format(R"({{"chat_id":{}}})", json::quoted(read->chat));
      break;
    }
    default: break;
  }
  const Token token = ask(connector, message, topic, key);
  Asked& asked = connector.asked.at(token);
  asked.page = std::move(page);
  // Of the old form only the directory knows whether it is a chat's id or a message's.
  if (asked.command == Command::get_old_messages) return find_old_messages(connector, token);
  if (asked.command == Command::get_media) return begin_media(connector, token);
  post(connector, token, std::move(event));
}

bool Service::is_full(const Connector& connector) const {
  return connector.asked.size() >= kMostAsked || !runtime_.can_queue(connector);
}

Service::Token Service::ask(Connector& connector, const mqtt::Message& message, const Topic& topic, Digest key) {
  const Token token = runtime_.new_id();
  Asked& asked = connector.asked[token];
  asked.command = *topic.command;
  asked.topic = message.topic;
  asked.what = topic;
  asked.key = key;
  // What was given to a step before this one is nothing to remember: it would be answered as if that were asked again.
  if (asked.command == Command::configure) recent_.forget(std::exchange(connector.last_key, key));
  recent_.begin(key, connector.address);
  if (asked.command == Command::get_contact) connector.pushes.request_opened();
  watch(connector, token);
  return token;
}

void Service::post(Connector& connector, Token token, Event event) {
  event.reply = token;
  runtime_.post(connector, std::move(event));
}

// Once the store knows of it: of what the store has never heard, nothing was sent before a crash, so that it may begin
// anew when the broker hands it over again.
void Service::begin_media(Connector& connector, Token token) { new_media_.emplace_back(connector.address, token); }

void Service::saved() {
  for (const auto& [address, token] : std::exchange(given_media_, {})) {
    const auto there = connectors_.find(address);
    if (there != connectors_.end() && asked(*there->second, token)) post_media(*there->second, token);
  }
}

void Service::post_media(Connector& connector, Token token) {
  Asked& asked = connector.asked.at(token);
  asked.begun = true;
  const std::string which = asked.what.uri.empty()
                                ? fmt::format(R"("chat_id":{},"message_id":{})", json::quoted(asked.what.chat),
                                              json::quoted(asked.what.argument))
                                : fmt::format(R"("uri":{})", json::quoted(asked.what.uri));
  post(connector, token,
       {.kind = BOTEL_CONNECTOR_GET_MEDIA,
        .detail = fmt::format(R"({{{},"offset":{},"limit":{}}})", which, asked.offset, kMediaPiece)});
}

Asked* Service::asked(Connector& connector, Token token) {
  const auto found = connector.asked.find(token);
  return found == connector.asked.end() ? nullptr : &found->second;
}

// Time ---------------------------------------------------------------------------------------------------------------

// MOCA was told that it failed: it must not happen afterwards.
bool Service::is_wanted(const runtime::Actor& actor, const Event& event) const {
  return event.reply == 0 || static_cast<const Connector&>(actor).asked.contains(event.reply);
}

// From now on: also after a restart, and for each piece of media.
void Service::watch(Connector& connector, Token token) {
  Asked& asked = connector.asked.at(token);
  const SteadyTime now = runtime_.now().steady;
  asked.by = now + config_.longest_answer;
  asked.quiet_by = now + config_.answer_timeout;
  asked.next_keepalive = now + config_.keepalive;
  look_at(connector, token);
  runtime_.touch(connector);
}

void Service::look_at(Connector& connector, Token token) {
  Asked& asked = connector.asked.at(token);
  const SteadyTime now = runtime_.now().steady;
  runtime_.timers().cancel(std::exchange(asked.timer, 0));
  // Lazily, as many may wait. A deletion does not wait for what is before it.
  if (asked.command != Command::remove) {
    asked.quiet_by = std::max(asked.quiet_by, connector.last_answer + config_.answer_timeout);
  }
  if (now >= std::min(asked.by, asked.quiet_by)) return time_out(connector, token);
  if (now >= asked.next_keepalive) {
    client_.publish(asked.topic + "/keepalive", "{}");
    asked.next_keepalive = now + config_.keepalive;
  }
  asked.timer = runtime_.timers().set(std::min({asked.by, asked.quiet_by, asked.next_keepalive}),
                                      [this, &connector, token] { look_at(connector, token); });
}

// A connector is deleted whatever it has to say: at once, or when its handler returns.
void Service::time_out(Connector& connector, Token token) {
  ++timeouts_;
  const bool is_end = connector.asked.at(token).command == Command::remove;
  if (is_end && !runtime_.in_handler(connector)) return leave(connector);
  connector.gone = connector.gone || is_end;
  fail(connector, token, kTimeout, "the connector did not answer in time");
}

// Answers ------------------------------------------------------------------------------------------------------------

void Service::answer(Connector& connector, Token token, const std::string& json) {
  const Asked* const known = asked(connector, token);
  if (!known) return;
  publish(known->topic, json);
  remember(*known, json);
  // The published telegram service answers by a push: both are done.
  if (known->command == Command::get_chats && json.front() == '[' && json != "[]") connector.pushes.push_chats(json);
  finish(connector, token);
}

void Service::fail(Connector& connector, Token token, int code, std::string_view message) {
  const Asked* const known = asked(connector, token);
  if (!known) return;
  ++refused_;
  complaints_.warning("connector {}: {} is answered with {}: {}", log::printable(connector.address),
                      name(known->command), code, log::printable(message, 500));
  const std::string why(message.substr(0, kLongestWhy));
  const bool may_be_known = known->command == Command::get_contact && !known->in_directory && !connector.gone;
  if (may_be_known) return fail_contact(connector, token, code, why);
  const std::string json = failure_of(known->what, code, why);
  publish(known->topic, json);
  // A step that failed is given once more on the same topic by whoever tries it again.
  known->what.form == Form::configure ? recent_.forget(known->key) : remember(*known, json);
  finish(connector, token);
}

// A contact of which the directory knows keeps its name. What is known may be more when it is asked for again.
void Service::fail_contact(Connector& connector, Token token, int code, const std::string& why) {
  Asked& known = connector.asked.at(token);
  known.in_directory = true;
  runtime_.timers().cancel(std::exchange(known.timer, 0));
  runtime_.touch(connector);
  const std::string id = known.what.argument;
  directory_.find({.actor = runtime_.id(connector), .kind = "contact", .id = id},
                  [=, this, address = connector.address](const Result<std::vector<std::string>>& items) {
                    const auto there = connectors_.find(address);
                    const Asked* const waiting = there == connectors_.end() ? nullptr : asked(*there->second, token);
                    if (!waiting) return;
                    const bool is_known = items && !items->empty();
                    publish(waiting->topic, with_error(is_known ? items->front() : unknown_contact(id), code, why));
                    recent_.forget(waiting->key);
                    finish(*there->second, token);
                  });
}

// Of the older server a later request has the same topic, and is another one.
void Service::remember(const Asked& asked, const std::string& answer) {
  if (asked.what.form == Form::users) return recent_.forget(asked.key);
  recent_.answered(asked.key, answer, runtime_.now().steady);
}

void Service::finish(Connector& connector, Token token) {
  const Asked asked = std::move(connector.asked.extract(token).mapped());
  runtime_.timers().cancel(asked.timer);
  runtime_.touch(connector);
  if (asked.command == Command::get_contact) connector.pushes.request_over();
}

// The directory ------------------------------------------------------------------------------------------------------

void Service::look_up(Connector& connector, Token token) {
  Asked& known = connector.asked.at(token);
  known.in_directory = true;
  runtime_.touch(connector);
  store::ItemQuery query{.actor = runtime_.id(connector)};
  switch (known.command) {
    case Command::get_contacts: query.kind = "contact"; break;
    case Command::get_contact: query = {.actor = query.actor, .kind = "contact", .id = known.what.argument}; break;
    case Command::get_chats: query.kind = "chat"; break;
    case Command::get_chat: query = {.actor = query.actor, .kind = "chat", .id = known.what.argument}; break;
    default: return find_messages(connector, token);
  }
  directory_.find(std::move(query),
                  [this, address = connector.address, token](const auto& items) { found(address, token, items); });
}

void Service::find_messages(Connector& connector, Token token) {
  const Asked& known = connector.asked.at(token);
  directory_.find({.actor = runtime_.id(connector),
                   .kind = "message",
                   .chat = known.what.argument,
                   .before = known.page.before,
                   .most = known.page.limit},
                  [this, address = connector.address, token](const auto& items) { found(address, token, items); });
}

// A known chat, or else a known message. What is neither the connector may know.
void Service::find_old_messages(Connector& connector, Token token) {
  const store::ActorId actor = runtime_.id(connector);
  const std::string id = connector.asked.at(token).what.argument;
  const auto still_there = [this, address = connector.address, token]() -> Connector* {
    const auto there = connectors_.find(address);
    return there != connectors_.end() && asked(*there->second, token) ? there->second.get() : nullptr;
  };
  const auto ask_connector = [this, still_there, token, id] {
    Connector* const there = still_there();
    if (!there) return;
    post(*there, token,
         {.kind = BOTEL_CONNECTOR_GET_MESSAGES,
          .format = BOTEL_FORMAT_TEXT,
          .payload = id,
          .detail = page_as_json(there->asked.at(token).page)});
  };
  directory_.find({.actor = actor, .kind = "chat", .id = id}, [=, this](const auto& chats) {
    if (!still_there()) return;
    if (chats && !chats->empty()) return ask_connector();
    directory_.find({.actor = actor, .kind = "message", .id = id}, [=, this](const auto& messages) {
      Connector* const there = still_there();
      if (!there) return;
      if (!messages || messages->empty()) return ask_connector();
      found(there->address, token, messages);
    });
  });
}

// What the directory knows changes, so that it is looked at again when the same request comes again.
void Service::found(const std::string& address, Token token, const Result<std::vector<std::string>>& items) {
  const auto there = connectors_.find(address);
  const Asked* const known = there == connectors_.end() ? nullptr : asked(*there->second, token);
  if (!known) return;
  Connector& connector = *there->second;
  const Digest key = known->key;
  const bool is_one = known->command == Command::get_contact || known->command == Command::get_chat;
  if (!items) {
    fail(connector, token, kFailed, "the store cannot be read");
    log::error("connector {}: {}", log::printable(address), items.error());
  } else if (!is_one) {
    answer(connector, token, json::array(*items));
  } else if (items->empty()) {
    fail(connector, token, kUnknown, "nothing is known by this id");
  } else {
    answer(connector, token, items->front());
  }
  recent_.forget(key);
}

}  // namespace botel::moca
