#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "cli/chat_message.hpp"

using namespace botel;

namespace {

// What a reader sees, a line each, and behind it what the choices send.
std::string shown(const std::string& m) {
  const auto message = cli::read_chat_message(R"({"t":1,"m":)" + m + "}");
  REQUIRE(message);
  CHECK(message->said);
  std::string text;
  for (const auto& line : message->lines) text += line + "\n";
  for (const auto& choice : message->choices) text += fmt::format("-> {} {}\n", choice.echo, choice.command);
  return text;
}

std::string shown_item(const std::string& item) { return shown(R"({"a":[)" + item + "]}"); }

const std::string kUnknown = std::string(cli::kNotUnderstood) + "\n";
const std::string kUnknownItem = "  (an item that is not understood)\n";

}  // namespace

TEST_CASE("chat: a text is shown as it is, line by line") {
  CHECK(shown(R"("hello, 1 two 3")") == "hello, 1 two 3\n");
  CHECK(shown(R"("헬로\r\n123\n")") == "헬로\n123\n\n");
  CHECK(shown(R"("")") == "\n");
}

TEST_CASE("chat: the protocol's slider of pictures and texts is a choice for each pair") {
  CHECK(shown(R"({"t":"샌드위치의 종류를 선택해 주세요","a":[],"s":{"n":2,"p":2,"a":[)"
              R"({"p":"image","u":"https://x/1.jpg","t":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},)"
              R"({"p":"text","t":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},)"
              R"({"p":"image","u":"https://x/2.jpg","t":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}},)"
              R"({"p":"text","t":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}}]}})") ==
        "샌드위치의 종류를 선택해 주세요\n"
        "  1. 오늘의 샌드위치 (https://x/1.jpg)\n"
        "  2. 닭가슴살 & 고구마 (https://x/2.jpg)\n"
        "-> 오늘의 샌드위치 null\n"
        "-> 닭가슴살 & 고구마 null\n");
}

TEST_CASE("chat: the protocol's list echoes its titles") {
  CHECK(
      shown(
          R"({"t":"소스를 선택해 주세요","a":[],"s":{"n":4,"p":2,"a":[{"p":"list","t":"발사믹"},{"p":"list","t":"오리엔탈"}]}})") ==
      "소스를 선택해 주세요\n  1. 발사믹\n  2. 오리엔탈\n-> 발사믹 null\n-> 오리엔탈 null\n");
}

TEST_CASE("chat: where an item's echo and command stand tells the older from the newer shape") {
  struct Case {
    const char* item;
    const char* sends;  // null: it is no choice
    const char* details = "";
  };
  const Case cases[] = {
      {R"({"p":"button","t":"Yes"})", "-> Yes null"},
      {R"({"p":"button","t":"Yes","c":null})", "-> Yes null"},
      {R"({"p":"button","t":"Yes","c":{}})", "-> Yes null"},
      {R"({"p":"button","t":"Yes","c":{"e":"yes, please"}})", "-> yes, please null"},
      {R"({"p":"button","t":"Yes","c":{"e":"yes","r":"r"}})", "-> yes null"},
      {R"({"p":"button","t":"Yes","e":"yes","c":{"n":1}})", R"(-> yes {"n":1})"},
      {R"({"p":"button","t":"Yes","e":null,"c":{"n":1}})", R"(->  {"n":1})"},
      {R"({"p":"button","t":"Yes","c":{"e":"yes","n":1}})", R"(-> Yes {"e":"yes","n":1})"},
      {R"({"p":"button","t":"Yes","c":"go"})", R"(-> Yes "go")"},
      {R"({"p":"button","t":"Yes","e":"yes"})", "-> yes null"},
      {R"({"p":"button","t":"Yes","e":"yes","c":{"e":"inner"}})", "-> yes null"},
      {R"({"p":"button","t":"Yes","e":"yes","c":{"l":{"a":"https://x/"},"e":"yes"},"l":{"a":"https://x/"}})",
       "-> yes null", " (https://x/)"},
      {R"({"p":"button","t":"Yes","e":null,"c":{"e":"inner"},"l":{}})", nullptr},
      {R"({"p":"button","t":"Yes","e":null})", nullptr},
      {R"({"p":"button","t":"Yes","e":null,"c":null})", nullptr},
      {R"({"p":"button","t":"Yes","c":{"e":null}})", nullptr},
      {R"({"p":"button","t":"Yes","e":"yes","c":{}})", "-> yes {}"},
      {R"({"p":"button","t":"Yes","e":"yes","c":{"l": [1, 2.50]}})", R"(-> yes {"l": [1, 2.50]})"},
  };
  for (const auto& [item, sends, details] : cases) {
    CAPTURE(item);
    CHECK(shown_item(item) == (sends ? std::string("  1. Yes") + details + "\n" + sends + "\n" : "  Yes\n"));
  }
}

TEST_CASE("chat: a command without any text is still a choice") {
  CHECK(shown_item(R"({"p":"button","c":[1]})") == "  1. button\n->  [1]\n");
}

TEST_CASE("chat: URLs are shown") {
  CHECK(shown_item(R"({"p":"button","t":"Shop","c":{"l":{"a":"https://x/"}}})") ==
        "  1. Shop (https://x/)\n-> Shop null\n");
  CHECK(shown_item(R"({"p":"button","t":"Shop","l":{"u":"https://x/"},"e":"shop"})") ==
        "  1. Shop (https://x/)\n-> shop null\n");
  CHECK(shown_item(R"({"p":"image","u":"https://x/1.jpg"})") == "  image (https://x/1.jpg)\n");
  CHECK(shown_item(R"({"p":"list","t":"A","s":"the first"})") == "  1. A (the first)\n-> A null\n");
  CHECK(shown(R"({"t":"See","l":{"d":"Our page","u":"https://x/","m":"text/html"}})") ==
        "See\n  Our page (https://x/)\n");
  CHECK(shown(R"({"l":{"n":"menu.pdf","u":"https://x/menu.pdf"}})") == "  menu.pdf (https://x/menu.pdf)\n");
  CHECK(shown(R"({"l":{"u":"https://x/"}})") == "  https://x/\n");
}

TEST_CASE("chat: a text without an echo is no choice") {
  CHECK(shown_item(R"({"p":"text","t":"one\ntwo"})") == "  one\n  two\n");
}

TEST_CASE("chat: several messages in one are numbered through, and only neighbours of two kinds are a pair") {
  CHECK(shown(R"([{"t":"A","a":[{"p":"button","t":"1st","c":{"e":"x"}},{"p":"button","t":"2nd","c":{"e":"x"}}]},)"
              R"("B",{"a":[{"p":"list","t":"3rd","c":{"e":"x"}},{"p":"text","t":"below","c":{"e":"x"}}]}])") ==
        "A\n  1. 1st\n  2. 2nd\nB\n  3. 3rd, below\n-> x null\n-> x null\n-> x null\n");
}

TEST_CASE("chat: a form has fields, and a select its options") {
  const auto message = cli::read_chat_message(
      R"({"m":{"t":"You?","a":[{"p":"form","f":"input","r":true,"t":"Name","k":"name"},)"
      R"({"p":"form","f":"select","t":"Size","k":"size","d":"m","o":[{"v":"s","t":"Small"},{"v":"m"},"Large",7,{}]},)"
      R"({"p":"form","f":"textarea","k":"note","ln":3,"v":"none"}]}})");
  REQUIRE(message);
  CHECK(message->lines == std::vector<std::string>{"You?", "  Name (required)", "  Size (else m)", "    1. Small",
                                                   "    2. m", "    3. Large", "  note (else none)"});
  REQUIRE(message->fields.size() == 3);
  CHECK(message->fields[0].required);
  CHECK(message->fields[1].options[0].value == "s");
  CHECK(message->fields[1].options[1].text == "m");
  CHECK(message->fields[2].key == "note");
}

TEST_CASE("chat: the envelope gives time, session and typing") {
  const auto says = cli::read_chat_message(R"({"t":1534424599225,"m":"x","_sid":138,"_context":{}})");
  REQUIRE(says);
  CHECK(says->time == 1534424599225);
  CHECK(says->session == "138");
  CHECK_FALSE(says->typing);

  const auto types = cli::read_chat_message(R"({"t":"x","e":{"keyIn":"s"}})");
  REQUIRE(types);
  CHECK(types->typing == true);
  CHECK_FALSE(types->said);
  CHECK_FALSE(types->time);
  CHECK(cli::read_chat_message(R"({"e":{"keyIn":"t"}})")->typing == false);
  CHECK_FALSE(cli::read_chat_message(R"({"e":{"keyIn":1}})")->typing);
}

TEST_CASE("chat: what makes no sense is said to make none") {
  for (const char* m : {"7", "true", "{}", "[]", "[[]]", "[7]", R"({"t":{}})", R"({"a":7,"s":[],"l":"x"})",
                        R"({"s":{"a":{"p":"list"}}})"}) {
    CAPTURE(m);
    CHECK(shown(m) == kUnknown);
  }
  for (const char* item : {"7", "null", "[]", "{}", R"({"p":"list"})", R"({"p":7,"t":[]})", R"({"p":"form"})",
                           R"({"p":"button","c":{"l":7}})"}) {
    CAPTURE(item);
    CHECK(shown_item(item) == kUnknownItem);
  }
  CHECK(cli::read_chat_message("{}")->lines.front() == cli::kNotUnderstood);
  CHECK(cli::read_chat_message(R"({"m":null})")->lines.front() == cli::kNotUnderstood);
  for (const char* payload : {"", "x", "[]", "7", "{\"m\":\"\xff\"}", "{\"m\":\"a\"}x"}) {
    CAPTURE(payload);
    CHECK_FALSE(cli::read_chat_message(payload));
  }
}

TEST_CASE("chat: what a bot in JavaScript has cut inside an emoji is shown") {
  CHECK(shown(R"("hi \ud83d")") == "hi \uFFFD\n");
  CHECK(cli::read_chat_message("\xEF\xBB\xBF{\"m\":\"x\"}"));
}

TEST_CASE("chat: no escape sequence gets through, wherever it stands") {
  CHECK(shown(R"("a\u001b[31mb\u0007\u0000\u009b1m\u202e")") == "a\uFFFD[31mb\uFFFD\uFFFD\uFFFD1m\uFFFD\n");
  const std::string evil = R"("\u001b]0;x\u0007\n")";
  const auto lines = shown(R"({"t":)" + evil + R"(,"l":{"d":)" + evil + R"(,"u":)" + evil + R"(},"a":[{"p":)" + evil +
                           R"(,"u":)" + evil + R"(},{"p":"list","t":)" + evil + R"(},{"p":"form","f":"select","t":)" +
                           evil + R"(,"k":"k","d":)" + evil + R"(,"o":[)" + evil + "]}]}");
  const auto end = lines.find("-> ");
  CHECK(lines.substr(0, end).find_first_of("\x1b\x07") == std::string::npos);
}
