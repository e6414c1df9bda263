#include "base/json.hpp"

#include <doctest/doctest.h>

namespace json = botel::json;
using namespace std::string_literals;

TEST_CASE("json: members are slices of the text, byte for byte") {
  const auto text = R"( { "id" : 12345678901234567890 , "a":{"x":[1, 2]} ,"s":"\u00e9\/" , "n":null,"l":[ 1 ,{}] } )"s;
  const auto document = json::read(text);
  REQUIRE(document);
  CHECK(document->root.is(json::Kind::object));
  CHECK(document->root.raw == text.substr(1, text.size() - 2));
  CHECK(document->members.size() == 5);
  CHECK(document->find("id")->raw == "12345678901234567890");
  CHECK(document->find("a")->raw == R"({"x":[1, 2]})");
  CHECK(document->find("s")->raw == R"("\u00e9\/")");
  CHECK(json::text(*document->find("s")) == "é/");
  CHECK(document->find("n")->is(json::Kind::null));
  CHECK(document->find("l")->raw == "[ 1 ,{}]");
  CHECK_FALSE(document->find("x"));
}

TEST_CASE("json: elements of an array are slices") {
  const auto document = json::read(R"([{"a":1} , "b,:" ,3.50,[] , true])");
  REQUIRE(document);
  REQUIRE(document->elements.size() == 5);
  CHECK(document->elements[0].raw == R"({"a":1})");
  CHECK(document->elements[1].raw == R"("b,:")");
  CHECK(document->elements[2].raw == "3.50");
  CHECK(document->elements[3].is(json::Kind::array));
  CHECK(document->elements[4].raw == "true");
}

TEST_CASE("json: the last of several members of one name counts, as in JavaScript") {
  CHECK(json::read(R"({"a":1,"a":2})")->find("a")->raw == "2");
}

TEST_CASE("json: a scalar is a document, too") {
  CHECK(json::read(" 1.50e10 ")->root.raw == "1.50e10");
  CHECK(json::read("123456789012345678901234567890")->root.raw == "123456789012345678901234567890");
  CHECK(json::read("\"x\"")->root.raw == "\"x\"");
  CHECK(json::read("[]")->root.raw == "[]");
}

TEST_CASE("json: what is not JSON is refused with a reason") {
  for (const std::string& bad : {""s,
                                 " "s,
                                 "{"s,
                                 "{]"s,
                                 "[1,]"s,
                                 "{\"a\":1,}"s,
                                 "{\"a\" 1}"s,
                                 "nul"s,
                                 "1 2"s,
                                 "1e999"s,
                                 "{}x"s,
                                 "\"\x01\""s,
                                 "\"\xff\""s,
                                 "{\"\xc3\":1}"s,
                                 "\"\xed\xa0\x80\""s,
                                 R"("\ud800")"s,
                                 R"("\udc00")"s,
                                 R"({"\udc00":1})"s,
                                 "[1:2]"s,
                                 "{,}"s}) {
    CAPTURE(bad);
    const auto document = json::read(bad);
    REQUIRE_FALSE(document);
    CHECK_FALSE(document.error().empty());
  }
}

TEST_CASE("json: bytes behind a NUL are not ignored") {
  CHECK_FALSE(json::read("{}\0{}"s));
  CHECK_FALSE(json::read("{}\0"s));
  CHECK_FALSE(json::read("\0"s));
}

TEST_CASE("json: two million brackets are an error, not a crash") {
  CHECK(json::read(std::string(2'000'000, '[')).error() == "nested deeper than 64 levels");
  CHECK(json::read(std::string(64, '[') + std::string(64, ']')));
  CHECK_FALSE(json::read(std::string(65, '[') + std::string(65, ']')));
}

TEST_CASE("json: integers are read when they fit") {
  const auto integer = [](std::string_view text) { return json::integer(json::read(text)->root); };
  CHECK(integer("1534395332549") == 1534395332549);
  CHECK(integer("-1") == -1);
  CHECK_FALSE(integer("9223372036854775808"));
  CHECK_FALSE(integer("1.5"));
  CHECK_FALSE(integer("\"1\""));
}

TEST_CASE("json: quoting escapes what JSON wants escaped, and repairs what is not UTF-8") {
  CHECK(json::quoted("헬로 \"x\" \\ \n \x01") == "\"헬로 \\\"x\\\" \\\\ \\n \\u0001\"");
  CHECK(json::quoted("a\xff") == "\"a\xEF\xBF\xBD\"");
  CHECK(json::read(json::quoted("\xed\xa0\x80 \xc3")));
}

TEST_CASE("json: UTF-8 is checked at every position") {
  CHECK(json::valid_utf8(""));
  CHECK(json::valid_utf8("12345678헬로"));
  CHECK(json::valid_utf8("\xF0\x9F\x98\x80"));
  CHECK_FALSE(json::valid_utf8("12345678\xff"));
  CHECK_FALSE(json::valid_utf8("12345678\xED\xAC"));
  CHECK_FALSE(json::valid_utf8("\xc0\x80"));
}
