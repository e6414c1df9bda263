#include "base/json_repair.hpp"

#include <doctest/doctest.h>

#include "base/json.hpp"

namespace json = botel::json;
using namespace std::string_literals;

namespace {

// The text of a JSON string, once it is repaired.
std::string text(const std::string& string) {
  const json::Repaired repaired(string);
  const auto document = json::read(repaired.text());
  REQUIRE_MESSAGE(document, string);
  return json::text(document->root);
}

}  // namespace

TEST_CASE("json repair: half a surrogate pair is U+FFFD, a whole one what it says") {
  CHECK(text(R"("hi \ud83d")") == "hi \uFFFD");
  CHECK(text(R"("\uDE00!")") == "\uFFFD!");
  CHECK(text(R"("\ud83d\ude00")") == "😀");
  CHECK(text(R"("\ud83d\ud83d\ude00\ude00")") == "\uFFFD😀\uFFFD");
  CHECK(text(R"("\ude00\ud83d")") == "\uFFFD\uFFFD");
  CHECK(text(R"("\ud83d\u0041\ud83d\n\ud83dx")") == "\uFFFDA\uFFFD\n\uFFFDx");
  CHECK(text(R"("\\ud83d \\\ud83d")") == "\\ud83d \\\uFFFD");
  CHECK(text(R"("\ud7ff\ue000")") == "\uD7FF\uE000");
}

TEST_CASE("json repair: what does not need it is not copied, and slices lead to what came") {
  const std::string good = R"({"a":"\ud83d\ude00 \\ud83d"})";
  CHECK(json::Repaired(good).text().data() == good.data());

  const std::string came =
      "\xEF\xBB\xBF"
      R"({"x":{"\ud83d": [1.50]},"y":"\ud83d"})";
  const json::Repaired repaired(came);
  const auto document = json::read(repaired.text());
  REQUIRE(document);
  CHECK(document->find("x")->raw == R"({"\ufffd": [1.50]})");
  CHECK(repaired.original(document->find("x")->raw) == R"({"\ud83d": [1.50]})");
  CHECK(repaired.original(document->find("y")->raw) == R"("\ud83d")");
  CHECK(json::read(json::Repaired(repaired.text()).text()));
}

TEST_CASE("json repair: byte order marks and NULs at the ends are taken off, and nothing else") {
  const std::string mark = "\xEF\xBB\xBF";
  for (const std::string& came : {mark + "{}", "{}" + mark, "{}\0"s, "{}\0\0\n"s, mark + " {} \0"s + mark + "\0"s}) {
    CAPTURE(came);
    CHECK(json::read(json::Repaired(came).text()));
  }
  for (const std::string& came : {"\0{}"s, "{}\0{}"s, "{\0}"s, "{" + mark + "}", "\xEF\xBB{}"s, "\0"s, mark, ""s}) {
    CAPTURE(came);
    CHECK_FALSE(json::read(json::Repaired(came).text()));
  }
}

TEST_CASE("json repair: escapes that are cut off, or none, are left to the reader") {
  for (const std::string& came : {R"("\ud83)"s, R"("\ud83")"s, R"("\ud8 3")"s, R"("\u+d83")"s, R"("\)"s, R"(\ud83d)"s,
                                  R"("\ud83d\)"s, R"("\ud83d\u)"s, R"("\ud83d\uzzzz")"s}) {
    CAPTURE(came);
    CHECK_FALSE(json::read(json::Repaired(came).text()));
  }
}
