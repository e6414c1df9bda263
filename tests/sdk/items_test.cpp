// What items.hpp and step.hpp make: JSON as docs of MOCA have it, and errors where it would not be.
#include <botel/items.hpp>
#include <botel/step.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

using namespace std::chrono_literals;
using botel::Chat;
using botel::ChatMessage;
using botel::Contact;
using botel::Content;
using botel::Error;
using botel::GivenId;
using botel::Id;
using botel::Step;

namespace {

constexpr botel::Time kMay = std::chrono::sys_days(2024y / 5 / 1) + 9h + 1min;

}  // namespace

TEST_CASE("items: an id is an integer below 2^53, or a text that may stand in a topic") {
  CHECK(Id(192168).json() == "192168");
  CHECK(Id(-7).text() == "-7");
  CHECK(Id((1ll << 53) - 1).json() == "9007199254740991");
  CHECK(Id("jon.doe@가").json() == R"("jon.doe@가")");
  CHECK(Id("42").json() == R"("42")");
  CHECK(Id("42") != Id(42));
  CHECK_THROWS_AS(Id(1ll << 53), Error);
  CHECK_THROWS_AS(Id(-(1ll << 53)), Error);
  CHECK_THROWS_AS(Id(UINT64_MAX), Error);
  for (const std::string bad : {"", "a/b", "a+b", "#", "a\nb", "\x7f", "\xff"}) CHECK_THROWS_AS(Id{bad}, Error);
  CHECK_THROWS_AS(Id(std::string("a\0b", 3)), Error);
  CHECK(Id(std::string(256, 'x')).text().size() == 256);
  CHECK_THROWS_AS(Id(std::string(257, 'x')), Error);
}

TEST_CASE("items: a given id is compared by its text, and is a number only if it is written as one") {
  CHECK(GivenId("42") == Id(42));
  CHECK(GivenId("42") == Id("42"));
  CHECK(GivenId("042") != Id(42));
  CHECK(GivenId("6200000069").number() == 6200000069);
  CHECK(GivenId("-5").number() == -5);
  for (const char* none : {"", "042", "4 2", "x", "+4", "4x", "9007199254740992", "99999999999999999999"}) {
    CHECK(GivenId(none).number() == -1);
    CHECK(GivenId(none).number(7) == 7);
  }
}

TEST_CASE("items: a contact has what is known of it, and ends a configuration by its id") {
  const Contact jon{.id = 192168, .name = "Jon Doe", .username = "jon.doe", .phone = "+491711234567"};
  CHECK(jon.json() == R"({"contact_id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+491711234567"})");
  CHECK(jon.own_json() == R"({"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+491711234567"})");
  CHECK(Contact{.id = "a", .name = "", .avatar = "https://x/a.png"}.json() ==
        R"({"contact_id":"a","name":"","avatar":"https://x/a.png"})");
  CHECK_THROWS_AS((Contact{.id = 1, .name = "\xff"}.json()), Error);
}

TEST_CASE("items: contents of all ten types, as they are written and read") {
  const struct {
    Content content;
    std::string json;
  } all[] = {
      {Content::text("hi \"you\""), R"({"type":"text","content":"hi \"you\""})"},
      {Content::image("a cat"), R"({"type":"image","content":"a cat"})"},
      {Content::audio(), R"({"type":"audio","content":""})"},
      {Content::voice("", "/v.ogg"), R"({"type":"voice","url":"/v.ogg","content":""})"},
      {Content::video("v"), R"({"type":"video","content":"v"})"},
      {Content::gif("g"), R"({"type":"gif","content":"g"})"},
      {Content::document("d", "https://x/d"), R"({"type":"document","url":"https://x/d","content":"d"})"},
      {Content::contact("BEGIN:VCARD\r\n"), R"({"type":"contact","content":"BEGIN:VCARD\r\n"})"},
      {Content::geo(126.9784, -37.5), R"({"type":"geo","geo_point":{"lon":126.9784,"lat":-37.5}})"},
      {Content::unsupported(), R"({"type":"unsupported"})"},
  };
  for (const auto& [content, json] : all) {
    CHECK(content.json() == json);
    const Content again = Content::read(json);
    CHECK(again.type == content.type);
    CHECK(again.json() == json);
  }
  CHECK(Content::image().is_media());
  CHECK_FALSE(Content::contact("").is_media());
  CHECK_THROWS_AS(Content::geo(NAN, 0).json(), Error);
  CHECK_THROWS_AS(Content::geo(0, std::numeric_limits<double>::infinity()).json(), Error);
}

TEST_CASE("items: a content that cannot be understood is unsupported, and never an error") {
  for (const char* bad : {"", "{", "[]", "5", "{}", R"({"type":"hologram"})", R"({"type":5})"}) {
    CHECK(Content::read(bad).type == Content::Type::unsupported);
  }
  for (const char* nowhere :
       {R"({"type":"geo"})", R"({"type":"geo","geo_point":5})", R"({"type":"geo","geo_point":{}})"}) {
    CHECK(Content::read(nowhere).json() == R"({"type":"geo","geo_point":{"lon":0.0,"lat":0.0}})");
  }
}

TEST_CASE("items: a message and a chat, with its last message") {
  const ChatMessage message{.id = 1, .chat = 7, .contact = 192168, .sent = kMay, .content = Content::text("hi")};
  const std::string json = R"({"message_id":1,"contact_id":192168,"chat_id":7,)"
                           R"("sent_datetime":"2024-05-01T09:01:00+00:00","message":{"type":"text","content":"hi"}})";
  CHECK(message.json() == json);
  CHECK(Chat{.id = 7, .name = "Jon", .participants = {192168, 5}}.json() ==
        R"({"chat_id":7,"name":"Jon","chat_type":"ChatType.single","participants":[192168,5]})");
  CHECK(Chat{.id = "g", .name = "All", .group = true, .participants = {"a"}, .last_message = message}.json() ==
        R"({"chat_id":"g","name":"All","chat_type":"ChatType.group","participants":["a"],"last_message":)" + json +
            "}");
  CHECK_THROWS_WITH_AS((Chat{.id = 7, .name = ""}.json()), "the chat 7 has no participants", Error);
}

TEST_CASE("items: times are in UTC, with milliseconds where there are some") {
  CHECK(botel::rfc3339(kMay + 50ms) == "2024-05-01T09:01:00.050+00:00");
  CHECK(botel::rfc3339(botel::Time(-1ms)) == "1969-12-31T23:59:59.999+00:00");
  CHECK(botel::rfc3339(std::chrono::sys_days(2024y / 2 / 29)) == "2024-02-29T00:00:00+00:00");
  CHECK(botel::rfc3339(std::chrono::sys_days(1y / 1 / 1)) == "0001-01-01T00:00:00+00:00");
  CHECK_THROWS_AS(botel::rfc3339(std::chrono::sys_days(1y / 1 / 1) - 1ms), Error);
  CHECK_THROWS_AS(botel::rfc3339(std::chrono::sys_days(10000y / 1 / 1)), Error);
  CHECK_THROWS_AS(botel::rfc3339(botel::Time::max()), Error);
}

TEST_CASE("step: the schema of MOCA's own example") {
  const Step step = Step("phone", "Phone", "A phone number to start configuration of the moca demo service")
                        .text("phone", {.title = "Phone number",
                                        .description = "Phone number in international format",
                                        .examples = {"+491711234567", "+442071838750"}});
  CHECK(step.id() == "phone");
  CHECK(step.json() ==
        R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"phone.schema.json","title":"Phone",)"
        R"("description":"A phone number to start configuration of the moca demo service","type":"object",)"
        R"("properties":{"phone":{"title":"Phone number","description":"Phone number in international format",)"
        R"("type":"string","examples":["+491711234567","+442071838750"]}},"required":["phone"]})");
}

TEST_CASE("step: every kind of field, with all that it may have") {
  const Step step = Step("all")
                        .text("text", {.pattern = "^[a-z]+$", .format = "email", .min_length = 1, .max_length = 9})
                        .password("password")
                        .integer("integer", {.examples = {"5"}, .minimum = -1, .maximum = 10, .optional = true})
                        .number("number", {.examples = {"0.5"}})
                        .flag("flag")
                        .choice("choice", {"a", "\"b\""}, {.title = "Which?"});
  CHECK(step.json() ==
        R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"all.schema.json","type":"object","properties":{)"
        R"("text":{"type":"string","pattern":"^[a-z]+$","format":"email","minLength":1,"maxLength":9},)"
        R"("password":{"type":"string","writeOnly":true},)"
        R"("integer":{"type":"integer","examples":[5],"minimum":-1,"maximum":10},)"
        R"("number":{"type":"number","examples":[0.5]},"flag":{"type":"boolean"},)"
        R"("choice":{"title":"Which?","type":"string","enum":["a","\"b\""]}},)"
        R"("required":["text","password","number","flag","choice"]})");
  CHECK(Step("quoted").text("a \"b\"").json().ends_with(R"({"a \"b\"":{"type":"string"}},"required":["a \"b\""]})"));
}

TEST_CASE("step: what no host would take throws; a schema of one's own is left as it is") {
  CHECK_THROWS_WITH_AS(Step("none").json(), "the step none has no field that is needed", Error);
  CHECK_THROWS_AS(Step("optional").text("a", {.optional = true}).json(), Error);
  CHECK_THROWS_AS(Step("example").integer("a", {.examples = {"five"}}), Error);
  CHECK_THROWS_AS(Step("bytes").text("a", {.title = "\xff"}), Error);
  CHECK(Step::with_schema("own", R"({"required":["a"]})").json() == R"({"required":["a"]})");
}

TEST_CASE("step: an answer gives its values, and something else for what is not there") {
  const botel::Answer answer("login", R"({"name":"Jon","age":41,"size":1.5,"on":true,"none":null})");
  CHECK(answer.step == "login");
  CHECK(answer.text("name") == "Jon");
  CHECK(answer.text("age").empty());
  CHECK(answer.integer("age") == 41);
  CHECK(answer.integer("size", 7) == 7);
  CHECK(answer.number("size") == 1.5);
  CHECK(answer.number("age") == 41);
  CHECK(answer.number("name", 0.5) == 0.5);
  CHECK(answer.flag("on"));
  CHECK(answer.flag("none", true));
  CHECK_FALSE(answer.flag("missing"));
  CHECK(botel::Answer("", "{").text("name").empty());
}
