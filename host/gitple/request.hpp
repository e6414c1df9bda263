// What gitple asks of the bot manager: `start` and `end`, as JSON-RPC 2.0. Pure functions on bytes; docs/gitple.md is
// the format.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace botel::gitple {

// Error codes of JSON-RPC 2.0, and our own behind them.
enum Code : int {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kInternalError = -32603,
  kNoSuchBot = -32001,
  kRoomUnknown = -32002,
  kBotFailed = -32003,
  kSubscriptionRefused = -32004,
};

// Where a request came from, by its own topic: s/{sp}/a/{app}/t/{bot}/req/...
struct Source {
  std::string sp, app, bot;

  // A filter takes in empty levels, too, but nothing is served there.
  [[nodiscard]] bool has_ids() const { return !sp.empty() && !app.empty() && !bot.empty(); }
};
[[nodiscard]] Result<Source> request_source(std::string_view topic);

// Whether `topic` may stand in a payload that came from `source`: inside s/{sp}/a/{app}/, without wildcards.
// `filter`: the last level may be `+`. Otherwise the reason.
[[nodiscard]] Result<> check_topic(const Source& source, std::string_view topic, bool filter = false);

// The conversation that a request is about. Ids are compared as text: 7 is "7".
struct Identity {
  std::string room, bot, session;
  std::string context;      // as it was written: JSON for json::Repaired
  std::string session_raw;  // the same; empty when there is none
};

struct Start {
  Identity identity;
  std::string user;  // JSON: an object, or null
  std::string msg_sub, msg_pub, cmd_pub;
  std::string cmd_res_pub;  // where the answers to the bot's own requests are to come; empty: nowhere
};

struct End {
  Identity identity;
};

// An error that is to be answered.
struct Refusal {
  Code code = kInternalError;
  std::string message;
};

struct Request {
  std::string id;       // as it was written: JSON for json::Repaired; empty: a notification, which is not answered
  std::string res_pub;  // where to answer; empty: nowhere
  std::variant<Refusal, Start, End> what;
};

// One payload: one request, or a batch of them.
struct Requests {
  bool batch = false;
  std::vector<Request> list;
};
inline constexpr std::size_t kLargestBatch = 1000;

// Takes JSON as json::Repaired has it. An error: the payload is refused as a whole; see unread.hpp.
[[nodiscard]] tl::expected<Requests, Refusal> decode_requests(const Source& source, std::string_view payload);

// Responses; `id` as in the request.
[[nodiscard]] std::string encode_ok(std::string_view id);
[[nodiscard]] std::string encode_error(std::string_view id, int code, std::string_view message);

}  // namespace botel::gitple
