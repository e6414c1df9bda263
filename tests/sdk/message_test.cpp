#include <botel/bot.hpp>
#include <botel/message.hpp>

#include <doctest/doctest.h>

#include <string>

using botel::button;
using botel::image;
using botel::Item;
using botel::list;
using botel::Rich;

namespace {

std::string pressed(const Item& item) { return item.json(); }

}  // namespace

TEST_CASE("message: the slide list with images of the protocol's text, and the echoes for newer clients") {
  const std::string pictures = "https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/";
  const auto picture = [&](const char* name, const char* title) { return image(pictures + name, title).echo(title); };
  const auto title = [](const char* title) { return botel::text(title).echo(title); };
  CHECK(
      Rich("샌드위치의 종류를 선택해 주세요")
          .slider(2, 2,
                  {picture("1.jpg", "오늘의 샌드위치"), title("오늘의 샌드위치"), picture("2.jpg", "닭가슴살 & 고구마"),
                   title("닭가슴살 & 고구마"), picture("3.jpg", "선식"), title("선식")})
          .json() ==
      R"({"t":"샌드위치의 종류를 선택해 주세요","a":[],"s":{"n":2,"p":2,"a":[{"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/1.jpg","t":"오늘의 샌드위치","e":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},{"p":"text","t":"오늘의 샌드위치","e":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},{"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/2.jpg","t":"닭가슴살 & 고구마","e":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}},{"p":"text","t":"닭가슴살 & 고구마","e":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}},{"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/3.jpg","t":"선식","e":"선식","c":{"e":"선식"}},{"p":"text","t":"선식","e":"선식","c":{"e":"선식"}}]}})");
}

TEST_CASE("message: the slide list of the protocol's text, byte for byte") {
  CHECK(
      Rich("소스를 선택해 주세요")
          .slider(4, 2, {list("발사믹"), list("오리엔탈"), list("머스타드"), list("사우전"), list("요거트")})
          .json() ==
      R"({"t":"소스를 선택해 주세요","a":[],"s":{"n":4,"p":2,"a":[{"p":"list","t":"발사믹"},{"p":"list","t":"오리엔탈"},{"p":"list","t":"머스타드"},{"p":"list","t":"사우전"},{"p":"list","t":"요거트"}]}})");
}

TEST_CASE("message: every choice has both shapes: that of the protocol's text, and that of newer clients") {
  CHECK(pressed(botel::text("hi")) == R"({"p":"text","t":"hi"})");
  CHECK(pressed(button("Go").echo("go")) == R"({"p":"button","t":"Go","e":"go","c":{"e":"go"}})");
  CHECK(pressed(button("Go").echo("")) == R"({"p":"button","t":"Go","e":"","c":{"e":""}})");
  CHECK(pressed(button("Go").style("compact").respond("yes")) ==
        R"({"p":"button","t":"Go","s":"compact","c":{"r":"yes"}})");
  CHECK(pressed(image("http://i")) == R"({"p":"image","u":"http://i"})");
  CHECK(
      pressed(image("http://i", "I").description("an i").open("http://a").echo("i")) ==
      R"({"p":"image","u":"http://i","t":"I","d":"an i","e":"i","c":{"l":{"a":"http://a"},"e":"i"},"l":{"a":"http://a"}})");
  CHECK(pressed(list("L").subtitle("l").thumbnail("http://t").call("http://u")) ==
        R"({"p":"list","t":"L","s":"l","i":"http://t","c":{"l":{"u":"http://u"}},"l":{"u":"http://u"}})");
  CHECK(pressed(list("L").call("http://u").open("http://a").respond("r").echo("e")) ==
        R"({"p":"list","t":"L","e":"e","c":{"l":{"u":"http://u","a":"http://a"},"e":"e","r":"r"},)"
        R"("l":{"u":"http://u","a":"http://a"}})");
}

TEST_CASE("message: what a choice is there for stands there even if it is empty") {
  CHECK(pressed(button("")) == R"({"p":"button","t":""})");
  CHECK(pressed(botel::text("")) == R"({"p":"text","t":""})");
  CHECK(pressed(list("")) == R"({"p":"list","t":""})");
  CHECK(pressed(image("", "")) == R"({"p":"image","u":""})");
  CHECK(pressed(button("").echo("go")) == R"({"p":"button","t":"","e":"go","c":{"e":"go"}})");
}

TEST_CASE("message: a choice with a command takes the newer shape") {
  CHECK(pressed(button("Go").echo("go").command(R"({"do":"go"})")) ==
        R"({"p":"button","t":"Go","e":"go","c":{"do":"go"}})");
  CHECK(pressed(button("Go").command("null").open("http://a")) ==
        R"({"p":"button","t":"Go","e":null,"c":null,"l":{"a":"http://a"}})");
  CHECK(pressed(list("L").command(R"("한글")").respond("r")) == R"({"p":"list","t":"L","e":null,"c":"한글","r":"r"})");
}

TEST_CASE("message: every field of a form") {
  CHECK(Item(botel::input("Name", "name")).json() == R"({"p":"form","f":"input","r":false,"t":"Name","k":"name"})");
  CHECK(Item(botel::input("Name", "name").required().value("a").preset("b")).json() ==
        R"({"p":"form","f":"input","r":true,"t":"Name","k":"name","v":"a","d":"b"})");
  CHECK(Item(botel::textarea("Why", "why", 4).preset("so")).json() ==
        R"({"p":"form","f":"textarea","r":false,"t":"Why","k":"why","ln":4,"d":"so"})");
  CHECK(
      Item(botel::select("Sauce", "sauce", {{"b", "발사믹"}, {"o", "오리엔탈"}}).required().preset("b")).json() ==
      R"({"p":"form","f":"select","r":true,"t":"Sauce","k":"sauce","d":"b","o":[{"v":"b","t":"발사믹"},{"v":"o","t":"오리엔탈"}]})");
  CHECK(Item(botel::select("One", "one", {{"v", "t"}})).json() ==
        R"({"p":"form","f":"select","r":false,"t":"One","k":"one","o":[{"v":"v","t":"t"}]})");
}

TEST_CASE("message: a text, its link, its items and a list of messages") {
  CHECK(Rich("hi").json() == R"({"t":"hi"})");
  CHECK(Rich().json() == R"({"t":""})");
  CHECK(Rich("hi").link("http://u", "Title", "image/png").json() ==
        R"({"t":"hi","l":{"d":"Title","u":"http://u","m":"image/png"}})");
  CHECK(Rich("hi").link("http://u").json() == R"({"t":"hi","l":{"u":"http://u"}})");
  CHECK(Rich("hi").file("http://u", "a.pdf", "application/pdf").json() ==
        R"({"t":"hi","l":{"d":"a.pdf","u":"http://u","m":"application/pdf","n":"a.pdf"}})");
  CHECK(Rich("hi").add(button("Yes"), botel::input("N", "n")).add(button("No")).json() ==
        R"({"t":"hi","a":[{"p":"button","t":"Yes"},{"p":"form","f":"input","r":false,"t":"N","k":"n"},)"
        R"({"p":"button","t":"No"}]})");
  CHECK(Rich("hi").add(button("Yes")).slider(1, 1, {list("L")}).json() ==
        R"({"t":"hi","a":[{"p":"button","t":"Yes"}],"s":{"n":1,"p":1,"a":[{"p":"list","t":"L"}]}})");
  CHECK(Rich("hi").slider(1, 1, {}).json() == R"({"t":"hi","a":[],"s":{"n":1,"p":1,"a":[]}})");
  CHECK(botel::Messages{Rich("one"), Rich("two")}.add(Rich("three")).json() ==
        R"([{"t":"one"},{"t":"two"},{"t":"three"}])");
  CHECK(botel::Messages{}.json() == "[]");
}

TEST_CASE("message: what JSON cannot hold as it is, is escaped") {
  const std::string nasty("\"\\/\b\n\t\x01\0<>&", 11);
  CHECK(Rich(nasty).json() == R"({"t":"\"\\/\b\n\t\u0001\u0000<>&"})");
  CHECK(Rich("헬로 😀").json() == R"({"t":"헬로 😀"})");
  CHECK(botel::json::text(botel::json::parse(Rich(nasty).json()), "t") == nasty);
}

TEST_CASE("message: what is not UTF-8 is refused, wherever it stands") {
  for (const std::string bad : {"\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    CHECK_THROWS_AS(Rich{bad}, botel::Error);
    CHECK_THROWS_AS(Rich().link(bad), botel::Error);
    CHECK_THROWS_AS(button(bad), botel::Error);
    CHECK_THROWS_AS(image(bad, "t"), botel::Error);
    CHECK_THROWS_AS(list("l").echo(bad), botel::Error);
    CHECK_THROWS_AS(list("l").open(bad), botel::Error);
    CHECK_THROWS_AS(Rich().add(botel::input(bad, "k")), botel::Error);
    CHECK_THROWS_AS(Rich().add(botel::select("s", "k", {{bad, "t"}})), botel::Error);
    CHECK_THROWS_AS(button("b").command("\"" + bad + "\""), botel::Error);
  }
}

TEST_CASE("message: a command that is not one JSON value is refused") {
  for (const std::string bad : {"", " ", "{", "order", "{}{}", "{\"a\":1},\"x\":{}", "[1,]", "\xef\xbb\xbf{}", "'a'"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(button("b").command(bad), botel::Error);
  }
  CHECK_THROWS_AS(button("b").command(std::string("{}\0,", 4)), botel::Error);
}

TEST_CASE("message: JSON that the host would refuse is refused") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(botel::json::is_json(nested(64)));
  CHECK_FALSE(botel::json::is_json(nested(65)));
  CHECK_FALSE(botel::json::is_json(nested(1'000'000)));
  CHECK(botel::json::is_json(R"({"a":"\ud83d\ude00"})"));
  for (const char* bad : {R"("\udc00")", R"("\ud800")", R"({"\udc00":1})", "1e999", "\"\x01\""}) {
    CAPTURE(bad);
    CHECK_FALSE(botel::json::is_json(bad));
  }
}
