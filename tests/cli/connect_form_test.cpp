#include "cli/connect_form.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace botel;

namespace {

cli::ConnectForm form(const std::string& properties, const std::string& required = "") {
  auto fields = cli::read_connect_fields(R"({"properties":{)" + properties + R"(},"required":[)" + required + "]}");
  REQUIRE(fields);
  return cli::ConnectForm(std::move(*fields));
}

std::string lines(const std::vector<std::string>& all) {
  std::string text;
  for (const auto& line : all) text += line + "\n";
  return text;
}

// Of an answer that will do.
bool takes(cli::ConnectForm& form, const std::string& line) { return !form.enter(line); }

}  // namespace

TEST_CASE("connect form: what is asked says how it is to be answered") {
  struct Case {
    const char* property;
    const char* required;
    const char* prompt;
  };
  for (const auto& [property, required, prompt] :
       {Case{R"("x":{"title":"Name"})", "\"x\"", "Name: "},
        {R"("x":{"title":"Name"})", "", "Name (or nothing): "},
        {R"("x":{"title":"Name","default":"Kim"})", "\"x\"", "Name (else Kim): "},
        {R"("x":{"title":"Name","default":"Kim","writeOnly":true})", "", "Name (else its default): "},
        {R"("x":{"type":"integer","default":1883})", "", "x (a whole number, else 1883): "},
        {R"("x":{"type":"number"})", "\"x\"", "x (a number): "},
        {R"("x":{"type":"boolean"})", "\"x\"", "x (y/n): "},
        {R"("x":{"enum":["a","b"],"default":"b"})", "\"x\"", "x (1 to 2, else b): "},
        {R"("x":{"oneOf":[{"const":"a","title":"A"}],"default":"a"})", "\"x\"", "x (1 to 1, else A): "},
        {R"("x":{"type":"array"})", "", "x (JSON, or nothing): "}}) {
    CHECK(form(property, required).prompt() == prompt);
  }
  CHECK(lines(form(R"("x":{"description":"Which one?","examples":["a",1],"enum":["a",1]})").description()) ==
        "  Which one?\n  such as a, 1\n    1. a\n    2. 1\n");
}

TEST_CASE("connect form: answers become an object; what is left empty is left out or its default") {
  auto all = form(R"("name":{},"age":{"type":"integer"},"port":{"type":"integer","default":1883},"no\"te":{},)"
                  R"("tags":{"type":"array"})",
                  R"("name","port")");
  CHECK(all.enter("") == "(this must be given)");
  CHECK(all.enter("  ") == "(this must be given)");
  CHECK(takes(all, "홍길동"));
  CHECK(all.enter("ten") == "(that is no whole number)");
  CHECK(takes(all, ""));
  CHECK(takes(all, ""));
  CHECK(takes(all, "x"));
  CHECK_FALSE(all.complete());
  CHECK(all.enter("[1") == "(that is no JSON)");
  CHECK(takes(all, "[1, 2]"));
  REQUIRE(all.complete());
  CHECK(all.json() == R"({"name":"홍길동","port":1883,"no\"te":"x","tags":[1, 2]})");
}

TEST_CASE("connect form: a secret may be of spaces, and nothing is none") {
  auto secret = form(R"("x":{"writeOnly":true})", "\"x\"");
  CHECK_FALSE(takes(secret, ""));
  CHECK(takes(secret, " "));
  CHECK(secret.json() == R"({"x":" "})");
}

TEST_CASE("connect form: nothing but optional fields may be left an empty object") {
  auto optional = form(R"("x":{})");
  CHECK(takes(optional, ""));
  CHECK(optional.json() == "{}");
}

TEST_CASE("connect form: only what is wrong is asked for again") {
  auto all = form(R"("a":{"title":"A"},"b/c~":{"title":"BC"},"d":{"title":"D","type":"object"})", R"("a")");
  for (const char* line : {"1", "2", R"({"x":1})"}) REQUIRE(takes(all, line));
  CHECK(lines(all.ask_again({{"/b~1c~0", "is too short"}, {"/d/x", "is not a string"}})) ==
        "  BC: is too short\n  D /x: is not a string\n");
  CHECK(all.prompt() == "BC (or nothing): ");
  CHECK(takes(all, "22"));
  CHECK(all.prompt() == "D (JSON, or nothing): ");
  CHECK(takes(all, ""));
  CHECK(all.json() == R"({"a":"1","b/c~":"22"})");
}

TEST_CASE("connect form: where something else is wrong all is asked for again") {
  for (const char* pointer : {"", "/", "/x", "a", "/a~2"}) {
    CAPTURE(pointer);
    auto all = form(R"("a":{},"b":{})");
    REQUIRE(takes(all, "1"));
    REQUIRE(takes(all, "2"));
    CHECK(lines(all.ask_again({{"/b", "is wrong"}, {pointer, "is \x1b[31mbad"}})).find("\x1b") == std::string::npos);
    CHECK(all.field().key == "a");
    CHECK(takes(all, "3"));
    CHECK(all.field().key == "b");
  }
}

TEST_CASE("connect form: a whole object is asked for as JSON") {
  cli::ConnectForm whole(*cli::read_connect_fields("{}"));
  CHECK(whole.prompt() == "Answer (JSON): ");
  CHECK(whole.enter("7") == "(that is no JSON object)");
  CHECK(takes(whole, R"({"a": [1]})"));
  CHECK(whole.json() == R"({"a": [1]})");
}
