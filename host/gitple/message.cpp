#include "gitple/message.hpp"

#include <botel/ext/room.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/json_repair.hpp"
#include "gitple/request.hpp"

namespace botel::gitple {
namespace {

using json::Document;
using json::Kind;
using json::Value;
using runtime::Event;

std::optional<Event> key_in(const Value& value) {
  const std::string state = json::text(value);
  if (state != "s" && state != "t") return {};
  return Event{.kind = BOTEL_ROOM_KEY_IN, .status = state == "s" ? 1 : 0};
}

std::optional<Event> read_until(const Value& value) {
  const auto until = json::integer(value);
  if (!until || *until < 0) return {};
  return Event{.kind = BOTEL_ROOM_READ, .format = BOTEL_FORMAT_TEXT, .payload = std::to_string(*until)};
}

std::optional<std::uint64_t> content_of(const Document& message) {
  if (!message.present("t")) return {};
  std::uint64_t content = 0;
  for (const char* const name : {"t", "m", "c", "e"}) {
    const auto value = message.find(name);
    content = hash(value ? value->raw : "", content);
  }
  return content;
}

// What is not understood reaches the bot as it is: there may be newer events, and older ones beside them.
std::vector<Event> decode_event(const Value& e, std::string_view whole) {
  std::vector<Event> events;
  const auto members = json::read(e.raw).value_or(Document());
  const auto take = [&](const char* name, std::optional<Event> (*decode)(const Value&)) {
    const auto value = members.find(name);
    if (auto event = value ? decode(*value) : std::nullopt) events.push_back(std::move(*event));
  };
  take("keyIn", key_in);
  take("read", read_until);
  if (!e.is(Kind::object) || members.members.size() > events.size()) {
    events.push_back({.kind = BOTEL_ROOM_EVENT,
                      .format = BOTEL_FORMAT_JSON,
                      .payload = std::string(e.raw),
                      .detail = std::string(whole)});
  }
  return events;
}

// What was said or chosen. `m` and `c` are not null where they are there.
std::optional<Event> decode_words(std::optional<Value> m, std::optional<Value> c, std::string_view whole) {
  // Clients of the older or the newer shape give back what the item has in `c`, and some the text itself.
  if (c && is_item_choice(*c)) {
    if (!m) m = json::read(c->raw)->present("e");
    if (m) c.reset();
  } else if (c && m && c->is(Kind::string) && m->is(Kind::string) && json::text(*c) == json::text(*m)) {
    c.reset();
  }
  if (!c && !m) return {};
  const bool is_rich = !c && (m->is(Kind::object) || m->is(Kind::array));
  return Event{.kind = c ? BOTEL_ROOM_COMMAND : BOTEL_ROOM_MESSAGE,
               .format = c || is_rich ? BOTEL_FORMAT_JSON : BOTEL_FORMAT_TEXT,
               .payload = c ? std::string(c->raw) : json::text(*m),
               .detail = std::string(whole)};
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

bool is_item_choice(const Value& c) {
  if (!c.is(Kind::object)) return false;
  const auto members = json::read(c.raw);
  if (!members || members->members.empty()) return false;
  return std::ranges::all_of(members->members, [](const json::Member& member) {
    if (member.value.is(Kind::null)) return member.key == "e" || member.key == "l" || member.key == "r";
    if (member.key == "l") return member.value.is(Kind::object);
    return (member.key == "e" || member.key == "r") && member.value.is(Kind::string);
  });
}

Result<Incoming> decode_message(std::string_view payload) {
  const json::Repaired repaired(payload);
  const std::string_view whole = repaired.text();
  const auto document = json::read(whole);
  if (!document) return tl::unexpected(document.error());
  if (!document->root.is(Kind::object)) return failure("a message must be an object");
  Incoming incoming;
  if (const auto sid = document->present("_sid")) incoming.session = json::text(*sid);
  incoming.content = content_of(*document);

  if (const auto e = document->present("e")) incoming.events = decode_event(*e, whole);
  if (auto words = decode_words(document->present("m"), document->present("c"), whole)) {
    incoming.events.push_back(std::move(*words));
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
