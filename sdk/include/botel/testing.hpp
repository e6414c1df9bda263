// Tests a bot or a connector as the function that it is: events in, effects out. No broker, no host, no waiting.
//
//     botel::testing::Talk talk(botel::bot<Echo>("echo", "1.0.0"));
//     CHECK(talk.start() == "say Hello!");
//     CHECK(talk.message("hi") == "say you said: hi");
//
// Talk is one room and the host around it. Each call hands the bot one event and returns what it did as lines:
//
//     say hello            say {"t":"pick one",...}      after 1000 ms: say hello
//     typing               typing stops                  end
//     transfer             transfer to bot 7             timer 3 in 500 ms      cancel timer 3
//     failed: WHY          nothing else happened         retry after 500 ms     nothing happened yet
//
//     botel::testing::Moca moca(botel::connector<Demo>("demo", "1.0.0"));
//     CHECK(moca.configure() == R"(step phone: {"$schema":...})");
//     CHECK(moca.configure(R"({"phone":"+491711234567"})") == R"(finished: {"id":192168,...})");
//
// Moca is one account of a connector, with the host and MOCA around it. Its lines:
//
//     step ID: SCHEMA      wrong: /phone: type           finished: CONTACT      the configuration has expired
//     answer: JSON         from the directory: JSON      working                error 404: WHY
//     push contacts: JSON  push chats: JSON              push messages: JSON    left out, a message: WHY
//     media NAME MIME, 5 bytes                           secret NAME kept       secret NAME forgotten
//     deleted              nobody waits for this answer  and those of timers, failures and retries
//
// collisions(one.ids(), other.ids()) are the ids of two accounts that MOCA would not tell apart.
//
// What answers another request than the one that is handed over begins with it: "to get_chats: answer: []".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bot.hpp"
#include "connector.hpp"
#include "testing/moca.hpp"
#include "testing/talk.hpp"

namespace botel::testing {

namespace detail {

inline const botel_descriptor& find(const botel_entry& entry, std::int32_t kind, std::string_view id,
                                    const char* what) {
  for (std::uint32_t i = 0; i < entry.count; ++i) {
    const botel_descriptor& one = *entry.descriptors[i];
    if (one.kind == kind && (id.empty() || id == one.id)) return one;
  }
  throw Error("the plugin has no " + std::string(what) + " " + std::string(id));
}

}  // namespace detail

// A bot or connector of a plugin whose sources are linked into the test: the_bot(botel_entry_v1), or the one of that
// id.
inline const botel_descriptor& the_bot(const botel_entry& entry, std::string_view id = {}) {
  return detail::find(entry, BOTEL_BOT, id, "bot");
}
inline const botel_descriptor& the_connector(const botel_entry& entry, std::string_view id = {}) {
  return detail::find(entry, BOTEL_CONNECTOR, id, "connector");
}

}  // namespace botel::testing
