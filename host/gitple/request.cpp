#include "gitple/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json_repair.hpp"
#include "mqtt/topics.hpp"

namespace botel::gitple {
namespace {

using json::Document;
using json::Kind;
using json::Repaired;

constexpr std::size_t kLongestId = 200;
constexpr std::size_t kLargestValue = 64 << 10;  // bytes of a _context or a user: they stay as long as the room
constexpr std::string_view kRequests = "s/+/a/+/t/+/req/#";

// An id is a number or a text, and can stand in a topic. Of two by one name, other programs may take the other one.
Result<std::string> identifier(const Document& object, std::string_view name) {
  if (std::ranges::count(object.members, name, &json::Member::key) > 1) {
    return failure("_context.{} is there more than once", name);
  }
  const auto value = object.find(name);
  if (!value || value->is(Kind::null)) return std::string();
  if (!value->is(Kind::number) && !value->is(Kind::string))
    return failure("_context.{} must be a number or a string", name);
  std::string id = json::text(*value);
  if (id.size() > kLongestId || !mqtt::valid_topic(id) || id.find('/') != std::string::npos) {
    return failure("_context.{} is no id: it is empty, too long, or cannot stand in a topic", name);
  }
  return id;
}

Result<std::string> required(const Document& params, std::string_view name) {
  const auto value = params.find(name);
  if (!value) return failure("params.{} is missing", name);
  if (!value->is(Kind::string)) return failure("params.{} must be a string", name);
  return json::text(*value);
}

Result<std::string> topic(const Source& source, const Document& params, std::string_view name, bool filter = false) {
  auto text = required(params, name);
  if (!text) return text;
  if (auto checked = check_topic(source, *text, filter); !checked)
    return failure("params.{} {}", name, checked.error());
  return text;
}

// `payload`: what `params` is a part of.
Result<Identity> decode_identity(const Source& source, const Repaired& payload, const Document& params) {
  const auto context = params.find("_context");
  if (!context) return failure("params._context is missing");
  if (!context->is(Kind::object)) return failure("params._context must be an object");
  if (context->raw.size() > kLargestValue) return failure("params._context is larger than {} bytes", kLargestValue);
  const auto members = json::read(context->raw);
  if (!members) return failure("params._context: {}", members.error());

  const auto sp = identifier(*members, "sp");
  const auto app = identifier(*members, "app");
  const auto room = identifier(*members, "room");
  const auto session = identifier(*members, "session");
  const auto bot = identifier(*members, "bot");
  for (const auto* id : {&sp, &app, &room, &session, &bot}) {
    if (!*id) return tl::unexpected(id->error());
  }
  if (room->empty()) return failure("_context.room is missing");
  if (!sp->empty() && *sp != source.sp) return failure("_context.sp is not that of the request's topic");
  if (!app->empty() && *app != source.app) return failure("_context.app is not that of the request's topic");

  const auto raw = members->find("session");
  return Identity{*room, bot->empty() ? source.bot : *bot, *session, std::string(payload.original(context->raw)),
                  session->empty() ? std::string() : std::string(payload.original(raw->raw))};
}

// The text's example: .../r/{room}/req/t/{bot} is answered on .../r/{room}/res. Nowhere, where it is written otherwise.
std::string derived_answers(const Source& source, const std::string& cmd_pub) {
  const std::string topic = cmd_pub.substr(0, cmd_pub.rfind("/req/")) + "/res";
  const bool fits = cmd_pub.find("/req/") != std::string::npos && check_topic(source, topic);
  return fits && !mqtt::matches(kRequests, topic) ? topic : "";
}

// Where the answers to the bot's own requests are to come.
Result<std::string> decode_answers(const Source& source, const Document& params, const std::string& cmd_pub) {
  if (!params.present("cmdResPub")) return derived_answers(source, cmd_pub);
  auto given = topic(source, params, "cmdResPub");
  if (given && mqtt::matches(kRequests, *given)) return failure("params.cmdResPub takes in requests");
  return given;
}

Result<Start> decode_start(const Source& source, const Repaired& payload, const Document& params) {
  auto identity = decode_identity(source, payload, params);
  if (!identity) return tl::unexpected(identity.error());
  auto msg_sub = topic(source, params, "msgSub", true);
  auto msg_pub = topic(source, params, "msgPub");
  auto cmd_pub = topic(source, params, "cmdPub");
  for (const auto* text : {&msg_sub, &msg_pub, &cmd_pub}) {
    if (!*text) return tl::unexpected(text->error());
  }
  auto cmd_res_pub = decode_answers(source, params, *cmd_pub);
  if (!cmd_res_pub) return tl::unexpected(cmd_res_pub.error());
  Start start{*identity, "null", *msg_sub, *msg_pub, *cmd_pub, *cmd_res_pub};
  if (mqtt::overlap(start.msg_sub, kRequests)) return failure("params.msgSub takes in requests");
  for (const auto* own : {&start.msg_pub, &start.cmd_pub}) {
    if (mqtt::matches(start.msg_sub, *own)) return failure("params.msgSub takes in what the bot itself sends");
  }
  if (const auto user = params.find("user"); user && !user->is(Kind::null)) {
    if (!user->is(Kind::object)) return failure("params.user must be an object");
    if (user->raw.size() > kLargestValue) return failure("params.user is larger than {} bytes", kLargestValue);
    start.user = user->raw;
  }
  return start;
}

Refusal refuse(Code code, std::string message) { return {code, std::move(message)}; }

std::variant<Refusal, Start, End> decode_call(const Source& source, const Repaired& payload, const Document& request,
                                              const Document& params) {
  const auto version = request.find("jsonrpc");
  if (!version || version->raw != "\"2.0\"") return refuse(kInvalidRequest, "Invalid Request: jsonrpc must be \"2.0\"");
  const auto id = request.find("id");
  if (id && !id->is(Kind::string) && !id->is(Kind::number) && !id->is(Kind::null)) {
    return refuse(kInvalidRequest, "Invalid Request: id must be a string, a number or null");
  }
  const auto method = request.find("method");
  if (!method || !method->is(Kind::string)) return refuse(kInvalidRequest, "Invalid Request: method must be a string");

  const std::string name = json::text(*method);
  if (name == "start") {
    auto start = decode_start(source, payload, params);
    if (!start) return refuse(kInvalidParams, "Invalid params: " + start.error());
    return std::move(*start);
  }
  if (name == "end") {
    auto identity = decode_identity(source, payload, params);
    if (!identity) return refuse(kInvalidParams, "Invalid params: " + identity.error());
    return End{std::move(*identity)};
  }
  return refuse(kMethodNotFound, "Method not found: there are start and end");
}

Request decode_request(const Source& source, const Repaired& payload, std::string_view text) {
  Request request;
  const auto members = json::read(text);
  if (!members || !members->root.is(Kind::object)) {
    return {"null", "", refuse(kInvalidRequest, "Invalid Request: not an object")};
  }
  Document params;
  if (const auto value = members->find("params")) {
    if (auto read = json::read(value->raw)) params = std::move(*read);
  }
  if (const auto id = members->find("id")) {
    // What is no id cannot be returned as one.
    request.id = id->is(Kind::string) || id->is(Kind::number) ? payload.original(id->raw) : "null";
  }
  if (const auto res_pub = params.present("resPub"); res_pub && res_pub->raw != "\"\"") {
    if (auto checked = topic(source, params, "resPub")) {
      request.res_pub = *checked;
    } else {
      request.what = refuse(kInvalidParams, "Invalid params: " + checked.error());
      return request;
    }
  }
  request.what = decode_call(source, payload, *members, params);
  if (const auto* refusal = std::get_if<Refusal>(&request.what); refusal && refusal->code == kInvalidRequest) {
    // Nobody can tell whether it was meant as a notification: JSON-RPC answers it with a null id.
    if (request.id.empty()) request.id = "null";
  }
  return request;
}

// What is no request has no resPub of its own. In a batch it gets that of all the others.
void share_res_pub(std::vector<Request>& batch) {
  std::set<std::string> topics;
  for (const Request& request : batch) topics.insert(request.res_pub);
  topics.erase("");
  if (topics.size() != 1) return;
  for (Request& request : batch) {
    const auto* const refusal = std::get_if<Refusal>(&request.what);
    if (refusal && refusal->code == kInvalidRequest) request.res_pub = *topics.begin();
  }
}

}  // namespace

Result<Source> request_source(std::string_view topic) {
  const auto level = mqtt::levels(topic);
  if (level.size() < 7 || level[0] != "s" || level[2] != "a" || level[4] != "t" || level[6] != "req") {
    return failure("the topic is not s/{{sp}}/a/{{app}}/t/{{bot}}/req/...");
  }
  return Source{std::string(level[1]), std::string(level[3]), std::string(level[5])};
}

Result<> check_topic(const Source& source, std::string_view topic, bool filter) {
  const std::string inside = fmt::format("s/{}/a/{}/", source.sp, source.app);
  if (!topic.starts_with(inside)) return failure("must be inside {}", inside);
  const std::string_view whole = topic;
  if (filter && topic.ends_with("/+")) topic.remove_suffix(2);
  if (topic.find_first_of("+#") != std::string_view::npos) {
    return failure("{}", filter ? "may have no wildcard but a last level of +" : "may have no wildcard");
  }
  if (!mqtt::valid_topic(topic) || !mqtt::valid_filter(whole))
    return failure("is no topic: too long, too deep, or with control characters");
  return {};
}

tl::expected<Requests, Refusal> decode_requests(const Source& source, std::string_view payload) {
  const Repaired repaired(payload);
  const auto document = json::read(repaired.text());
  if (!document) return tl::unexpected(refuse(kParseError, "Parse error: " + document.error()));
  Requests requests;
  if (document->root.is(Kind::object)) {
    requests.list.push_back(decode_request(source, repaired, document->root.raw));
  } else if (document->elements.size() > kLargestBatch) {
    return tl::unexpected(
        refuse(kInvalidRequest, fmt::format("Invalid Request: a batch of {} requests, where {} is the most",
                                            document->elements.size(), kLargestBatch)));
  } else if (!document->elements.empty()) {
    requests.batch = true;
    for (const auto& element : document->elements) {
      requests.list.push_back(decode_request(source, repaired, element.raw));
    }
    share_res_pub(requests.list);
  } else {
    return tl::unexpected(refuse(kInvalidRequest, "Invalid Request: neither a request nor a batch of requests"));
  }
  return requests;
}

std::string encode_ok(std::string_view id) { return fmt::format(R"({{"jsonrpc":"2.0","id":{},"result":"OK"}})", id); }

std::string encode_error(std::string_view id, int code, std::string_view message) {
  return fmt::format(R"({{"jsonrpc":"2.0","id":{},"error":{{"code":{},"message":{}}}}})", id, code,
                     json::quoted(message));
}

}  // namespace botel::gitple
