#include "gitple/service.hpp"

#include <botel/ext/room.h>

#include <algorithm>
#include <utility>

#include "base/hash.hpp"
#include "base/log.hpp"
#include "gitple/filters.hpp"
#include "gitple/unread.hpp"

namespace botel::gitple {
namespace {

constexpr std::size_t kMostListeners = 100;  // rooms that share a msgSub: two, when a room moves from bot to bot
constexpr std::size_t kMostWaiting = 100;    // requests that wait for a room
constexpr std::size_t kMostEarly = 1000;     // events of a user before the subscription is granted again

std::string name(const Source& source) { return fmt::format("s/{}/a/{}/t/{}", source.sp, source.app, source.bot); }

}  // namespace

using runtime::Event;
using Stage = Room::Stage;

Service::Service(ServiceConfig config, mqtt::Client& client, runtime::Runtime& runtime, FindBot find_bot,
                 FindOwner find_owner, Counters& counters)
    : config_(std::move(config)),
      client_(client),
      runtime_(runtime),
      find_bot_(std::move(find_bot)),
      find_owner_(std::move(find_owner)),
      answer_topics_(client, config_.answers),
      requests_(counters.add("gitple_requests_total", "Requests of gitple")),
      malformed_requests_(counters.add("gitple_requests_malformed_total", "Payloads that are no request")),
      refused_requests_(counters.add("gitple_requests_refused_total", "Requests answered with an error")),
      retained_(counters.add("gitple_retained_total", "Retained messages, which are ignored")),
      over_limit_(counters.add("gitple_over_limit_total", "Payloads over the limit")),
      messages_(counters.add("gitple_messages_total", "Messages of users")),
      malformed_messages_(counters.add("gitple_messages_malformed_total", "Payloads that are no message")),
      stale_messages_(counters.add("gitple_messages_stale_total", "Messages for a session that is over")),
      repeated_messages_(
          counters.add("gitple_messages_repeated_total", "Messages that came again within drop_repeats")),
      dropped_messages_(counters.add("gitple_messages_dropped_total", "Messages for a bot that is too far behind")),
      unknown_topics_(counters.add("gitple_unknown_topics_total", "Messages on topics that nobody listens to")),
      lost_answers_(counters.add("gitple_answers_lost_total", "Requests of bots that gitple did not answer")),
      timeouts_(counters.add("gitple_timeouts_total", "Starts and ends that a bot did not handle in time")) {}

void Service::close(bool another_run) {
  if (another_run) unanswered_.leave_to_next_run();
  for (auto& [address, room] : rooms_) {
    room->replies.clear();
    room->waiting.clear();
  }
}

void Service::open(mqtt::Client::Done done) {
  struct Progress {
    std::size_t missing;
    mqtt::Client::Done done;
  };
  auto filters = config_.requests;
  filters.insert(filters.end(), config_.answers.begin(), config_.answers.end());
  auto progress = std::make_shared<Progress>(filters.size(), std::move(done));
  for (const auto& filter : filters) {
    client_.subscribe(filter, [progress, filter](const Result<>& granted) {
      if (!granted) {
        if (progress->done)
          std::exchange(progress->done, {})(failure("subscription to {}: {}", filter, granted.error()));
      } else if (--progress->missing == 0 && progress->done) {
        progress->done({});
      }
    });
  }
}

void Service::receive(const mqtt::Message& message) {
  if (message.retained) {
    ++retained_;
    complaints_.warning("{}: a retained message is ignored", log::printable(message.topic));
  } else if (message.over_limit) {
    ++over_limit_;
    receive_too_large(message);
  } else if (takes_in(config_.requests, message.topic) && request_source(message.topic)) {
    receive_requests(message);
  } else if (answer_topics_.has(message.topic) && receive_answer(message)) {
    return;
  } else if (receive_message(message)) {
    ++messages_;
  } else {
    ++unknown_topics_;
    complaints_.info("{}: {} bytes that nobody waits for", log::printable(message.topic), message.size);
    disown(message.topic);
  }
}

// Requests -----------------------------------------------------------------------------------------------------------

void Service::receive_requests(const mqtt::Message& message) {
  const auto source = request_source(message.topic);
  if (!source->has_ids()) {
    return refuse_payload(*source, message, {kInvalidRequest, "Invalid Request: an id in the topic is empty"});
  }
  auto requests = decode_requests(*source, message.payload);
  if (!requests) {
    ++malformed_requests_;
    return refuse_payload(*source, message, requests.error());
  }
  const auto batch = std::make_shared<Batch>(client_, unanswered_, message.topic, message.payload, requests->batch);
  serve_payload(*source, std::move(*requests), batch, {});
}

void Service::receive_too_large(const mqtt::Message& message) {
  const std::string why = fmt::format("{} bytes are over the limit", message.size);
  if (const auto source = request_source(message.topic); source && takes_in(config_.requests, message.topic)) {
    return refuse_payload(*source, message, {kInvalidRequest, "Invalid Request: " + why});
  }
  complaints_.warning("{}: {}, and ignored", log::printable(message.topic), why);
}

// As a whole. Whoever waits for an answer gets one, where that can be found out.
void Service::refuse_payload(const Source& source, const mqtt::Message& message, const Refusal& refusal) {
  auto requests = refuse_all(source, message.payload, refusal);
  complaints_.warning("{}: {} bytes are refused{}: {}", log::printable(message.topic), message.size,
                      requests.list.empty() ? ", and nobody can be told" : "", refusal.message);
  // Answered at once, so that the next run need not know the payload.
  const auto batch = std::make_shared<Batch>(client_, unanswered_, message.topic, "", requests.batch);
  for (std::size_t i = 0; i < requests.list.size(); ++i) {
    ++refused_requests_;
    Reply(batch, i, std::move(requests.list[i].id), std::move(requests.list[i].res_pub))
        .error(refusal.code, refusal.message);
  }
}

// `answered`: what an earlier run did already.
void Service::serve_payload(const Source& source, Requests requests, const std::shared_ptr<Batch>& batch,
                            const std::map<std::size_t, std::string>& answered) {
  for (std::size_t i = 0; i < requests.list.size(); ++i) {
    Request& request = requests.list[i];
    ++requests_;
    Reply reply(batch, i, std::move(request.id), std::move(request.res_pub));
    if (const auto known = answered.find(i); known != answered.end()) {
      const Start* const start = std::get_if<Start>(&request.what);
      Room* const room = start ? find(Room::address_of(source, start->identity)) : nullptr;
      reply.repeat(known->second, room ? hold_until_answered(*room) : std::function<void()>());
    } else {
      serve({source, std::move(request.what), std::move(reply)});
    }
  }
}

void Service::serve(Waiting request) {
  if (std::holds_alternative<Start>(request.what)) return serve_start(std::move(request));
  if (std::holds_alternative<End>(request.what)) return serve_end(std::move(request));
  const Refusal& refusal = std::get<Refusal>(request.what);
  refuse(request.reply, name(request.source), refusal.code, refusal.message);
}

// `who`: the request's source, or the room that it is about.
void Service::refuse(Reply& reply, std::string_view who, int code, const std::string& message) {
  ++refused_requests_;
  complaints_.warning("{}: a request is refused with {}{}: {}", log::printable(who), code,
                      reply.is_wanted() ? "" : ", and nobody can be told", message);
  reply.error(code, message);
}

void Service::serve_all(std::vector<Waiting> requests) {
  for (Waiting& request : requests) serve(std::move(request));
}

void Service::serve_start(Waiting request) {
  Start& start = std::get<Start>(request.what);
  const std::string address = Room::address_of(request.source, start.identity);
  Room* const room = find(address);
  if (room && room->session() == start.identity.session) {
    if (room->stage == Stage::open) return request.reply.ok();
    // An earlier run has made the room, and left the answer to this one.
    if (room->stage == Stage::starting && room->replies.empty() && !room->given_up)
      return room->replies.push_back(std::move(request.reply));
  }

  runtime::Role* const role = find_bot_(start.identity.bot);
  if (!role || !role->logic()) {
    return refuse(request.reply, address, kNoSuchBot, "No such bot: no bot serves this id");
  }
  if (role->is_gone()) return refuse(request.reply, address, kBotFailed, "The bot fails, and waits to be replaced");
  const auto listeners = listeners_.find(start.msg_sub);
  if (listeners != listeners_.end() && listeners->second.size() >= kMostListeners) {
    return refuse(request.reply, address, kInvalidParams, "Invalid params: too many rooms share this params.msgSub");
  }
  if (room) {
    // The old conversation ends first, and then it is the new one's turn.
    const bool replace = !room->in_transition();
    keep_waiting(*room, std::move(request));
    if (replace) end(*room, "replaced");
    return;
  }
  Room& added = add(std::make_unique<Room>(request.source, std::move(start), *this, *role));
  added.replies.push_back(std::move(request.reply));
  if (restoring_) listen(added);
  client_.subscribe(added.start.msg_sub, [this, address](const Result<>& granted) { subscribed(address, granted); });
}

Room& Service::add(std::unique_ptr<Room> room) {
  auto& last_time = last_times_[room->place];
  room->last_time_ms = last_time.lock();
  if (!room->last_time_ms) last_time = room->last_time_ms = std::make_shared<std::int64_t>(0);
  answer_topics_.add(room->start.cmd_res_pub);
  return *rooms_.emplace(room->address, std::move(room)).first->second;
}

// What waits cannot wait for an event that is to be tried again some day.
void Service::keep_waiting(Room& room, Waiting request) {
  if (room.given_up) return refuse(request.reply, room.address, kBotFailed, "The bot is still busy in this room");
  if (room.waiting.size() >= kMostWaiting) {
    return refuse(request.reply, room.address, kInternalError, "Internal error: too many requests wait for this room");
  }
  room.waiting.push_back(std::move(request));
  runtime_.give_up_retry(room);
}

void Service::subscribed(const std::string& address, const Result<>& granted) {
  Room& room = *find(address);
  if (!granted) {
    refuse(room.replies.front(), address, kSubscriptionRefused, "The broker refused msgSub: " + granted.error());
    return serve_all(remove(room));
  }
  if (room.role.is_gone()) {
    refuse(room.replies.front(), address, kNoSuchBot, "No such bot: it has gone meanwhile");
    const std::string filter = room.start.msg_sub;
    serve_all(remove(room));
    return client_.unsubscribe(filter);
  }
  unlisten(room);
  listen(room);
  room.stage = Stage::starting;
  wait_for_bot(room);
  runtime_.post(room, {.kind = BOTEL_ROOM_START});
  for (Event& event : std::exchange(room.early, {})) runtime_.post(room, std::move(event));
}

void Service::started(Room& room, const Result<>& committed) {
  if (!committed) {
    const std::string why = committed.error().empty() ? "The bot failed to start" : committed.error();
    for (Reply& reply : room.replies) refuse(reply, room.address, kBotFailed, why);
    const std::string filter = room.start.msg_sub;
    serve_all(remove(room));
    client_.unsubscribe(filter);
    return;
  }
  log::debug("room {}: bot {} has started session {}", log::printable(room.address), room.role.name(),
             log::printable(room.session()));
  room.stage = Stage::open;
  runtime_.timers().cancel(std::exchange(room.request_timer, 0));
  runtime_.touch(room);
  room.last_said = runtime_.now().steady;
  watch_idle(room, room.last_said + config_.idle);
  for (Reply& reply : std::exchange(room.replies, {})) reply.ok(hold_until_answered(room));
  serve_all(std::exchange(room.waiting, {}));
}

// The bot's first word leaves behind the answer, also where that waits for the rest of a batch.
std::function<void()> Service::hold_until_answered(Room& room) {
  runtime_.hold(room);
  return [this, address = room.address, session = room.session()] {
    Room* const there = find(address);
    if (there && there->session() == session) runtime_.release(*there);
  };
}

void Service::serve_end(Waiting request) {
  const Identity& identity = std::get<End>(request.what).identity;
  const std::string address = Room::address_of(request.source, identity);
  Room* const room = find(address);
  if (!room) {
    if (ended_.has(address, identity.session, runtime_.now().steady)) return request.reply.ok();
    return refuse(request.reply, address, kRoomUnknown, "Room unknown: no bot is in this room");
  }
  if (room->in_transition()) return keep_waiting(*room, std::move(request));
  // The end of a session that was replaced: there is nothing left to end.
  if (!identity.session.empty() && identity.session != room->session()) return request.reply.ok();
  room->replies.push_back(std::move(request.reply));
  end(*room, "ended");
}

void Service::end(Room& room, std::string_view why) {
  log::debug("room {}: session {} is {}", log::printable(room.address), log::printable(room.session()), why);
  runtime_.give_up_retry(room);
  room.stage = Stage::ending;
  runtime_.touch(room);
  runtime_.timers().cancel(std::exchange(room.idle_timer, 0));
  runtime_.timers().cancel(std::exchange(room.leave_timer, 0));
  if (room.is_orphan() && !runtime::Runtime::in_handler(room)) return ended(room);
  wait_for_bot(room);
  runtime_.post(room, {.kind = BOTEL_ROOM_END, .format = BOTEL_FORMAT_TEXT, .payload = std::string(why)});
}

// The bot has handled its end, or failed to: the conversation is over all the same.
void Service::ended(Room& room) {
  runtime_.flush(room);
  for (Reply& reply : room.replies) reply.ok();
  ended_.add(room.address, room.session(), runtime_.now().steady);
  const std::string filter = room.start.msg_sub, place = room.place;
  auto last_time = room.last_time_ms;  // the new session goes on from there
  auto waiting = remove(room);
  // First the new session's start, so that a filter they share is not given up in between.
  serve_all(std::move(waiting));
  client_.unsubscribe(filter);
  last_time.reset();
  forget_time(place);
}

// Gitple does not wait for ever: not for a handler that hangs, nor for a bot that is far behind.
void Service::wait_for_bot(Room& room) {
  runtime_.timers().cancel(room.request_timer);
  room.request_timer = runtime_.timers().set(runtime_.now().steady + config_.request_timeout, [this, &room] {
    room.request_timer = 0;
    ++timeouts_;
    time_out(room);
  });
}

// A start that was refused must not happen afterwards. An end does: the conversation is over when the bot has come to
// it.
void Service::time_out(Room& room) {
  const bool is_start = room.stage == Stage::starting;
  const bool is_removed = is_start && !runtime::Runtime::in_handler(room);
  const std::string_view why = is_start ? "The bot has not started in time" : "The bot has not ended in time";
  for (Reply& reply : std::exchange(room.replies, {})) refuse(reply, room.address, kBotFailed, std::string(why));
  if (is_removed) return started(room, failure(""));
  room.given_up = true;
  runtime_.touch(room);
  for (Waiting& request : std::exchange(room.waiting, {})) keep_waiting(room, std::move(request));
}

void Service::forget_time(const std::string& place) {
  const auto found = last_times_.find(place);
  if (found != last_times_.end() && found->second.expired()) last_times_.erase(found);
}

// Forgets a room; returns the requests that waited for it.
std::vector<Waiting> Service::remove(Room& room) {
  for (const Asked& asked : room.asked) {
    runtime_.timers().cancel(asked.timeout);
    asked_.erase(asked.id);
  }
  runtime_.timers().cancel(room.idle_timer);
  runtime_.timers().cancel(room.leave_timer);
  runtime_.timers().cancel(room.request_timer);
  answer_topics_.remove(room.start.cmd_res_pub);
  unlisten(room);
  runtime_.retire(room);
  auto waiting = std::move(room.waiting);
  const std::string place = room.place;
  rooms_.erase(std::string(room.address));
  forget_time(place);
  return waiting;
}

// Messages ------------------------------------------------------------------------------------------------------------

// False: nobody listens to the topic.
bool Service::receive_message(const mqtt::Message& message) {
  std::vector<Room*> rooms;
  const auto collect = [&](const std::string& filter) {
    const auto found = listeners_.find(filter);
    if (found != listeners_.end()) rooms.insert(rooms.end(), found->second.begin(), found->second.end());
  };
  // A filter of a room is a topic, or one whose last level is `+`.
  filter_.assign(message.topic, 0, message.topic.rfind('/') + 1).push_back('+');
  collect(filter_);
  collect(message.topic);
  if (rooms.empty()) return false;

  const auto incoming = decode_message(message.payload);
  if (!incoming) {
    ++malformed_messages_;
    complaints_.warning("{}: {} bytes that are no message: {}", log::printable(message.topic), message.size,
                        incoming.error());
  } else {
    for (Room* const room : rooms) receive_message(*room, message.topic, *incoming);
  }
  return true;
}

void Service::receive_message(Room& room, const std::string& topic, const Incoming& incoming) {
  if (room.stage == Stage::subscribing && room.early.size() < kMostEarly) {
    if (is_repeat(room, topic, incoming)) return;
    room.early.insert(room.early.end(), incoming.events.begin(), incoming.events.end());
    return;
  }
  const bool listens = room.stage == Stage::starting || room.stage == Stage::open;
  if (!listens || (!incoming.session.empty() && incoming.session != room.session())) {
    ++stale_messages_;
    return;
  }
  if (!runtime_.can_queue(room)) {
    ++dropped_messages_;
    complaints_.warning("{}: {} events wait for bot {}: a message is dropped", log::printable(room.address),
                        room.queued(), room.role.name());
    return;
  }
  if (is_repeat(room, topic, incoming)) return;
  room.last_said = runtime_.now().steady;
  for (const Event& event : incoming.events) runtime_.post(room, event);
}

// Asked last, as only what is taken is remembered; it is kept with the events that follow.
bool Service::is_repeat(Room& room, const std::string& topic, const Incoming& incoming) {
  if (!config_.drop_repeats || !incoming.content) return false;
  const std::uint64_t content = hash(topic, *incoming.content);
  if (!room.repeats.has_or_add(content, runtime_.host_ms(), *config_.drop_repeats)) return false;
  ++repeated_messages_;
  complaints_.info("{}: a message that came again is dropped", log::printable(room.address));
  return true;
}

// A session that outlives the host may have subscriptions of rooms that ended when it was killed.
void Service::disown(const std::string& topic) {
  if (takes_in(config_.requests, topic) || takes_in(config_.answers, topic)) return;
  client_.disown(topic);
  client_.disown(topic.substr(0, topic.rfind('/') + 1) + "+");
}

// Who is where --------------------------------------------------------------------------------------------------------

Room* Service::find(const std::string& address) {
  const auto found = rooms_.find(address);
  return found == rooms_.end() ? nullptr : found->second.get();
}

void Service::listen(Room& room) { listeners_[room.start.msg_sub].push_back(&room); }

void Service::unlisten(Room& room) {
  const auto found = listeners_.find(room.start.msg_sub);
  if (found == listeners_.end()) return;
  std::erase(found->second, &room);
  if (found->second.empty()) listeners_.erase(found);
}

}  // namespace botel::gitple
