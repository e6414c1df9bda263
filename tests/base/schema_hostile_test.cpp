// Schemas and data that mean no good, or are not what they seem. What took for ever once would run into the time limit.
#include <doctest/doctest.h>

#include <random>

#include "base/json.hpp"
#include "base/schema_words.hpp"

using botel::Schema;
using namespace std::string_literals;

namespace {

// {"$ref": "#/definitions/0"}, where each definition refers to the next one `fan` times.
std::string laughs(int definitions, int fan) {
  std::string text = R"({"$ref":"#/definitions/0","definitions":{)";
  for (int i = 0; i < definitions; ++i) {
    text += fmt::format(R"("{}":{{"allOf":[{{}})", i);
    for (int j = 0; j < fan; ++j) text += fmt::format(R"(,{{"$ref":"#/definitions/{}"}})", i + 1);
    text += "]},";
  }
  return text + fmt::format(R"("{}":{{"type":"null"}}}}}})", definitions);
}

}  // namespace

TEST_CASE("schema: a property may be called like a keyword, and a value look like a schema") {
  const auto* const schema = R"({
    "properties": {
      "pattern": {"type": "string", "pattern": "^p$"},
      "$ref": {"type": "string"},
      "patternProperties": {"format": "date"},
      "properties": {"properties": {"required": {"const": {"pattern": "("}}}}
    },
    "dependencies": {"format": {"required": ["pattern"]}},
    "enum": [{"pattern": "p"}, {"pattern": "q"}, {"$ref": 7}, {"$ref": "#/nowhere"}, {"format": 1},
             {"properties": {"required": {"pattern": "("}}}, {"patternProperties": "2024-01-01"}],
    "default": {"pattern": "(", "$ref": "#/nowhere"},
    "examples": [{"pattern": 7}],
    "x-mine": {"pattern": 7}
  })";
  CHECK(faults(schema, R"({"pattern":"p"})").empty());
  CHECK(faults(schema, R"({"patternProperties":"2024-01-01"})").empty());
  CHECK(faults(schema, R"({"properties":{"required":{"pattern":"("}}})").empty());
  CHECK(faults(schema, R"({"$ref":"#/nowhere"})").empty());
  CHECK(faults(schema, R"({"pattern":"q"})") == "/pattern does not match the pattern ^p$");
  CHECK(faults(schema, R"({"$ref":7})") == "/$ref is not a string");
  CHECK(faults(schema, R"({"format":1})") == " is missing: pattern");
}

TEST_CASE("schema: references lead to any schema of the document") {
  const auto* const schema = R"({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$id": "http://example.com/root.json",
    "definitions": {"a/b ~": {"type": "null"}, "list": {"definitions": {"item": {"type": "integer"}},
                    "items": {"$ref": "#/definitions/list/definitions/item"}}, "chain": {"$ref": "#/$defs/end"},
                    "no": false},
    "$defs": {"end": {"pattern": "^x$"}},
    "properties": {
      "escaped": {"$ref": "#/definitions/a~1b%20~0", "type": "ignored beside a reference"},
      "list": {"$ref": "#/definitions/list"},
      "chain": {"$ref": "#/definitions/chain"},
      "tuple": {"items": [{"type": "string"}, {"$ref": "#/properties/tuple/items/0"}]},
      "no": {"$ref": "#/definitions/no"}
    }
  })";
  CHECK(faults(schema, R"({"escaped":null,"list":[1],"chain":"x","tuple":["a","b"]})").empty());
  CHECK(faults(schema, R"({"escaped":1,"list":[1,"x"],"chain":"y","tuple":["a",1],"no":1})") ==
        "/chain does not match the pattern ^x$; /escaped is not null; /list/1 is not an integer; /no is not allowed; "
        "/tuple/1 is not a string");
}

TEST_CASE("schema: the names of properties are not taken for the schema that a reference led to") {
  const auto* const schema = R"({"$ref":"#/definitions/a","definitions":{
    "a":{"type":"object","propertyNames":{"pattern":"^a"}, "dependencies":{"ax":{"maxProperties":1}}}}})";
  CHECK(faults(schema, R"({"ab":1})").empty());
  CHECK(faults(schema, R"({"ba":1})") == " has a member whose name is not allowed");
  CHECK(faults(schema, R"({"ax":1,"ay":1})") == " has more than 1 members");
}

TEST_CASE("schema: paths of properties with slashes are not taken for others") {
  const auto* const schema = R"({"properties":{
    "a":{"properties":{"b":{"type":"string"}}}, "x":{"$ref":"#/properties/a/properties/b"},
    "a/properties/b":{"type":"integer"}}})";
  CHECK(faults(schema, R"({"a/properties/b":1,"x":"s","a":{"b":"s"}})").empty());
}

TEST_CASE("schema: data beyond the limits is a fault, whatever the schema says") {
  const auto long_text = repeat("한", 1'025);
  const std::pair<std::string, std::string> rows[] = {
      {'"' + repeat("한", 1'024) + '"', ""},
      {"[\"" + long_text + "\"]", "/0 is longer than 1024 characters"},
      {"{\"" + repeat("n", 1'024) + "\":1}", ""},
      {R"({"a":{")" + long_text + R"(":1}})", "/a has a member whose name is longer than 1024 characters"},
      {repeat("[", 16) + repeat("]", 16), ""},
      {repeat("[", 17) + repeat("]", 17), repeat("/0", 16) + " is nested deeper than 16 levels"},
      {repeat(R"({"a":)", 17) + "1" + repeat("}", 17), repeat("/a", 16) + " is nested deeper than 16 levels"},
      {repeat("[", 100'000), " cannot be read as JSON: nested deeper than 64 levels"},
      {R"({"a":1,"b":{"c":1,"c":2}})", "/b/c is there twice"},
      {"", " cannot be read as JSON: The document is empty. (at byte 0)"},
      {"{} x", " cannot be read as JSON: The document root must not be followed by other values. (at byte 3)"},
      {"1\0"s, " cannot be read as JSON: bytes behind the end (at byte 1)"},
      {R"("\udc00")", " cannot be read as JSON: half a surrogate pair in a string"},
      {"1.8e308", " cannot be read as JSON: a number is out of range"},
      {"0e-30", ""},
      {"1e999", " cannot be read as JSON: Number too big to be stored in double. (at byte 0)"},
  };
  for (const auto& [data, expected] : rows) {
    CAPTURE(data.substr(0, 100));
    CHECK(faults("true", data) == expected);
  }
}

TEST_CASE("schema: faults say nothing of the data") {
  const auto* const schema = R"({
    "allOf": [{"type": "null"}, {"enum": [1]}, {"const": 2}, {"not": {}}, {"anyOf": [false, {"maxLength": 1}]},
              {"oneOf": [false, {"format": "ipv4"}]}, {"pattern": "^$"}, {"format": "date"}, {"maxLength": 1},
              {"multipleOf": 7}, {"minimum": 99999999}, {"items": {"type": "null"}}, {"uniqueItems": true},
              {"contains": false}, {"propertyNames": {"maxLength": 1}}, {"maxProperties": 0}, {"maxItems": 0},
              {"required": ["missing"]}, {"if": true, "then": {"type": "null"}}]})";
  const auto compiled = Schema::compile(schema);
  REQUIRE(compiled);
  for (const auto* data : {R"("s3cret")", "5353", R"(["s3cret","s3cret"])", R"({"s3cret":"s3cret"})", R"("s3cret)",
                           R"({"a":"s3cret",})", R"({"s3cret":1,"s3cret":2})", "5353.5"}) {
    CAPTURE(data);
    const auto found = compiled->check(data);
    CHECK_FALSE(found.empty());
    for (const auto& fault : found) {
      CHECK(fault.message.find("s3cret") == std::string::npos);
      CHECK(fault.message.find("5353") == std::string::npos);
    }
  }
}

TEST_CASE("schema: references that multiply are counted, and what is allowed is soon done") {
  CHECK(faults(laughs(30, 2), "1") == "refused: more than 10000 schemas, references followed");
  CHECK(faults(laughs(3, 1'000), "1") == "refused: more than 10000 schemas, references followed");
  CHECK(faults(laughs(1, 3'300), "1") == " is not null");
  CHECK(faults(laughs(10, 2), "1") == " is not null");
  CHECK(faults(laughs(10, 2), "null").empty());
}

TEST_CASE("schema: many references, each to a schema of its own, are soon followed") {
  std::string all = R"({"allOf":[{})";
  std::string definitions;
  for (int i = 0; i < 4'900; ++i) {
    all += fmt::format(R"(,{{"$ref":"#/definitions/{}"}})", i);
    definitions += fmt::format(R"({}"{}":{{}})", i == 0 ? "" : ",", i);
  }
  CHECK(faults(all + R"(],"definitions":{)" + definitions + "}}", "1").empty());
}

TEST_CASE("schema: references that make a schema deep are counted") {
  CHECK(faults(laughs(30, 1), "1") == " is not null");
  CHECK(faults(laughs(5'000, 1), "1").ends_with("schemas are nested deeper than 64 levels, references followed"));
  std::string unused = R"({"definitions":{"0":{})";
  for (int i = 1; i < 5'000; ++i) unused += fmt::format(R"(,"{}":{{"$ref":"#/definitions/{}"}})", i, i - 1);
  CHECK(faults(unused + "}}", "1").ends_with("schemas are nested deeper than 64 levels, references followed"));
}

TEST_CASE("schema: patterns and long arrays that others choke on are soon done") {
  CHECK(faults(R"s({"pattern":"^(a|a?)+$"})s", '"' + repeat("a", 1'000) + "b\"").starts_with(" does not match"));
  CHECK(faults(R"s({"items":{"pattern":"(x+x+)+y"}})s", "[\"" + repeat("x", 1'000) + "\"]").starts_with("/0 does not"));
  CHECK(faults(R"s({"pattern":"((a{100}){100}){100}"})s", "1").starts_with("refused: "));
  std::string numbers = "[0";
  for (int i = 1; i < 100'000; ++i) numbers += "," + std::to_string(i);
  CHECK(faults(R"({"uniqueItems":true})", numbers + "]").empty());
  CHECK(faults(R"({"uniqueItems":true})", numbers + ",0]") == " has the same item twice");
}

TEST_CASE("schema: no more faults are told than anyone reads") {
  const auto schema = Schema::compile(
      R"({"additionalProperties":{"items":{"type":"object","required":["a"],"properties":{"b":false}}}})");
  REQUIRE(schema);
  const auto name = repeat("n", 1'000);
  CHECK(schema->check("{\"" + name + "\":[1" + repeat(",1", 100'000) + "]}").size() == Schema::kMaxFaults);
  CHECK(schema->check("{\"" + name + "\":[{}" + repeat(",{}", 100'000) + "]}").size() == Schema::kMaxFaults);
  CHECK(schema->check("[" + repeat("[[],[],{\"a\":1,\"a\":2}],", 1'000) + "1]").size() == Schema::kMaxFaults);
}

TEST_CASE("schema: whatever schemas and data are made of, there is an answer") {
  const std::string pieces[] = {"{",
                                "}",
                                "[",
                                "]",
                                ",",
                                ":",
                                "7",
                                "-1",
                                "1e300",
                                "true",
                                "false",
                                "null",
                                "\"a\"",
                                "\"type\":",
                                "\"string\"",
                                "\"pattern\":",
                                "\"(\"",
                                "\"items\":",
                                "{}",
                                "[{}]",
                                "\"$ref\":",
                                "\"#\"",
                                "\"#/definitions/a\"",
                                "\"definitions\":",
                                "\"anyOf\":",
                                "\"not\":",
                                "\"if\":",
                                "\"then\":",
                                "\"enum\":",
                                "\"format\":",
                                "\"date\"",
                                "\"required\":",
                                "[\"a\"]",
                                "\"properties\":",
                                "\"dependencies\":",
                                "\"multipleOf\":",
                                "0",
                                "\"propertyNames\":",
                                "\"\\u0000\"",
                                "\xff"};
  const std::string seeds[] = {
      R"({"type":"object","properties":{"a":{"$ref":"#/definitions/a"}},"definitions":{"a":{"type":["string","null"],"pattern":"^a+$"}}})",
      R"({"items":[{"enum":[1,{"a":[]}]},{"multipleOf":2}],"additionalItems":{"not":{"required":["a"]}},"uniqueItems":true})",
      R"({"if":{"contains":{"const":1}},"then":{"minItems":2},"else":{"dependencies":{"a":["b"],"c":{"minimum":1}}}})",
      R"({"anyOf":[{"propertyNames":{"maxLength":3}},{"oneOf":[{"format":"date"},true]}],"additionalProperties":false})",
      R"({"a":[1,"a",{"b":null}],"b":1.5e3,"a2":"2024-01-01"})",
      R"([1,{"a":[]},"aaa",[[[]]],18446744073709551615])"};
  std::mt19937 random(7);
  const auto pick = [&](std::size_t below) { return random() % below; };
  const auto mutated = [&] {
    std::string text = seeds[pick(std::size(seeds))];
    for (auto times = pick(5); times > 0; --times) {
      const auto at = pick(text.size() + 1);
      // Mostly a piece in the place of another token, so that much of it stays JSON.
      const auto end = std::min(text.find_first_of(",:{}[]", at), text.size());
      text.replace(at, pick(2) == 0 ? end - at : pick(3), pieces[pick(std::size(pieces))]);
    }
    return text;
  };
  int compiled = 0;
  int valid = 0;
  for (int i = 0; i < 10'000; ++i) {
    const auto schema_text = mutated();
    const auto data = mutated();
    CAPTURE(schema_text);
    CAPTURE(data);
    const auto schema = Schema::compile(schema_text);
    if (!schema) {
      CHECK_FALSE(schema.error().empty());
      continue;
    }
    ++compiled;
    const auto found = schema->check(data);
    for (const auto& fault : found) CHECK_FALSE(fault.message.empty());
    if (found.empty()) ++valid;
    if (found.empty()) CHECK(botel::json::read(data));
  }
  CHECK(compiled > 500);
  CHECK(valid > 100);
}
