#include "moca/items.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include <fmt/format.h>

using namespace botel::moca;
using botel::Result;

namespace {

std::string json_of(const Result<Item>& item) { return item ? item->json : "error: " + item.error(); }
std::string json_of(const Result<std::string>& json) { return json ? *json : "error: " + json.error(); }

struct Case {
  std::string from, to;
};

std::string message(std::string_view id, std::string_view time = R"("2024-05-01T09:01:00+00:00")",
                    std::string_view content = R"({"type":"text","content":"hi"})") {
  return fmt::format(R"({{"message_id":{},"contact_id":1,"chat_id":7,"sent_datetime":{},"message":{}}})", id, time,
                     content);
}
std::string sent(const std::string& time) { return message("70", '"' + time + '"'); }

// The text of an id, or nothing where it is refused.
std::string id_of(const std::string& json) {
  const auto item = read_message(message(json));
  return item ? item->id : "";
}

constexpr const char* kBadId = "neither a fitting string nor an integer below 2^53";

}  // namespace

TEST_CASE("moca items: a contact has all members that the text and the server look for") {
  for (
      const auto& [from, to] : {
          Case{
              R"({"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+49"})",
              R"({"contact_id":192168,"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+49","avatar":null})"},
          Case{R"({"contact_id":"a","name":""})",
               R"({"contact_id":"a","id":"a","name":"","username":null,"phone":null,"avatar":null})"},
          Case{R"({"contact_id":1,"id":2,"name":"A","avatar":"/a.png"})",
               R"({"contact_id":1,"id":1,"name":"A","username":null,"phone":null,"avatar":"/a.png"})"},
          Case{R"({"contact_id":null,"id":2,"name":"A","extra":[1, 2]})",
               R"({"contact_id":2,"id":2,"name":"A","username":null,"phone":null,"avatar":null,"extra":[1, 2]})"},
          Case{R"({"name":"A"})", "error: contact_id is missing"},
          Case{R"({"id":1})", "error: name is missing, or no string"},
          Case{R"({"id":1,"name":null})", "error: name is missing, or no string"},
          Case{R"({"id":1,"name":7})", "error: name is missing, or no string"},
          Case{R"({"id":1,"name":"A","phone":7})", "error: phone is neither a string nor null"},
          Case{R"([1])", "error: it is no object"},
      }) {
    CAPTURE(from);
    CHECK(json_of(read_contact(from)) == to);
  }
  CHECK_FALSE(read_contact("{"));
  CHECK_FALSE(read_contact(""));
}

TEST_CASE("moca items: a chat has a type, and participants") {
  const std::string good = R"({"chat_id":"c","name":"C","chat_type":"ChatType.group","participants":[1,"b"]})";
  CHECK(json_of(read_chat(good)) == good);
  CHECK(read_chat(good)->id == "c");
  const std::string rest = R"(,"name":"C","chat_type":"ChatType.single","participants":[1])";
  const std::string last = R"({"chat_id":7)" + rest + R"(,"last_message":)";
  CHECK(json_of(read_chat(last + message("70") + "}")) == last + message("70") + "}");
  CHECK(json_of(read_chat(last + R"(null,"x":1})")) == R"({"chat_id":7)" + rest + R"(,"x":1})");
  for (const auto& [from, to] : {
           Case{last + "5}", "error: last_message: it is no object"},
           Case{R"({"name":"C"})", "error: chat_id is missing"},
           Case{R"({"chat_id":1})", "error: name is missing, or no string"},
           Case{R"({"chat_id":1,"name":"C","chat_type":"group"})", "error: chat_type is none of the two"},
           Case{R"({"chat_id":1,"name":"C"})", "error: chat_type is none of the two"},
           Case{R"({"chat_id":1,"name":"C","chat_type":"ChatType.group","participants":[]})",
                "error: participants are missing"},
           Case{R"({"chat_id":1,"name":"C","chat_type":"ChatType.group","participants":{"a":1}})",
                "error: participants are missing"},
           Case{R"({"chat_id":1,"name":"C","chat_type":"ChatType.group"})", "error: participants are missing"},
           Case{R"({"chat_id":1,"name":"C","chat_type":"ChatType.group","participants":[1,null]})",
                fmt::format("error: a participant is {}", kBadId)},
       }) {
    CAPTURE(from);
    CHECK(json_of(read_chat(from)) == to);
  }
}

TEST_CASE("moca items: a message says which it is, whose, where and when") {
  const auto item = read_message(message("70"));
  CHECK(json_of(item) == message("70"));
  CHECK(item->id == "70");
  CHECK(item->chat == "7");
  CHECK(item->time_ms == 1'714'554'060'000);
  for (const auto& [from, to] : {
           Case{R"({"contact_id":1})", "error: message_id is missing"},
           Case{R"({"message_id":1,"chat_id":1})", "error: contact_id is missing"},
           Case{R"({"message_id":1,"contact_id":1})", "error: chat_id is missing"},
           Case{R"({"message_id":1,"contact_id":1,"chat_id":1})",
                "error: sent_datetime is no time as in 2024-05-01T09:01:00+00:00"},
           Case{R"({"message_id":1,"contact_id":1,"chat_id":1,"sent_datetime":"2024-05-01T09:01:00Z"})",
                "error: message is missing"},
           Case{message("1", R"("2024-05-01T09:01:00Z")", "5"), "error: message: it is no object"},
       }) {
    CAPTURE(from);
    CHECK(json_of(read_message(from)) == to);
  }
}

TEST_CASE("moca items: ids are integers below 2^53, or strings that may stand in a topic") {
  for (const auto& [from, to] : {Case{"0", "0"},
                                 {"-5", "-5"},
                                 {"9007199254740991", "9007199254740991"},
                                 {"-9007199254740991", "-9007199254740991"},
                                 {"9007199254740992", ""},
                                 {"-9007199254740992", ""},
                                 {"9223372036854775808", ""},
                                 {"1e3", ""},
                                 {"1.0", ""},
                                 {"-0", ""},
                                 {"true", ""},
                                 {"null", ""},
                                 {"{}", ""},
                                 {"[7]", ""},
                                 {R"("")", ""},
                                 {R"("7")", "7"},
                                 {R"("\u0037")", "7"},
                                 {R"("a b.c-d")", "a b.c-d"},
                                 {R"("a/b")", ""},
                                 {R"("a\/b")", ""},
                                 {R"("a+b")", ""},
                                 {R"("a#")", ""},
                                 {R"("a\u0000b")", ""},
                                 {R"("a\nb")", ""},
                                 {R"("a\u007f")", ""},
                                 {R"("a\u0085")", ""},
                                 {'"' + std::string(256, 'x') + '"', std::string(256, 'x')},
                                 {'"' + std::string(257, 'x') + '"', ""},
                                 {'"' + std::string(10'240, 'x') + '"', ""},
                                 {std::string(10'240, '1'), ""}}) {
    CAPTURE(from);
    CHECK(id_of(from) == to);
  }
}

TEST_CASE("moca items: times are RFC 3339, and sent on in UTC") {
  for (const auto& [from, to] : {Case{"2024-05-01T09:01:00+00:00", "2024-05-01T09:01:00+00:00"},
                                 {"2024-05-01T09:01:00Z", "2024-05-01T09:01:00+00:00"},
                                 {"2024-05-01t09:01:00z", "2024-05-01T09:01:00+00:00"},
                                 {"2024-05-01T09:01:00-00:00", "2024-05-01T09:01:00+00:00"},
                                 {"2024-05-01T00:01:00+02:00", "2024-04-30T22:01:00+00:00"},
                                 {"2023-12-31T23:30:00-01:30", "2024-01-01T01:00:00+00:00"},
                                 {"2024-05-01T09:01:00.5Z", "2024-05-01T09:01:00.500+00:00"},
                                 {"2024-05-01T09:01:00.123456Z", "2024-05-01T09:01:00.123+00:00"},
                                 {"2024-05-01T09:01:00.000Z", "2024-05-01T09:01:00+00:00"},
                                 {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00+00:00"},
                                 {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999+00:00"},
                                 {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"},
                                 {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"},
                                 {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999+00:00"},
                                 {"0001-01-01T00:00:00+00:01", ""},
                                 {"9999-12-31T23:59:59-00:01", ""},
                                 {"0000-06-01T00:00:00Z", ""},
                                 {"2024-05-01T09:01:00", ""},
                                 {"2024-05-01 09:01:00Z", ""},
                                 {"2024-05-01T09:01Z", ""},
                                 {"2024-05-01", ""},
                                 {"2023-02-29T00:00:00Z", ""},
                                 {"2024-13-01T00:00:00Z", ""},
                                 {"2024-00-01T00:00:00Z", ""},
                                 {"2024-05-01T24:00:00Z", ""},
                                 {"2024-05-01T09:60:00Z", ""},
                                 {"2024-05-01T09:01:61Z", ""},
                                 {"2024- 5- 1T 9: 1: 0Z", ""},
                                 {"2024-05-01T9:01:000Z", ""},
                                 {"+024-05-01T09:01:00Z", ""},
                                 {"2024-05-01T09:01:00.Z", ""},
                                 {"2024-05-01T09:01:00.5", ""},
                                 {"2024-05-01T09:01:00+0000", ""},
                                 {"2024-05-01T09:01:00+24:00", ""},
                                 {"2024-05-01T09:01:00+00:60", ""},
                                 {"2024-05-01T09:01:00+ 1:00", ""},
                                 {"2024-05-01T09:01:00*01:00", ""},
                                 {"2024-05-01T09:01:00Z ", ""},
                                 {R"(2024-05-01T09:01:00\u0000Z)", ""},
                                 {"yesterday, at about nine", ""},
                                 {"", ""}}) {
    CAPTURE(from);
    const auto item = read_message(sent(from));
    CHECK((item ? item->json : "") == (to.empty() ? "" : sent(to)));
  }
  CHECK(read_message(sent("1969-12-31T23:59:59.999Z"))->time_ms == -1);
  CHECK(read_message(sent("2024-05-01T11:01:00.25+02:00"))->time_ms == 1'714'554'060'250);
  CHECK_FALSE(read_message(message("1", "1714554060")));
}

TEST_CASE("moca items: contents of all ten types") {
  const std::string place = "/chats/7/messages/70/media";
  for (const char* type : {"image", "audio", "voice", "video", "gif", "document"}) {
    const auto from = fmt::format(R"({{"type":"{}"}})", type);
    CHECK(json_of(read_content(from, place)) == fmt::format(R"({{"type":"{}","url":"{}","content":""}})", type, place));
  }
  for (const auto& [from, to] : {
           Case{R"({"content":"hi","type":"text"})", R"({"type":"text","content":"hi"})"},
           Case{R"({"type":"text","content":"","x":1})", R"({"type":"text","content":"","x":1})"},
           Case{R"({"type":"image","url":"/x","content":"a cat","mime":"image/png"})",
                R"({"type":"image","url":"/x","content":"a cat","mime":"image/png"})"},
           Case{R"({"type":"image","url":null,"content":null})",
                R"({"type":"image","url":"/chats/7/messages/70/media","content":""})"},
           Case{R"({"type":"contact","content":"BEGIN:VCARD"})", R"({"type":"contact","content":"BEGIN:VCARD"})"},
           Case{R"({"type":"geo","geo_point":{"lon":1.5,"lat":-2}})",
                R"({"type":"geo","geo_point":{"lon":1.5,"lat":-2}})"},
           Case{R"({"type":"unsupported"})", R"({"type":"unsupported"})"},
           Case{R"({"type":"text"})", "error: content is missing, or no string"},
           Case{R"({"type":"text","content":7})", "error: content is missing, or no string"},
           Case{R"({"type":"contact"})", "error: content is missing, or no string"},
           Case{R"({"type":"image","url":7})", "error: url is neither a string nor null"},
           Case{R"({"type":"image","content":7})", "error: content is neither a string nor null"},
           Case{R"({"type":"geo"})", "error: geo_point has no lon and lat"},
           Case{R"({"type":"geo","geo_point":{"lon":"1","lat":2}})", "error: geo_point has no lon and lat"},
           Case{R"({"type":"geo","geo_point":[1,2]})", "error: geo_point has no lon and lat"},
           Case{R"({"type":"sticker"})", "error: type is none that MOCA knows"},
           Case{R"({"type":7})", "error: type is none that MOCA knows"},
           Case{R"({})", "error: type is none that MOCA knows"},
           Case{R"("hi")", "error: it is no object"},
       }) {
    CAPTURE(from);
    CHECK(json_of(read_content(from, place)) == to);
  }
}

TEST_CASE("moca items: what MOCA sends has its chat in the topic or in the payload") {
  const std::string hi = R"({"type":"text","content":"hi"})";
  struct Sent {
    std::string payload, topic, chat, content;
  };
  for (const auto& [payload, topic, chat, content] : {
           Sent{R"({"message":)" + hi + "}", "7", "7", hi},
           Sent{R"({"chat_id":7,"message":)" + hi + "}", "", "7", hi},
           Sent{R"({"chat_id":"7","message":)" + hi + "}", "", "7", hi},
           Sent{R"({"chat_id":7,"message":)" + hi + "}", "7", "7", hi},
           Sent{R"({"chat_id":null,"message":)" + hi + "}", "7", "7", hi},
           Sent{R"({"message":"hi"})", "7", "7", hi},
           Sent{R"({"content":"hi"})", "7", "7", hi},
           Sent{hi, "7", "7", hi},
           Sent{R"({"chat_id":7,"type":"text","content":"hi"})", "", "7", hi},
           Sent{R"({"chat_id":"7","message":{"type":"text","content":"hi","url":null,"geo_point":null}})", "", "7",
                R"({"type":"text","content":"hi","url":null,"geo_point":null})"},
           Sent{R"({"message":)" + hi + "}", "", "", "error: chat_id is missing"},
           Sent{R"({"chat_id":8,"message":)" + hi + "}", "7", "", "error: chat_id is not the chat of the topic"},
           Sent{R"({"chat_id":"a/b","message":)" + hi + "}", "", "", fmt::format("error: chat_id is {}", kBadId)},
           Sent{R"({"chat_id":9007199254740992,"message":)" + hi + "}", "", "",
                fmt::format("error: chat_id is {}", kBadId)},
           Sent{"{}", "7", "", "error: message: content is missing, or no string"},
           Sent{R"({"message":5})", "7", "", "error: message: it is no object"},
           Sent{R"({"message":{"type":"sticker"}})", "7", "", "error: message: type is none that MOCA knows"},
           Sent{R"({"content":5})", "7", "", "error: message: content is missing, or no string"},
           Sent{"[]", "7", "", "error: it is no object"},
       }) {
    CAPTURE(payload);
    const auto outgoing = read_outgoing(payload, topic);
    CHECK((outgoing ? outgoing->content : "error: " + outgoing.error()) == content);
    CHECK((outgoing ? outgoing->chat : "") == chat);
  }
  CHECK_FALSE(read_outgoing("", "7"));
}

TEST_CASE("moca items: pages") {
  for (const auto& [from, to] : {Case{"", "<25"},
                                 {"{}", "<25"},
                                 {"  {} ", "<25"},
                                 {R"({"before":null,"limit":null})", "<25"},
                                 {R"({"before":70,"limit":1})", "70<1"},
                                 {R"({"before":"a","limit":1000})", "a<1000"},
                                 {R"({"limit":1001})", "<1000"},
                                 {R"({"limit":9223372036854775807})", "<1000"},
                                 {R"({"limit":0})", "limit is no number above 0"},
                                 {R"({"limit":-1})", "limit is no number above 0"},
                                 {R"({"limit":2.5})", "limit is no number above 0"},
                                 {R"({"limit":"5"})", "limit is no number above 0"},
                                 {R"({"before":[7]})", fmt::format("before is {}", kBadId)},
                                 {"[]", "it is no object"}}) {
    CAPTURE(from);
    const auto page = read_page(from);
    CHECK((page ? fmt::format("{}<{}", page->before, page->limit) : page.error()) == to);
  }
  CHECK_FALSE(read_page("{"));
}

TEST_CASE("moca items: errors, and bytes in Base64") {
  CHECK(error_as_json(404, "no \"chat\"\xff") == R"({"error":{"code":404,"message":"no \"chat\")"
                                                 "\xef\xbf\xbd"
                                                 R"("}})");
  for (const auto& [from, to] : {Case{"", ""},
                                 {"a", "YQ=="},
                                 {"ab", "YWI="},
                                 {"abc", "YWJj"},
                                 {std::string("\0\xff\xfe", 3), "AP/+"},
                                 {std::string(300, 'a'), [] {
                                    std::string text;
                                    for (int i = 0; i < 100; ++i) text += "YWFh";
                                    return text;
                                  }()}}) {
    CHECK(base64(from) == to);
  }
  CHECK(base64(std::string(1 << 20, 'x')).size() == 1'398'104);
}
