#include "gitple/message.hpp"

#include <botel/ext/room.h>
#include <fmt/format.h>

#include <limits>

#include "base/json.hpp"
#include "base/json_repair.hpp"
#include "gitple/request.hpp"

namespace botel::gitple {
namespace {

using json::Kind;
using json::Value;
using runtime::Event;

Result<std::vector<Event>> decode_event(const Value& e) {
  std::vector<Event> events;
  // What is not understood is ignored: there may be newer events, and a message beside them.
  if (!e.is(Kind::object)) return events;
  const auto members = json::read(e.raw);
  if (!members) return tl::unexpected(members.error());
  if (const auto key_in = members->find("keyIn")) {
    const std::string state = json::text(*key_in);
    if (state == "s" || state == "t") {
      events.push_back({.kind = BOTEL_ROOM_KEY_IN, .status = state == "s" ? 1 : 0});
    }
  }
  if (const auto read = members->find("read")) {
    const auto until = json::integer(*read);
    if (until && *until >= 0) {
      events.push_back({.kind = BOTEL_ROOM_READ, .format = BOTEL_FORMAT_TEXT, .payload = std::to_string(*until)});
    }
  }
  return events;
}

void open(std::string& to, std::int64_t time_ms) { fmt::format_to(std::back_inserter(to), R"({{"t":{},)", time_ms); }

void close(std::string& to, const Speaker& speaker) {
  to += R"(,"_context":)";
  to += speaker.context;
  if (!speaker.session.empty()) {
    to += R"(,"_sid":)";
    to += speaker.session;
  }
  to += '}';
}

std::string encode_call(const Speaker& speaker, std::string_view id, std::string_view method, std::string_view members,
                        std::string_view res_pub) {
  std::string text = fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{{{}"_context":{})",
                                 json::quoted(id), method, members, speaker.context);
  if (!res_pub.empty()) text += R"(,"resPub":)" + json::quoted(res_pub);
  return text + "}}";
}

}  // namespace

Result<Incoming> decode_message(std::string_view payload) {
  const json::Repaired repaired(payload);
  const std::string_view whole = repaired.text();
  const auto document = json::read(whole);
  if (!document) return tl::unexpected(document.error());
  if (!document->root.is(Kind::object)) return failure("a message must be an object");
  Incoming incoming;
  if (const auto sid = document->present("_sid")) incoming.session = json::text(*sid);

  if (const auto e = document->present("e")) {
    auto events = decode_event(*e);
    if (!events) return tl::unexpected(events.error());
    incoming.events = std::move(*events);
  }
  const auto m = document->present("m");
  if (m && !m->is(Kind::string) && !m->is(Kind::object) && !m->is(Kind::array)) {
    return failure("m must be a text, an object or a list");
  }
  if (const auto c = document->present("c")) {
    incoming.events.push_back({.kind = BOTEL_ROOM_COMMAND,
                               .format = BOTEL_FORMAT_JSON,
                               .payload = std::string(c->raw),
                               .detail = std::string(whole)});
  } else if (m) {
    incoming.events.push_back({.kind = BOTEL_ROOM_MESSAGE,
                               .format = m->is(Kind::string) ? BOTEL_FORMAT_TEXT : BOTEL_FORMAT_JSON,
                               .payload = json::text(*m),
                               .detail = std::string(whole)});
  }
  return incoming;
}

std::string encode_say(const Speaker& speaker, std::int64_t time_ms, const runtime::Effect& say) {
  std::string text;
  text.reserve(say.payload.size() + say.detail.size() + speaker.context.size() + 64);
  open(text, time_ms);
  text += R"("m":)";
  if (say.format == BOTEL_FORMAT_JSON) {
    text += say.payload;
  } else {
    json::quote(text, say.payload);
  }
  if (!say.detail.empty()) {
    text += R"(,"o":)";
    text += say.detail;
  }
  close(text, speaker);
  return text;
}

std::string encode_typing(const Speaker& speaker, std::int64_t time_ms, bool typing) {
  std::string text;
  open(text, time_ms);
  text += typing ? R"("e":{"keyIn":"s"})" : R"("e":{"keyIn":"t"})";
  close(text, speaker);
  return text;
}

std::string encode_end(const Speaker& speaker, std::string_view id, std::string_view res_pub) {
  return encode_call(speaker, id, "end", "", res_pub);
}

std::string encode_transfer(const Speaker& speaker, std::string_view id, std::string_view res_pub,
                            std::string_view target) {
  if (target.empty()) return encode_call(speaker, id, "transfer", R"("type":"agent",)", res_pub);
  const std::string members = R"("type":"bot","targetId":)" + json::quoted(target) + ",";
  return encode_call(speaker, id, "transfer", members, res_pub);
}

Result<Answer> decode_answer(std::string_view payload) {
  const json::Repaired repaired(payload);
  const auto document = json::read(repaired.text());
  if (!document) return tl::unexpected(document.error());
  const auto id = document->find("id");
  if (!id || !id->is(Kind::string)) return failure("an answer without the id of a request");
  Answer answer{.id = json::text(*id), .detail = {}};
  if (const auto error = document->present("error")) {
    answer.detail = error->raw;
    answer.status = kInternalError;
    if (const auto members = json::read(error->raw)) {
      const auto code = members->find("code");
      const auto number = code ? json::integer(*code) : std::nullopt;
      if (number && *number != 0 && *number >= std::numeric_limits<int>::min() &&
          *number <= std::numeric_limits<int>::max()) {
        answer.status = static_cast<int>(*number);
      }
    }
    return answer;
  }
  const auto result = document->find("result");
  if (!result) return failure("an answer with neither result nor error");
  answer.detail = result->raw;
  return answer;
}

}  // namespace botel::gitple
