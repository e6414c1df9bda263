// One account at a service, as MOCA has configured it: what it is and remembers; Service says what happens.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/schema.hpp"
#include "moca/items.hpp"
#include "moca/pushes.hpp"
#include "moca/topics.hpp"
#include "runtime/actor.hpp"

namespace botel::moca {

inline constexpr std::size_t kMediaPiece = 1 << 20;  // bytes, at most
// Requests of a connector that wait for it. So many more may wait for what the directory knows of a contact.
inline constexpr std::size_t kMostAsked = 2000;

// A request that is not answered yet.
struct Asked {
  Command command{};
  std::string topic;
  Digest key{};               // by which the same one is known when it comes again
  Topic what{};               // the topic, taken apart
  Page page{};                // of messages
  bool begun = false;         // of media: the connector was asked for them
  std::uint64_t offset = 0;   // of media: bytes that are sent
  bool sending = false;       // the last piece is on its way to the broker
  std::string end{};          // behind it comes this; empty: another piece
  std::uint64_t losses = 0;   // of connections, when the first piece was sent
  bool in_directory = false;  // the connector leaves the answer to that
  SteadyTime by{};            // when it is given up, whatever the connector says,
  SteadyTime quiet_by{};      // or when it has said nothing for so long
  SteadyTime next_keepalive{};
  runtime::Timers::Id timer = 0;
};

struct Connector : runtime::Actor {
  // `seed`: below 2^53, for ids that no other connector has.
  Connector(std::string the_type, std::string the_id, std::uint64_t seed, runtime::Port& port, runtime::Role& role,
            runtime::Runtime& runtime, mqtt::Client& client, const PushTimes& times)
      : Actor(port, BOTEL_ACTOR_CONNECTOR, address_of(the_type, the_id),
              fmt::format(R"({{"type":{},"id":{},"seed":{}}})", json::quoted(the_type), json::quoted(the_id), seed),
              role),
        type(std::move(the_type)),
        id(std::move(the_id)),
        pushes(times, runtime, client, *this, fmt::format("moca/via/{}/{}/", type, id)) {}

  // Unique among connectors, as none of the two has a slash.
  static std::string address_of(std::string_view type, std::string_view id) { return fmt::format("{}/{}", type, id); }

  [[nodiscard]] bool in_flow() const { return !step.empty(); }

  const std::string type, id;
  bool configured = false;
  bool stays = false;    // it was configured once: MOCA has it until it deletes it
  bool leaving = false;  // it is told of its end,
  bool gone = false;     // or has none any more

  // What MOCA is asked in a configuration; empty: nothing is under way.
  std::string step, schema;
  std::optional<Schema> compiled;  // made when it is needed
  Digest last_key{};               // of the request before: the only one that is answered from memory
  SteadyTime flow_until{};         // then it is forgotten, as long as there is a
  runtime::Timers::Id flow_timer = 0;

  std::map<std::uint64_t, Asked> asked;  // by token
  SteadyTime last_answer{};              // then the others need not give up yet
  std::map<std::string, std::string, std::less<>> secrets;
  Pushes pushes;
};

}  // namespace botel::moca
