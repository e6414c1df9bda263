// The other half of Service: what bots do, and what gitple answers to it.
#include <botel/ext/room.h>

#include <utility>

#include "base/log.hpp"
#include "base/random.hpp"
#include "gitple/service.hpp"

namespace botel::gitple {
namespace {

constexpr std::size_t kMostAsked = 100;  // of a bot's own requests that gitple has not answered

}  // namespace

using runtime::Event;
using Stage = Room::Stage;

std::int32_t Service::check(const botel_effect& effect) const {
  const std::string_view payload(effect.payload.ptr, effect.payload.len);
  switch (effect.kind) {
    case BOTEL_ROOM_SAY: {
      if (effect.format == BOTEL_FORMAT_TEXT) return BOTEL_OK;
      const auto first = payload.find_first_not_of(" \t\r\n");
      const bool rich = first != std::string_view::npos && (payload[first] == '{' || payload[first] == '[');
      return effect.format == BOTEL_FORMAT_JSON && rich ? BOTEL_OK : BOTEL_E_INVALID;
    }
    case BOTEL_ROOM_DO_TRANSFER:
      return payload.empty() || effect.format == BOTEL_FORMAT_TEXT ? BOTEL_OK : BOTEL_E_INVALID;
    case BOTEL_ROOM_TYPING:
    case BOTEL_ROOM_DO_END: return BOTEL_OK;
    default: return BOTEL_E_UNSUPPORTED;
  }
}

void Service::handled(runtime::Actor& actor, const Event& event, const Result<>& committed) {
  Room& room = static_cast<Room&>(actor);
  if (event.kind == BOTEL_ROOM_START && room.stage == Stage::starting) {
    return started(room, room.given_up ? failure("") : committed);
  }
  // Without its bot the end itself would wait for ever.
  if (event.kind == BOTEL_ROOM_END || (room.stage == Stage::ending && room.is_orphan())) return ended(room);
}

void Service::perform(runtime::Actor& actor, runtime::Effect& effect) {
  Room& room = static_cast<Room&>(actor);
  switch (effect.kind) {
    case BOTEL_ROOM_SAY: {
      room.last_said = runtime_.now().steady;
      runtime_.touch(room);  // for the time
      const auto time = room.next_time(runtime_.now().unix_ms);
      return client_.publish(room.start.msg_pub, encode_say(room.speaker(), time, effect));
    }
    case BOTEL_ROOM_TYPING: {
      runtime_.touch(room);
      const auto time = room.next_time(runtime_.now().unix_ms);
      return client_.publish(room.start.msg_pub, encode_typing(room.speaker(), time, effect.status != 0));
    }
    case BOTEL_ROOM_DO_END:
    case BOTEL_ROOM_DO_TRANSFER: return ask(room, effect);
    default: return;  // check() lets no other kind in
  }
}

// A bot's own request: end, or transfer.
void Service::ask(Room& room, const runtime::Effect& effect) {
  if (room.stage == Stage::ending) return;  // it ends already
  if (room.asked.size() >= kMostAsked) {
    complaints_.warning("{}: bot {} has asked {} times without an answer, and is not heard again",
                        log::printable(room.address), room.role.name(), room.asked.size());
    return;
  }
  // Nobody else may answer: the topic of the answers may be known.
  const std::string id = fmt::format("botel-{:016x}{:016x}", random_number(), random_number());
  const std::string& res_pub = room.start.cmd_res_pub;
  wait_for_answer(room, id, effect.tag);
  client_.publish(room.start.cmd_pub, effect.kind == BOTEL_ROOM_DO_END
                                          ? encode_end(room.speaker(), id, res_pub)
                                          : encode_transfer(room.speaker(), id, res_pub, effect.payload));
}

void Service::wait_for_answer(Room& room, std::string id, std::uint64_t tag) {
  const auto timeout = runtime_.timers().set(runtime_.now().steady + config_.answer_timeout, [this, id] {
    ++lost_answers_;
    answered(id, {id, BOTEL_ROOM_NO_ANSWER, R"({"message":"no answer"})"});
  });
  asked_.emplace(id, &room);
  room.asked.push_back({std::move(id), tag, timeout});
  runtime_.touch(room);
}

// False: it is no answer to anything that was asked. Whoever knows an id cannot answer from elsewhere.
bool Service::receive_answer(const mqtt::Message& message) {
  const auto answer = decode_answer(message.payload);
  const auto asked = answer ? asked_.find(answer->id) : asked_.end();
  if (asked == asked_.end() || asked->second->start.cmd_res_pub != message.topic) return false;
  answered(answer->id, *answer);
  return true;
}

void Service::answered(const std::string& id, const Answer& answer) {
  Room& room = *asked_.extract(id).mapped();
  const auto found = std::ranges::find(room.asked, id, &Asked::id);
  const Asked asked = *found;
  room.asked.erase(found);
  runtime_.timers().cancel(asked.timeout);
  runtime_.touch(room);
  if (room.stage == Stage::ending) return;
  if (answer.status == 0 && room.stage == Stage::open) {
    room.stage = Stage::leaving;
    may_leave(room);
  }
  runtime_.post(room, {.kind = BOTEL_ROOM_RESULT,
                       .tag = asked.tag,
                       .format = BOTEL_FORMAT_JSON,
                       .status = answer.status,
                       .payload = answer.detail});
}

// Gitple has accepted that the bot leaves, and ends the room; or does not.
void Service::may_leave(Room& room) {
  room.leave_timer = runtime_.timers().set(runtime_.now().steady + config_.leave_timeout, [this, &room] {
    log::info("room {}: gitple has not ended it, so it closes by itself", log::printable(room.address));
    end(room, "left");
  });
}

// One timer a room, whatever is said: it looks when it fires how long the room has been silent.
void Service::watch_idle(Room& room, SteadyTime due) {
  room.idle_timer = runtime_.timers().set(due, [this, &room] {
    if (room.stage != Stage::open) return;
    const SteadyTime now = runtime_.now().steady;
    // While nobody is there, nobody is silent.
    if (room.is_orphan()) room.last_said = now;
    if (now - room.last_said >= config_.idle) {
      room.last_said = now;
      runtime_.post(room, {.kind = BOTEL_ROOM_TIMEOUT});
    }
    watch_idle(room, room.last_said + config_.idle);
  });
}

}  // namespace botel::gitple
