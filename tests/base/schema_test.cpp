#include "base/schema_words.hpp"

#include <doctest/doctest.h>

using botel::Schema;
using namespace std::string_literals;

namespace {

// Why a schema is refused; "" when it is not.
std::string refusal(std::string_view schema) {
  const auto compiled = Schema::compile(schema);
  return compiled ? "" : compiled.error();
}

}  // namespace

TEST_CASE("schema: each keyword allows and names what draft-07 says") {
  struct Row {
    std::string_view schema;
    std::vector<std::string_view> good;
    std::vector<std::pair<std::string_view, std::string_view>> bad;
  };
  const Row rows[] = {
      {"true", {"1", "{}"}, {}},
      {"{}", {"null", "[1]"}, {}},
      {"false", {}, {{"1", " is not allowed"}}},
      {R"({"type":"string"})", {R"("1")", R"("")"}, {{"1", " is not a string"}, {"null", " is not a string"}}},
      {R"({"type":"integer"})",
       {"1", "1.0", "-7", "1e300", "18446744073709551615"},
       {{"1.5", " is not an integer"}, {R"("1")", " is not an integer"}, {"true", " is not an integer"}}},
      {R"({"type":["string","null"]})", {"null", R"("x")"}, {{"{}", " is not a string or null"}}},
      {R"({"type":"boolean","enum":[true]})", {"true"}, {{"1", " is not true or false"}}},
      {R"({"type":"number"})", {"1", "1.5"}, {{"[]", " is not a number"}}},
      {R"({"enum":[1,"a",{"x":[1,2],"y":null}]})",
       {"1", "1.0", R"("a")", R"({"y":null,"x":[1,2]})"},
       {{"2", " is none of the allowed values"}, {R"({"x":[2,1],"y":null})", " is none of the allowed values"}}},
      {R"({"enum":[9007199254740993]})",
       {"9007199254740993"},
       {{"9007199254740992", " is none of the allowed values"}}},
      {R"({"const":[]})",
       {"[]"},
       {{"{}", " is not the one allowed value"}, {R"("")", " is not the one allowed value"}}},
      {R"({"minimum":3,"maximum":5})",
       {"3", "5.0", R"("x")"},
       {{"2.9", " is less than 3"}, {"6", " is more than 5"}, {"18446744073709551615", " is more than 5"}}},
      {R"({"exclusiveMinimum":3.5,"exclusiveMaximum":5})",
       {"4"},
       {{"3.5", " is not more than 3.5"}, {"5", " is not less than 5"}}},
      {R"({"multipleOf":5})",
       {"10", "0", "-5", "5.0", R"("7")"},
       {{"7", " is not a multiple of 5"}, {"5.5", " is not a multiple of 5"}}},
      {R"({"multipleOf":0.1})", {"0.3", "19.9", "7"}, {{"0.35", " is not a multiple of 0.1"}}},
      {R"({"minLength":2,"maxLength":3})",
       {R"("한글")", R"("abc")", "1"},
       {{R"("한")", " is shorter than 2 characters"},
        {R"("abcd")", " is longer than 3 characters"},
        {R"("\u0000abc")", " is longer than 3 characters"}}},
      {R"({"pattern":"^\\d+$"})", {R"("12")", "{}"}, {{R"("12\n")", R"( does not match the pattern ^\d+$)"}}},
      {R"({"pattern":"b","minLength":3})",
       {R"("abc")"},
       {{R"("a")", " does not match the pattern b;  is shorter than 3 characters"}}},
      {R"({"minItems":1,"maxItems":2})",
       {"[1]"},
       {{"[]", " has fewer than 1 items"}, {"[1,2,3]", " has more than 2 items"}}},
      {R"({"uniqueItems":true})",
       {"[]", "[1,2]", R"([1,"1",true,"true",[],{}])"},
       {{"[1,2,1.0]", " has the same item twice"}, {R"([{"a":1,"b":2},{"b":2,"a":1}])", " has the same item twice"}}},
      {R"({"uniqueItems":false})", {"[1,1]"}, {}},
      {R"({"items":{"type":"string"}})",
       {R"(["a"])", "[]", "1"},
       {{R"(["a",1,"b",null])", "/1 is not a string; /3 is not a string"}}},
      {R"({"items":[{"type":"string"},{"type":"null"}],"additionalItems":{"type":"integer"}})",
       {R"(["a",null,3])", R"(["a"])"},
       {{R"([1,null,"x"])", "/0 is not a string; /2 is not an integer"}}},
      {R"({"items":[true],"additionalItems":false})", {"[1]"}, {{"[1,2]", "/1 is not allowed"}}},
      {R"({"items":[],"additionalItems":false})", {"[]"}, {{"[1]", "/0 is not allowed"}}},
      {R"({"contains":{"type":"null"}})", {"[1,null]", "{}"}, {{"[1]", " has no item of the form that one must have"}}},
      {R"({"required":["phone","na/me"]})",
       {R"({"phone":1,"na/me":null})", "[]"},
       {{"{}", " is missing: na/me;  is missing: phone"}}},
      {R"({"properties":{"a":{"properties":{"b/~":{"type":"string"}}}}})",
       {"{}", R"({"a":{"b/~":"x","c":1}})", R"({"a":7})"},
       {{R"({"a":{"b/~":1}})", "/a/b~1~0 is not a string"}}},
      {R"({"properties":{"a":true,"no":false},"additionalProperties":false})",
       {R"({"a":1})"},
       {{R"({"b":1,"a":2,"c":3})", "/b is not allowed; /c is not allowed"}, {R"({"no":1})", "/no is not allowed"}}},
      {R"({"additionalProperties":{"type":"null"},"properties":{"a":{}}})",
       {R"({"a":1,"b":null})"},
       {{R"({"a":1,"b":2})", "/b is not null"}}},
      {R"({"minProperties":1,"maxProperties":2})",
       {R"({"a":1})"},
       {{"{}", " has fewer than 1 members"}, {R"({"a":1,"b":2,"c":3})", " has more than 2 members"}}},
      {R"({"propertyNames":{"pattern":"^[a-z]+$","maxLength":3}})",
       {R"({"abc":1})", "{}", "7"},
       {{R"({"abcd":1})", " has a member whose name is not allowed"},
        {R"({"A":1})", " has a member whose name is not allowed"}}},
      {R"({"dependencies":{"card":["owner"],"a":{"required":["b"]},"n":false}})",
       {R"({"card":1,"owner":2})", R"({"a":1,"b":2})", "{}"},
       {{R"({"card":1})", " is missing: owner"}, {R"({"a":1})", " is missing: b"}, {R"({"n":1})", " is not allowed"}}},
      {R"({"allOf":[{"type":"string"},{"minLength":2},{"type":"string"}]})",
       {R"("ab")"},
       {{"1", " is not a string"}, {R"("a")", " is shorter than 2 characters"}}},
      {R"({"allOf":[{"minLength":2},{"pattern":"b"},{"required":["x"]}],"oneOf":[{"const":"ab"}],"items":false})",
       {R"("ab")"},
       {{R"("a")",
         " is shorter than 2 characters;  does not match the pattern b;  does not have exactly one of the forms that "
         "are allowed"},
        {"[1]", " does not have exactly one of the forms that are allowed; /0 is not allowed"}}},
      {R"({"anyOf":[{"type":"string"},{"properties":{"a":{"anyOf":[{"type":"null"}]}},"required":["a"]}]})",
       {R"("x")", R"({"a":null})"},
       {{R"({"a":1})", " has none of the forms that are allowed"}}},
      {R"({"oneOf":[{"type":"integer"},{"minimum":2}]})",
       {"1", "2.5", R"("x")"},
       {{"3", " does not have exactly one of the forms that are allowed"},
        {"1.5", " does not have exactly one of the forms that are allowed"}}},
      {R"({"not":{"type":"null"}})", {"1"}, {{"null", " has a form that is not allowed"}}},
      {R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"properties":{"c":{"type":"null"}}}})",
       {R"({"a":1,"b":1})", R"({"c":null})"},
       {{R"({"a":1})", " is missing: b"}, {R"({"c":1})", "/c is not null"}}},
      {R"({"then":false,"else":false})", {"1"}, {}},
      {R"({"else":{"const":2},"if":{"type":"string"}})", {R"("x")", "2"}, {{"3", " is not the one allowed value"}}},
      {R"({"format":"password"})", {R"("x")"}, {}},
      {R"({"format":"e-mail"})", {R"("x")"}, {}},
  };
  for (const auto& [schema, good, bad] : rows) {
    CAPTURE(schema);
    for (const auto& data : good) {
      CAPTURE(data);
      CHECK(faults(schema, data).empty());
    }
    for (const auto& [data, expected] : bad) {
      CAPTURE(data);
      CHECK(faults(schema, data) == expected);
    }
  }
}

TEST_CASE("schema: formats") {
  struct Row {
    std::string_view format;
    std::vector<std::string> good;
    std::vector<std::string> bad;
  };
  const Row rows[] = {
      {"date", {"2024-02-29", "0001-01-01"}, {"2023-02-29", "2024-13-01", "2024-1-1", "24-01-01", "2024-04-31", ""}},
      {"time", {"23:59:60Z", "00:00:00.123+09:00", "12:00:00z"}, {"24:00:00Z", "12:00:00", "12:00Z", "12:00:00+24:00"}},
      {"date-time",
       {"2024-02-29T00:00:00Z", "2024-01-01t00:00:00.5-03:30"},
       {"2024-02-30T00:00:00Z", "2024-01-01", "x"}},
      {"email", {"a@b.c", "a.b+c_d@example.co.kr"}, {"a", "@b", "a@", "a@b@c", ".a@b", "a..b@c", "a b@c", "a@-b"}},
      {"hostname", {"a", "a-b.c", std::string(63, 'a')}, {"", "-a", "a-", "a..b", "a_b", std::string(64, 'a'), "a."}},
      {"ipv4", {"1.2.3.4", "255.255.255.255"}, {"1.2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4\\u0000", "::1", "1.2.3.4 "}},
      {"ipv6", {"::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"}, {"1.2.3.4", "::1%eth0", ":::", "g::"}},
      {"uri",
       {"https://u@e.com:8/p?q=1#f", "mailto:a@b", "urn:x:y", "http://[::1]/", "file:///a"},
       {"/a", "a b:c", "http://a b", "//x", "", "http://a/%4", "1a:b"}},
      {"uri-reference",
       {"/a", "a/b:c", "#f", "?q", "", "//host/p", "https://e.com"},
       {"a b", "%", "\\\\\\\\x", "1a:b"}},
      {"uuid", {"01234567-89ab-cdef-0123-456789ABCDEF"}, {"0123456789abcdef0123456789abcdef", "x"}},
      {"json-pointer", {"", "/", "/a~0b/~1/한"}, {"a", "/~", "/~2", "#/a"}},
      {"regex", {"^a+$", ""}, {"(", "(?=a)"}},
  };
  for (const auto& [format, good, bad] : rows) {
    CAPTURE(format);
    const auto schema = Schema::compile(fmt::format(R"({{"format":"{}"}})", format));
    REQUIRE(schema);
    CHECK(schema->check("7").empty());
    for (const auto& text : good) {
      CAPTURE(text);
      CHECK(told(schema->check('"' + text + '"')).empty());
    }
    for (const auto& text : bad) {
      CAPTURE(text);
      CHECK(told(schema->check('"' + text + '"')).starts_with(" is n"));
    }
  }
}

TEST_CASE("schema: what is no schema of draft-07, or is not supported, is refused with a reason") {
  const std::pair<std::string, std::string_view> rows[] = {
      {"", "cannot be read as JSON: The document is empty. (at byte 0)"},
      {"{", "cannot be read as JSON: "},
      {"{}\0{}"s, "cannot be read as JSON: "},
      {"7", "a schema must be an object or a boolean"},
      {"[]", "a schema must be an object or a boolean"},
      {R"({"properties":{"a":7}})", "at /properties/a: a schema must be an object or a boolean"},
      {R"({"$schema":"http://json-schema.org/draft-04/schema#"})", "\"$schema\" is not draft-07, the only one known"},
      {R"({"$schema":7})", "\"$schema\" is not draft-07"},
      {R"({"$ref":"http://example.com/a"})", R"("$ref": "http://example.com/a" leads to another document)"},
      {R"({"$ref":"other.json#/a"})", "leads to another document"},
      {R"({"$ref":"#/definitions/a"})", R"("$ref": "#/definitions/a" leads to no schema)"},
      {R"({"properties":{"a":{"$ref":"#/properties"}}})", "leads to no schema"},
      {R"({"enum":[{}],"items":{"$ref":"#/enum/0"}})", "leads to no schema"},
      {R"({"allOf":[{}],"items":{"$ref":"#/allOf/00"}})", "leads to no schema"},
      {R"({"$ref":"#name"})", "leads to no schema"},
      {R"({"$ref":7})", "a \"$ref\" must be a string"},
      {R"({"$ref":"#"})", "a \"$ref\" leads back to a schema that it is part of"},
      {R"({"properties":{"child":{"$ref":"#"}}})", "leads back"},
      {R"({"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}})", "leads back"},
      {R"({"definitions":{"a":{"items":{"$ref":"#/definitions/a"}}},"$ref":"#/definitions/a"})", "leads back"},
      {R"s({"properties":{"a":{"pattern":"(?=x)"}}})s",
       "at /properties/a: \"pattern\" is no regular expression that RE2 knows: invalid perl operator: (?="},
      {R"s({"pattern":"(a)\\1"})s", "RE2"},
      {R"({"pattern":7})", "\"pattern\" must be a string"},
      {R"s({"definitions":{"unused":{"pattern":"("}}})s", "at /definitions/unused: \"pattern\""},
      {R"({"patternProperties":{}})", "\"patternProperties\" is not supported"},
      {R"({"items":{"$id":"http://example.com/"}})", "at /items: an \"$id\" below the root is not supported"},
      {R"({"required":7})", "\"required\" must be a list of different strings"},
      {R"({"required":["a","a"]})", "\"required\" must be"},
      {R"({"type":"text"})", "\"type\" must be the name of a type, or a list of them"},
      {R"({"type":[]})", "\"type\" must be"},
      {R"({"type":7})", "\"type\" must be"},
      {R"({"enum":7})", "\"enum\" must be a list of values"},
      {R"({"minimum":"7"})", "\"minimum\" must be a number"},
      {R"({"multipleOf":0})", "\"multipleOf\" must be a number above 0"},
      {R"({"multipleOf":-1})", "\"multipleOf\" must be a number above 0"},
      {R"({"minLength":-1})", "\"minLength\" must be an integer of at least 0"},
      {R"({"maxItems":1.5})", "\"maxItems\" must be an integer of at least 0"},
      {R"({"uniqueItems":"true"})", "\"uniqueItems\" must be true or false"},
      {R"({"format":7})", "\"format\" must be a string"},
      {R"({"properties":[]})", "\"properties\" must be an object"},
      {R"({"definitions":7})", "\"definitions\" must be an object"},
      {R"({"dependencies":{"a":[7]}})", "\"dependencies\" must be made of schemas and lists of different strings"},
      {R"({"dependencies":{"a":7}})", "at /dependencies/a: a schema must be"},
      {R"({"additionalProperties":"true"})", "at /additionalProperties: a schema must be"},
      {R"({"anyOf":[]})", "\"anyOf\" must be a list of at least one schema"},
      {R"({"allOf":{}})", "\"allOf\" must be a list of at least one schema"},
      {R"({"oneOf":[7]})", "at /oneOf/0: a schema must be"},
      {R"({"not":7})", "at /not: a schema must be"},
      {R"({"type":"string","type":"null"})", "\"type\" is there twice"},
      {R"({"required":["a\u0000b"]})", "at /required: holds a NUL character"},
      {R"({"properties":{"a\u0000b":{}}})", "holds a NUL character"},
      {repeat(R"({"not":)", 65) + "{}" + repeat("}", 65), "cannot be read as JSON: nested deeper than 64 levels"},
      {"{\"title\":\"" + std::string(Schema::kMaxBytes, 'x') + "\"}", "larger than 256 KiB"},
  };
  for (const auto& [schema, reason] : rows) {
    CAPTURE(schema);
    CHECK(refusal(schema).find(reason) != std::string::npos);
  }
}
