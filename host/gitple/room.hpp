// One conversation: an instance of a bot in a room of gitple. What it is and remembers; Service says what happens.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json_repair.hpp"
#include "gitple/message.hpp"
#include "gitple/repeats.hpp"
#include "gitple/reply.hpp"
#include "gitple/request.hpp"
#include "runtime/actor.hpp"

namespace botel::gitple {

// One of the bot's own requests, which gitple has not answered yet.
struct Asked {
  std::string id;
  std::uint64_t tag = 0;
  runtime::Timers::Id timeout = 0;  // when it is given up
};

// A request that waits until its room is ready for it.
struct Waiting {
  Source source;
  std::variant<Refusal, Start, End> what;
  Reply reply;
};

struct Room : runtime::Actor {
  // subscribing -> starting -> open -> (leaving) -> ending -> gone
  enum class Stage {
    subscribing,  // the broker is asked for its messages
    starting,     // the bot handles its start
    open,
    leaving,  // gitple has accepted the bot's end or transfer; its own `end` is to come
    ending    // the bot handles its end
  };

  Room(const Source& source, Start the_start, runtime::Port& port, runtime::Role& role)
      : Actor(port, BOTEL_ACTOR_ROOM, address_of(source, the_start.identity), info_of(the_start), role),
        source(source),
        start(std::move(the_start)),
        place(source.sp + "/" + source.app + "/" + start.identity.room) {}

  // Unique among rooms, as none of the ids has a slash.
  static std::string address_of(const Source& source, const Identity& identity) {
    return source.sp + "/" + source.app + "/" + identity.room + "/" + identity.bot;
  }

  // What a bot is told, which every reader of JSON must understand. The context is sent back as it came.
  static std::string info_of(const Start& start) {
    const json::Repaired context(start.identity.context);
    return fmt::format(R"({{"context":{},"user":{}}})", context.text(), start.user);
  }

  [[nodiscard]] const std::string& session() const { return start.identity.session; }
  [[nodiscard]] Speaker speaker() const { return {start.identity.context, start.identity.session_raw}; }

  // When a message is said to leave: never twice the same in a room, and rising.
  std::int64_t next_time(std::int64_t now_ms) { return *last_time_ms = std::max(now_ms, *last_time_ms + 1); }

  // While it subscribes, starts or ends, requests wait.
  [[nodiscard]] bool in_transition() const {
    return stage == Stage::subscribing || stage == Stage::starting || stage == Stage::ending;
  }

  const Source source;  // of its start
  const Start start;
  const std::string place;  // the room, whichever bot is in it
  Stage stage = Stage::subscribing;
  std::vector<Reply> replies;    // to the start or the end that is under way
  std::vector<Waiting> waiting;  // in order
  std::vector<Asked> asked;
  Repeats repeats;  // empty where they are not dropped
  // What the user said before the subscription was granted again: an earlier run had been granted it.
  std::vector<runtime::Event> early;
  std::shared_ptr<std::int64_t>
      last_time_ms;        // of what was sent; shared with the other and later instances in the room
  SteadyTime last_said{};  // by either side
  runtime::Timers::Id idle_timer = 0;
  runtime::Timers::Id leave_timer = 0;
  runtime::Timers::Id request_timer = 0;
  bool given_up = false;  // gitple was told that the bot has not handled the start, or the end, in time
};

}  // namespace botel::gitple
