#include "cli/connect_field.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <string>

using namespace botel;

namespace {

using Kind = cli::ConnectField::Kind;

std::vector<cli::ConnectField> fields(const std::string& schema) {
  auto read = cli::read_connect_fields(schema);
  REQUIRE(read);
  return std::move(*read);
}

// The one field whose schema this is.
cli::ConnectField field(const std::string& schema) {
  auto all = fields(R"({"properties":{"x":)" + schema + "}}");
  REQUIRE(all.size() == 1);
  return std::move(all.front());
}

std::string answer(const std::string& schema, const std::string& line) {
  return cli::read_connect_answer(field(schema), line).value_or("-");
}

std::string options(const std::string& schema) {
  std::string text;
  for (const auto& option : field(schema).options) text += option.value + "=" + option.text + ";";
  return text;
}

}  // namespace

TEST_CASE("connect field: the protocol's example asks for a phone number") {
  const std::string schema =
      R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"phone.schema.json","title":"Phone",)"
      R"("description":"A phone number to start configuration of the moca demo service","type":"object","properties":)"
      R"({"phone":{"title":"Phone number","description":"Phone number in international format","type":"string",)"
      R"("examples":["+491711234567","+442071838750"]}},"required":["phone"]})";
  CHECK(cli::describe_schema(schema) ==
        std::vector<std::string>{"Phone", "A phone number to start configuration of the moca demo service"});
  const auto all = fields(schema);
  REQUIRE(all.size() == 1);
  CHECK(all[0].key == "phone");
  CHECK(all[0].label == "Phone number");
  CHECK(all[0].description == "Phone number in international format");
  CHECK(all[0].examples == "+491711234567, +442071838750");
  CHECK(all[0].kind == Kind::text);
  CHECK(all[0].required);
  CHECK_FALSE(all[0].hidden);
  CHECK_FALSE(all[0].preset);
}

TEST_CASE("connect field: what is entered becomes JSON of the type that is wanted") {
  struct Case {
    const char* schema;
    const char* line;
    const char* json;
  };
  const Case cases[] = {{R"({"type":"string"})", R"( a "b" )", R"("a \"b\"")"},
                        {R"({"type":"string"})", "12", R"("12")"},
                        {R"({"type":["null","string","integer"]})", "12", R"("12")"},
                        {R"({})", "true", R"("true")"},
                        {R"({"type":"string","writeOnly":true})", " a b ", R"(" a b ")"},
                        {R"({"type":"integer"})", " -12 ", "-12"},
                        {R"({"type":"integer"})", "1.5", "-"},
                        {R"({"type":"integer"})", "012", "-"},
                        {R"({"type":"integer"})", "\"1\"", "-"},
                        {R"({"type":"integer"})", "99999999999999999999", "-"},
                        {R"({"type":"number"})", "1.50", "1.50"},
                        {R"({"type":["integer","number"]})", "1e3", "1e3"},
                        {R"({"type":"number"})", "1,5", "-"},
                        {R"({"type":"number"})", "NaN", "-"},
                        {R"({"type":"boolean"})", "Y", "true"},
                        {R"({"type":"boolean"})", "No", "false"},
                        {R"({"type":"boolean"})", "FALSE", "false"},
                        {R"({"type":"boolean"})", "1", "-"},
                        {R"({"type":"object"})", R"({"a": 1})", R"({"a": 1})"},
                        {R"({"type":"array"})", "[1", "-"},
                        {R"({"properties":{"a":{}}})", "x", "-"},
                        {R"({"type":["integer","boolean"]})", "true", "true"}};
  for (const auto& [schema, line, json] : cases) {
    CAPTURE(schema);
    CAPTURE(line);
    CHECK(answer(schema, line) == json);
  }
}

TEST_CASE("connect field: what can be one of a few is a choice, by number, text or value") {
  const std::string colours = R"({"enum":["red",2,null,{"a":1}]})";
  CHECK(options(colours) == R"("red"=red;2=2;null=null;{"a":1}={"a":1};)");
  CHECK(answer(colours, "1") == R"("red")");
  CHECK(answer(colours, "red") == R"("red")");
  CHECK(answer(colours, "2") == "2");
  CHECK(answer(colours, "5") == "-");
  CHECK(answer(colours, "") == "-");
  CHECK(options(R"({"const":"v1"})") == R"("v1"=v1;)");
  CHECK(options(R"({"oneOf":[{"const":"r","title":"Red"},{"const":7}]})") == R"("r"=Red;7=7;)");
  CHECK(options(R"({"anyOf":[{"const":"r"},{"type":"integer"}]})").empty());
  std::string many = "0";
  for (int i = 1; i <= 200; ++i) many += "," + std::to_string(i);
  CHECK(field(R"({"type":"integer","enum":[)" + many + "]}").kind == Kind::integer);
}

TEST_CASE("connect field: writeOnly and the format password are hidden") {
  CHECK(field(R"({"type":"string","writeOnly":true})").hidden);
  CHECK(field(R"({"type":"string","format":"password"})").hidden);
  CHECK(field(R"({"type":"integer","writeOnly":true})").hidden);
  CHECK_FALSE(field(R"({"type":"string","writeOnly":false,"format":"email"})").hidden);
  CHECK_FALSE(field(R"({"type":"string","writeOnly":"true"})").hidden);
}

TEST_CASE("connect field: the order is the schema's; what is required without a property comes last") {
  const auto all = fields(R"({"properties":{"b":{"title":"B"},"a":{},"b":{"title":"the last one counts"}},)"
                          R"("required":["c","a",7]})");
  REQUIRE(all.size() == 3);
  CHECK(all[0].label == "the last one counts");
  CHECK(all[1].label == "a");
  CHECK(all[1].required);
  CHECK(all[2].key == "c");
  CHECK(all[2].required);
  CHECK_FALSE(all[0].required);
}

TEST_CASE("connect field: references within the schema are followed") {
  const auto all = fields(
      R"({"$ref":"#/definitions/login","definitions":{"login":{"title":"Log in","properties":{"pin":)"
      R"({"$ref":"#/definitions/a~1b~0"}},"required":["pin"]},"a/b~":{"$ref":"#/definitions/c"},"c":{"type":"integer"}}})");
  REQUIRE(all.size() == 1);
  CHECK(all[0].kind == Kind::integer);
  CHECK(all[0].required);
}

TEST_CASE("connect field: a schema that names no property is asked for as a whole") {
  for (const char* schema :
       {"{}", R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})", R"({"properties":[]})", R"({"$ref":"#"})",
        R"({"$ref":"#/x"})", R"({"$ref":"http://x/"})", R"({"$ref":"#/a","a":{"$ref":"#/a"}})"}) {
    CAPTURE(schema);
    const auto all = fields(schema);
    REQUIRE(all.size() == 1);
    CHECK(all[0].whole);
    CHECK(cli::read_connect_answer(all[0], R"({"a":1})") == R"({"a":1})");
    CHECK_FALSE(cli::read_connect_answer(all[0], "[]"));
  }
}

TEST_CASE("connect field: no schema crashes, takes long or reaches the terminal as it is") {
  for (const char* schema : {"", "x", "[]", "null", "true", "{\"properties\":{\"\xff\":{}}}"}) {
    CAPTURE(schema);
    CHECK_FALSE(cli::read_connect_fields(schema));
    CHECK(cli::describe_schema(schema).empty());
  }
  for (const char* property : {"true", "false", "null", "7", "[]", R"({"type":7})", R"({"type":[7,[]]})",
                               R"({"title":[],"description":7,"examples":"x","enum":{},"oneOf":7,"default":null})"}) {
    CAPTURE(property);
    CHECK(field(property).kind == Kind::text);
  }
  const std::string evil = R"("\u001b]0;x\u0007\u009b\n)" + std::string(5'000, 'e') + "\"";
  const auto shown = field(R"({"title":)" + evil + R"(,"description":)" + evil + R"(,"examples":[)" + evil +
                           R"(],"enum":[)" + evil + "]}");
  for (const std::string& text : {shown.label, shown.description, shown.examples, shown.options[0].text}) {
    CHECK(text.find_first_of("\x1b\x07\n") == std::string::npos);
    CHECK(text.find("\u009b") == std::string::npos);
    CHECK(text.size() < 1'200);
  }
}

TEST_CASE("connect field: a schema that is too much is refused soon") {
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(cli::read_connect_fields(R"({"title":")" + std::string(300'000, 'x') + "\"}"));
  std::string many, same, names, chain = R"({"$ref":"#)";
  for (int i = 0; i < 20'000; ++i) {
    many += fmt::format(R"("{}":1,)", i);
    same += R"("a":1,)";
    names += fmt::format(R"("{}",)", i);
  }
  CHECK_FALSE(cli::read_connect_fields(R"({"properties":{)" + many + R"("x":1}})"));
  CHECK(cli::read_connect_fields(R"({"properties":{)" + same + R"("a":1}})")->size() == 1);
  CHECK_FALSE(cli::read_connect_fields(R"({"required":[)" + names + R"("x"]})"));
  // References without end, each through everything that there is.
  for (int i = 0; i < 20; ++i) chain += "/a";
  std::string references;
  for (int i = 0; i < 199; ++i) references += fmt::format(R"("{}":{}"}},)", i, chain);
  const std::string whole =
      R"({"properties":{)" + references + R"("x":1},"a":{"a":{"a":{"a":{"b":[)" + std::string(150'000, ' ') + "]}}}}}";
  CHECK(cli::read_connect_fields(whole)->size() == 200);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}
