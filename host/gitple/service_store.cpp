// The third part of Service: what the store keeps of rooms and requests, and how they come back.
#include <botel/ext/room.h>

#include <array>
#include <unordered_set>

#include "base/json.hpp"
#include "base/log.hpp"
#include "gitple/service.hpp"

namespace botel::gitple {
namespace {

using Stage = Room::Stage;

// Stages before `starting` are not kept: their request is served again.
constexpr std::array<std::pair<Stage, std::string_view>, 4> kStages{
    {{Stage::starting, "starting"}, {Stage::open, "open"}, {Stage::leaving, "leaving"}, {Stage::ending, "ending"}}};

std::string_view name(Stage stage) {
  return std::ranges::find(kStages, stage, &std::pair<Stage, std::string_view>::first)->second;
}

Stage stage_of(std::string_view text) {
  const auto found = std::ranges::find(kStages, text, &std::pair<Stage, std::string_view>::second);
  return found == kStages.end() ? Stage::open : found->first;
}

// Writes an object of strings, which keep every byte of what they hold, JSON among it.
std::string object(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  std::string json;
  for (const auto& [key, value] : members) {
    json += json.empty() ? "{" : ",";
    json::quote(json, key);
    json += ":";
    json::quote(json, value);
  }
  return json + "}";
}

}  // namespace

std::string Service::origin(const runtime::Actor& actor) const {
  const Room& room = static_cast<const Room&>(actor);
  const Start& start = room.start;
  return object({{"sp", room.source.sp},
                 {"app", room.source.app},
                 {"topic_bot", room.source.bot},
                 {"room", start.identity.room},
                 {"bot", start.identity.bot},
                 {"session", start.identity.session},
                 {"session_json", start.identity.session_raw},
                 {"context", start.identity.context},
                 {"user", start.user},
                 {"msgSub", start.msg_sub},
                 {"msgPub", start.msg_pub},
                 {"cmdPub", start.cmd_pub},
                 {"cmdResPub", start.cmd_res_pub}});
}

std::string Service::progress(const runtime::Actor& actor) const {
  const Room& room = static_cast<const Room&>(actor);
  std::string json = fmt::format(R"({{"stage":"{}","last_time":{},"asked":[)", name(room.stage), *room.last_time_ms);
  for (const Asked& asked : room.asked) {
    if (&asked != &room.asked.front()) json += ",";
    json += fmt::format(R"({{"id":"{}","tag":"{}"}})", asked.id, asked.tag);
  }
  json += "]";
  if (room.given_up) json += R"(,"given_up":true)";
  if (!room.repeats.empty()) json += R"(,"taken":)" + room.repeats.json();
  return json + "}";
}

runtime::Actor* Service::restore(const store::Actor& record, const store::State& state) {
  const auto origin = json::read(record.origin);
  const auto progress = json::read(state.progress);
  if (!origin) return nullptr;
  if (!progress) log::error("room {}: its state is lost", log::printable(record.address));
  const auto of = [&](std::string_view key) { return json::text(*origin, key); };
  const Source source{of("sp"), of("app"), of("topic_bot")};
  Start start{{of("room"), of("bot"), of("session"), of("context"), of("session_json")},
              of("user"),
              of("msgSub"),
              of("msgPub"),
              of("cmdPub"),
              of("cmdResPub")};
  if (Room::address_of(source, start.identity) != record.address || find(record.address)) return nullptr;

  // Its state is that bot's, and no other's.
  runtime::Role& role = find_owner_(start.identity.bot, record.bot);
  Room& room = add(std::make_unique<Room>(source, std::move(start), *this, role));
  room.stage = Stage::open;
  if (progress) restore_progress(room, *progress);
  if (room.stage == Stage::leaving) may_leave(room);
  // While nobody was there, nobody was silent.
  room.last_said = runtime_.now().steady;
  if (room.stage == Stage::open || room.stage == Stage::leaving) watch_idle(room, room.last_said + config_.idle);
  listen(room);
  client_.subscribe(room.start.msg_sub, {});
  return &room;
}

void Service::restore_progress(Room& room, const json::Document& progress) {
  room.stage = stage_of(json::text(progress, "stage"));
  if (const auto time = progress.find("last_time")) {
    *room.last_time_ms = std::max(*room.last_time_ms, json::integer(*time).value_or(0));
  }
  room.given_up = progress.find("given_up").has_value();
  if (const auto asked = progress.find("asked")) restore_asked(room, asked->raw);
  if (const auto taken = config_.drop_repeats ? progress.find("taken") : std::nullopt) {
    room.repeats = Repeats::read(taken->raw);
  }
}

void Service::restore_asked(Room& room, std::string_view list) {
  const auto items = json::read(list);
  if (!items) return;
  for (const auto& element : items->elements) {
    const auto item = json::read(element.raw);
    std::string id = item ? json::text(*item, "id") : "";
    if (id.empty() || asked_.contains(id)) continue;
    // The answer may wait at the broker: it has its time from now on.
    wait_for_answer(room, std::move(id), std::strtoull(json::text(*item, "tag").c_str(), nullptr, 10));
  }
}

void Service::restore(store::Request request) {
  const auto source = request_source(request.topic);
  if (!source) return log::error("a request of an earlier run cannot be read: {}", source.error());
  auto requests = decode_requests(*source, request.payload);
  if (!requests) return log::error("a request of an earlier run cannot be read: {}", requests.error().message);
  const auto answers = read_answers(request.answers);
  const auto batch = std::make_shared<Batch>(client_, unanswered_, std::move(request.topic), std::move(request.payload),
                                             requests->batch, request.id);
  restoring_ = true;
  serve_payload(*source, std::move(*requests), batch, answers);
  restoring_ = false;
}

void Service::resume(std::chrono::milliseconds away) {
  std::unordered_set<const runtime::Role*> missing;
  std::vector<Room*> refused;
  for (const auto& [address, room] : rooms_) {
    if (room->role.is_gone()) missing.insert(&room->role);
    if (room->stage == Stage::starting && room->given_up) refused.push_back(room.get());
    if (room->in_transition()) {
      if (!room->given_up) wait_for_bot(*room);
    } else if (!room->is_orphan()) {
      runtime_.post(*room,
                    {.kind = BOTEL_ROOM_RESUMED, .format = BOTEL_FORMAT_TEXT, .payload = std::to_string(away.count())});
    }
  }
  for (Room* const room : refused) started(*room, failure(""));
  for (const auto* const role : missing) give_up(*role);
}

void Service::give_up(const runtime::Role& role) {
  std::vector<Room*> stuck;
  for (const auto& [address, room] : rooms_) {
    const bool waits = room->stage == Stage::starting || room->stage == Stage::ending;
    if (&room->role == &role && waits && !runtime::Runtime::in_handler(*room)) stuck.push_back(room.get());
  }
  for (Room* const room : stuck) room->stage == Stage::starting ? started(*room, failure("")) : ended(*room);
}

void Service::restart_unreadable(const runtime::Role& role, const runtime::Logic& next) {
  for (const auto& [address, room] : rooms_) {
    if (&room->role != &role || next.can_read(room->state_schema())) continue;
    const bool is_over = room->stage == Stage::ending;
    runtime_.restart(*room, is_over ? std::nullopt : std::optional<runtime::Event>({.kind = BOTEL_ROOM_START}));
  }
}

}  // namespace botel::gitple
