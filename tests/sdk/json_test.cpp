// What json.hpp promises: its getters, and that wrong use of RapidJSON fails an event and ends no host.
#include <botel/testing.hpp>

#include <rapidjson/pointer.h>

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "sdk/plain_rapidjson.hpp"

using botel::json::parse;
using botel::testing::Talk;
using rapidjson::Document;
using rapidjson::Value;

namespace {

enum Color { red };
struct Foreign {};

template <class T>
concept Comparable = requires(const Value& value, const T& other) {
  value == other;
};
static_assert(Comparable<int> && Comparable<double> && Comparable<bool> && Comparable<const char*>);
static_assert(Comparable<std::string> && Comparable<std::string_view> && Comparable<Value> && Comparable<Document>);
static_assert(!Comparable<std::nullptr_t> && !Comparable<Foreign> && !Comparable<Color>);

const char* const kJson = R"({"n":1,"d":1.5,"t":true,"s":"x","l":[1,2],"o":{"s":"y"},"z":null})";

// Uses a document in a wrong way, in its handler.
struct Clumsy : botel::Bot {
  static inline std::function<void(Document&)> use;

  void on_message(botel::Room& room, const botel::Message&) override {
    room.save("never kept");
    Document json = parse(kJson);
    use(json);
    room.say("done");
  }
};

std::string outcome(const std::function<void(Document&)>& use) {
  Talk talk(botel::bot<Clumsy>("clumsy", "1.0.0"));
  talk.set_state("before");
  Clumsy::use = use;
  std::string line = talk.message("hi").back();
  CHECK((talk.state() == "before") == (line != "say done"));
  return line;
}

}  // namespace

TEST_CASE("json: a getter gives what is there, or else what it is told") {
  const auto json = parse(kJson);
  CHECK(botel::json::text(json, "s") == "x");
  CHECK(botel::json::text(json, "n").empty());
  CHECK(botel::json::number(json, "n") == 1);
  CHECK(botel::json::number(json, "d", 7) == 7);
  CHECK(botel::json::real(json, "d") == 1.5);
  CHECK(botel::json::real(json, "n") == 1.0);
  CHECK(botel::json::real(json, "s", 0.5) == 0.5);
  CHECK(botel::json::flag(json, "t"));
  CHECK(botel::json::flag(json, "n", true));
  CHECK_FALSE(botel::json::flag(json, "nope"));
  REQUIRE(botel::json::find(json, "o") != nullptr);
  CHECK(botel::json::text(*botel::json::find(json, "o"), "s") == "y");
  CHECK(botel::json::find(json, "nope") == nullptr);
}

TEST_CASE("json: the items of what is no list are none") {
  const auto json = parse(kJson);
  long long sum = 0;
  for (const auto& item : botel::json::items(json, "l")) sum += item.GetInt();
  CHECK(sum == 3);
  CHECK(botel::json::items(parse("[true]")).size() == 1);
  CHECK(botel::json::items(json, "o").empty());
  CHECK(botel::json::items(json, "nope").empty());
  CHECK(botel::json::items(json).empty());
}

TEST_CASE("json: a getter asks no object of what is none") {
  for (const char* const text : {"null", "7", "[1]", R"("s")", "no JSON"}) {
    const auto json = parse(text);
    CHECK(botel::json::text(json, "a").empty());
    CHECK(botel::json::number(json, "a", 7) == 7);
    CHECK(botel::json::real(json, "a", 0.5) == 0.5);
    CHECK(botel::json::flag(json, "a", true));
    CHECK(botel::json::items(json, "a").empty());
  }
}

TEST_CASE("json: numbers are written as they are read, and only those that JSON has") {
  CHECK(botel::json::Object().real("a", 0.1).real("b", -2).json() == R"({"a":0.1,"b":-2.0})");
  CHECK_THROWS_AS(botel::json::Object().real("a", std::nan("")), botel::Error);
  CHECK_THROWS_AS(botel::json::Object().real("a", -std::numeric_limits<double>::infinity()), botel::Error);
}

TEST_CASE("json: wrong use fails the event, and the log says what was wrong") {
  CHECK(outcome([](Document& j) { j["nope"].SetNull(); }) == "failed: wrong use of JSON: there is no such member");
  CHECK(outcome([](Document& j) { std::as_const(j)["nope"].IsNull(); }) ==
        "failed: wrong use of JSON: there is no such member");
  CHECK(outcome([](Document& j) { j["s"].GetInt(); }) ==
        "failed: wrong use of JSON: GetInt needs data_.f.flags & kIntFlag");
  CHECK(outcome([](Document& j) { j["l"][2].IsNull(); }) ==
        "failed: wrong use of JSON: operator[] needs index < data_.a.size");
  CHECK(outcome([](Document& j) { j["n"].GetInt(); }) == "say done");
}

TEST_CASE("json: wrong use of every kind throws") {
  const std::array<std::pair<const char*, std::function<void(Document&)>>, 30> uses{{
      {"a text as a number", [](Document& j) { j["s"].GetInt64(); }},
      {"a fraction as a whole number", [](Document& j) { j["d"].GetInt(); }},
      {"a negative number as an unsigned one", [](Document&) { Value(-1).GetUint(); }},
      {"a text as a double", [](Document& j) { j["s"].GetDouble(); }},
      {"a text as a float", [](Document& j) { j["s"].GetFloat(); }},
      {"null as a text", [](Document& j) { j["z"].GetString(); }},
      {"the length of a number", [](Document& j) { j["n"].GetStringLength(); }},
      {"a number as true or false", [](Document& j) { j["n"].GetBool(); }},
      {"an object as a list", [](Document& j) { j["o"].GetArray(); }},
      {"the items of a text", [](Document& j) { j["s"].Begin(); }},
      {"the size of null", [](Document& j) { j["z"].Size(); }},
      {"the first of an object", [](Document& j) { j["o"][0].IsNull(); }},
      {"an item behind the last", [](Document& j) { j["l"][9].IsNull(); }},
      {"a list as an object", [](Document& j) { j["l"].GetObject(); }},
      {"a member of a text", [](Document& j) { j["s"]["a"].IsNull(); }},
      {"a member of null", [](Document& j) { j["z"]["a"].IsNull(); }},
      {"a search in a list", [](Document& j) { j["l"].FindMember("a"); }},
      {"a question to a number", [](Document& j) { j["n"].HasMember("a"); }},
      {"the members of true", [](Document& j) { j["t"].MemberBegin(); }},
      {"a member added to a list", [](Document& j) { j["l"].AddMember("a", 1, j.GetAllocator()); }},
      {"a member removed from a text", [](Document& j) { j["s"].RemoveMember("a"); }},
      {"a member whose name is a number", [](Document& j) { j.AddMember(Value(1), Value(2), j.GetAllocator()); }},
      {"an item added to an object", [](Document& j) { j["o"].PushBack(1, j.GetAllocator()); }},
      {"an item removed from an empty list", [](Document&) { Value(rapidjson::kArrayType).PopBack(); }},
      {"a value assigned to itself", [](Document& j) { j["o"] = j["o"]; }},
      {"a text of no bytes at nowhere", [](Document&) { Value(static_cast<const char*>(nullptr), 3u); }},
      {"a pointer that is none", [](Document& j) { rapidjson::Pointer("no slash").Get(j); }},
      {"a writer that closes what is not open",
       [](Document&) {
         rapidjson::StringBuffer buffer;
         rapidjson::Writer(buffer).EndObject();
       }},
      {"a writer that closes an object as a list",
       [](Document&) {
         rapidjson::StringBuffer buffer;
         rapidjson::Writer writer(buffer);
         writer.StartObject();
         writer.EndArray();
       }},
      {"a writer that gives a member no name",
       [](Document&) {
         rapidjson::StringBuffer buffer;
         rapidjson::Writer writer(buffer);
         writer.StartObject();
         writer.Int(1);
       }},
  }};
  for (const auto& [what, use] : uses) {
    CAPTURE(what);
    CHECK(outcome(use).starts_with("failed: wrong use of JSON: "));
  }
}

TEST_CASE("json: what is no JSON is null, and using it throws") {
  CHECK(outcome([](Document& j) { parse("{").HasMember("a"), j.SetNull(); }).starts_with("failed: "));
  CHECK(outcome([](Document& j) { j.Parse("{"), j["a"].IsNull(); }).starts_with("failed: "));
}

TEST_CASE("json: values compare with numbers and texts from both sides") {
  const auto json = parse(kJson);
  const Value &n = json["n"], &d = json["d"], &t = json["t"], &s = json["s"];
  char buffer[] = "x";
  char* const pointer = buffer;
  CHECK(bool(n == 1));
  CHECK(bool(1 == n));
  CHECK_FALSE(bool(n != 1));
  CHECK_FALSE(bool(1 != n));
  CHECK(bool(n != 2));
  CHECK(bool(n == 1u));
  CHECK(bool(n == 1ll));
  CHECK(bool(n == std::size_t{1}));
  CHECK(bool(n == short{1}));
  CHECK(bool(n == 1.0));
  CHECK(bool(d == 1.5f));
  CHECK(bool(d != 1));
  CHECK(bool(t == true));
  CHECK(bool(t != false));
  CHECK(bool(n != true));
  CHECK(bool(s == "x"));
  CHECK(bool("x" == s));
  CHECK(bool(s == pointer));
  CHECK(bool(s == std::string("x")));
  CHECK(bool(s == std::string_view("x")));
  CHECK(bool(std::string("y") != s));
  CHECK(bool(s != 1));
  CHECK(bool(n != "1"));
}

TEST_CASE("json: values compare with values") {
  const auto json = parse(kJson), same = parse(kJson);
  CHECK(bool(json == same));
  CHECK(bool(json["o"] != json["l"]));
  CHECK(bool(json["n"] == same["n"]));
  CHECK(bool(json["n"] != json));
}

TEST_CASE("json: values move in containers") {
  std::vector<Value> values;
  for (int i = 0; i < 100; ++i) values.emplace_back(i);
  values.erase(values.begin());
  CHECK(values.back().GetInt() == 99);
}

TEST_CASE("json: another file of the plugin may use RapidJSON by itself") {
  CHECK(plain_rapidjson(R"({"n":1})") == 1);
  CHECK(outcome([](Document& j) { j["nope"].GetInt(); }) == "failed: wrong use of JSON: there is no such member");
}
