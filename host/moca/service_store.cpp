// The fourth part of Service: what the store keeps of connectors, and how they come back.
#include <botel/ext/connector.h>

#include <algorithm>
#include <cstdlib>

#include "moca/service.hpp"

namespace botel::moca {
namespace {

std::uint64_t number(const json::Document& object, std::string_view key) {
  return std::strtoull(json::text(object, key).c_str(), nullptr, 10);
}

std::string asked_as_json(std::uint64_t token, const Asked& asked) {
  return fmt::format(
      R"({{"token":"{}","command":"{}","topic":{},"key":"{}","before":{},"limit":{},"begun":{},"offset":{},)"
      R"("sending":{},"end":{},"in_directory":{}}})",
      token, name(asked.command), json::quoted(asked.topic), asked.key.hex(), json::quoted(asked.page.before),
      asked.page.limit, asked.begun, asked.offset, asked.sending, json::quoted(asked.end), asked.in_directory);
}

bool is(const json::Document& object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->raw == "true";
}

}  // namespace

std::string Service::origin(const runtime::Actor& actor) const { return actor.info; }

std::string Service::progress(const runtime::Actor& actor) const {
  const auto& connector = static_cast<const Connector&>(actor);
  std::vector<std::string> asked;
  for (const auto& [token, one] : connector.asked) asked.push_back(asked_as_json(token, one));
  const std::int64_t until = connector.flow_timer == 0 ? 0 : runtime_.host_ms(connector.flow_until);
  return fmt::format(
      R"({{"configured":{},"stays":{},"leaving":{},"gone":{},"step":{},"schema":{},"until":{},"asked":{},"pushes":{}}})",
      connector.configured, connector.stays, connector.leaving, connector.gone, json::quoted(connector.step),
      json::quoted(connector.schema), until, json::array(asked), connector.pushes.json());
}

runtime::Actor* Service::restore(const store::Actor& record, const store::State& state) {
  const auto origin = json::read(record.origin);
  if (!origin) return nullptr;
  const std::string type = json::text(*origin, "type"), id = json::text(*origin, "id");
  if (Connector::address_of(type, id) != record.address || find(type, id)) return nullptr;
  Connector& connector = add(type, id, number(*origin, "seed"), find_role_(type));
  if (const auto progress = json::read(state.progress)) restore_progress(connector, *progress);
  return &connector;
}

void Service::restore_progress(Connector& connector, const json::Document& progress) {
  connector.configured = is(progress, "configured");
  connector.stays = is(progress, "stays");
  connector.leaving = is(progress, "leaving");
  connector.gone = is(progress, "gone");
  connector.step = json::text(progress, "step");
  connector.schema = json::text(progress, "schema");
  const auto until = progress.find("until");
  if (const auto time = until ? json::integer(*until) : std::nullopt; time && *time > 0) {
    wait_for_step(connector, runtime_.steady(*time));
  }
  const auto pushes = progress.find("pushes");
  const auto kept = pushes ? json::read(pushes->raw) : failure("");
  connector.pushes.restore(kept ? *kept : json::Document(), connector.configured);
  const auto list = progress.find("asked");
  const auto items = list ? json::read(list->raw) : failure("");
  for (const auto& element : items ? items->elements : std::vector<json::Value>()) {
    if (const auto item = json::read(element.raw)) restore_asked(connector, *item);
  }
}

void Service::restore_asked(Connector& connector, const json::Document& item) {
  const auto command = command_of(json::text(item, "command"));
  if (!command) return;
  Asked asked{
      .command = *command, .topic = json::text(item, "topic"), .key = Digest::from_hex(json::text(item, "key"))};
  asked.what = parse_topic(asked.topic);
  asked.page = {json::text(item, "before"), number(item, "limit")};
  asked.begun = is(item, "begun");
  asked.offset = number(item, "offset");
  asked.sending = is(item, "sending");
  asked.end = json::text(item, "end");
  asked.in_directory = is(item, "in_directory");
  if (asked.command == Command::get_contact) connector.pushes.request_opened();
  connector.asked.emplace(number(item, "token"), std::move(asked));
}

void Service::restore(runtime::Actor& actor, store::Secret secret) {
  static_cast<Connector&>(actor).secrets[secret.name] = std::move(secret.value);
}

void Service::save(store::Batch& batch) {
  batch.secrets = std::exchange(secrets_, {});
  given_media_.insert(given_media_.end(), new_media_.begin(), new_media_.end());
  new_media_.clear();
}

void Service::resume(std::chrono::milliseconds away, const std::unordered_set<std::string>& unsent, bool is_exact) {
  std::vector<Connector*> leaving;
  for (const auto& [address, connector] : connectors_) {
    resume(*connector, unsent, is_exact);
    if (connector->gone || (connector->leaving && connector->is_orphan())) leaving.push_back(connector.get());
    tell_resumed(*connector, away);
  }
  for (Connector* const connector : leaving) leave(*connector);
}

void Service::taken_over(const std::string& type) {
  for (const auto& [address, connector] : connectors_) {
    if (connector->type == type) tell_resumed(*connector, std::chrono::milliseconds(0));
  }
}

void Service::tell_resumed(Connector& connector, std::chrono::milliseconds away) {
  if (!connector.configured || connector.leaving || connector.is_orphan()) return;
  runtime_.post(
      connector,
      {.kind = BOTEL_CONNECTOR_RESUMED, .format = BOTEL_FORMAT_TEXT, .payload = std::to_string(away.count())});
}

void Service::resume(Connector& connector, const std::unordered_set<std::string>& unsent, bool is_exact) {
  connector.pushes.resume();
  std::vector<Token> tokens;
  for (const auto& [token, asked] : connector.asked) tokens.push_back(token);
  for (const Token token : tokens) {
    const Asked& known = connector.asked.at(token);
    recent_.begin(known.key, connector.address);
    if (known.command == Command::configure) connector.last_key = known.key;
    watch(connector, token);
    if (known.in_directory) {
      look_up(connector, token);
    } else if (known.command == Command::get_media) {
      resume_media(connector, token, unsent.contains(known.topic + "/response"), is_exact);
    } else if (known.command == Command::get_old_messages) {
      find_old_messages(connector, token);  // it may not have come to its event yet
    }
  }
}

// No piece may come twice, and none be missing. Whether one that waits for the broker is there already cannot be told;
// nor can how much was sent that the store does not know of.
void Service::resume_media(Connector& connector, Token token, bool is_unsent, bool is_exact) {
  const Asked& known = connector.asked.at(token);
  if (is_unsent || !is_exact) {
    fail(connector, token, kFailed, "the host was away");
  } else if (known.sending) {
    media_sent(connector, token, true);
  } else if (!known.begun) {
    begin_media(connector, token);
  }
}

}  // namespace botel::moca
