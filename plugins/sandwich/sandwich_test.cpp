#include <botel/testing.hpp>

#include <doctest/doctest.h>

using botel::testing::Talk;
using botel::testing::the_bot;

namespace {

// As the protocol's own examples have them, with the echo where newer clients look for it, too.
const std::string kAskSandwich =
    R"(say {"t":"샌드위치의 종류를 선택해 주세요","a":[],"s":{"n":2,"p":2,"a":[)"
    R"({"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/1.jpg","t":"오늘의 샌드위치","e":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},)"
    R"({"p":"text","t":"오늘의 샌드위치","e":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},)"
    R"({"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/2.jpg","t":"닭가슴살 & 고구마","e":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}},)"
    R"({"p":"text","t":"닭가슴살 & 고구마","e":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}},)"
    R"({"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/3.jpg","t":"선식","e":"선식","c":{"e":"선식"}},)"
    R"({"p":"text","t":"선식","e":"선식","c":{"e":"선식"}}]}})";
const std::string kAskSauce =
    R"(say {"t":"소스를 선택해 주세요","a":[],"s":{"n":4,"p":2,"a":[{"p":"list","t":"발사믹"},{"p":"list","t":"오리엔탈"},)"
    R"({"p":"list","t":"머스타드"},{"p":"list","t":"사우전"},{"p":"list","t":"요거트"}]}})";
const std::string kAskForm =
    "typing\n"
    R"(after 1000 ms: say {"t":"받으시는 분을 알려 주세요","a":[{"p":"form","f":"input","r":true,"t":"이름","k":"name"},)"
    R"({"p":"form","f":"input","r":true,"t":"전화번호","k":"phone"}]})";
const std::string kAskOrder = R"(say {"t":"선식, 머스타드 소스\n홍길동님, 01011111234","a":[)"
                              R"({"p":"button","t":"주문하기","e":"주문하기","c":{"e":"주문하기"}},)"
                              R"({"p":"button","t":"처음부터","e":"처음부터","c":{"e":"처음부터"}}]})";
const std::string kSorry = "say 죄송해요, 잘 이해하지 못했어요.\n";

struct Shop {
  Talk talk{the_bot(botel_entry_v1)};

  // Goes to the form, then to the summary.
  void choose() {
    talk.start();
    talk.message("선식");
    CHECK(talk.message("머스타드") == kAskForm);
  }
  void introduce() {
    choose();
    CHECK(talk.message("홍길동, 01011111234") == kAskOrder);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Shop, "sandwich: an order, from the greeting to the end") {
  CHECK(talk.start() == "say 안녕하세요! 샌드위치 가게입니다.\n" + kAskSandwich);
  CHECK(talk.message("선식") == kAskSauce);
  CHECK(talk.message("머스타드") == kAskForm);
  CHECK(talk.choose("", R"({"name":"홍길동","phone":"01011111234"})") == kAskOrder);
  CHECK(talk.state() ==
        R"({"step":"summary","sandwich":"선식","sauce":"머스타드","name":"홍길동","phone":"01011111234"})");
  CHECK(talk.message("주문하기") == "say 주문이 접수되었습니다. 감사합니다, 홍길동님!\nend");
  CHECK(talk.end("left") == "");
}

TEST_CASE_FIXTURE(Shop, "sandwich: the form may come as an object, as a command, or typed") {
  choose();
  SUBCASE("an object") { CHECK(talk.rich(R"({"name":"홍길동","phone":"01011111234"})") == kAskOrder); }
  SUBCASE("a command") { CHECK(talk.choose("보내기", R"({"phone":"01011111234","name":"홍길동"})") == kAskOrder); }
  SUBCASE("typed") { CHECK(talk.message("  홍길동 ,01011111234\n") == kAskOrder); }
}

TEST_CASE_FIXTURE(Shop, "sandwich: an answer that is not on the list gets the question again") {
  talk.start();
  CHECK(talk.message("피자") == kSorry + kAskSandwich);
  CHECK(talk.message("") == kSorry + kAskSandwich);
  CHECK(talk.rich(R"([{"t":"선식"}])") == kSorry + kAskSandwich);
  CHECK(talk.message(" 선식 ") == kAskSauce);
  CHECK(talk.message("선식") == kSorry + kAskSauce);
}

TEST_CASE_FIXTURE(Shop, "sandwich: a form that lacks something is asked for again") {
  choose();
  const std::string long_name(101, 'x');
  CHECK(talk.message("홍길동") == kSorry + kAskForm);
  CHECK(talk.message(" , 01011111234") == kSorry + kAskForm);
  CHECK(talk.message(long_name + ", 01011111234") == kSorry + kAskForm);
  CHECK(talk.choose("", R"({"name":"홍길동"})") == kSorry + kAskForm);
  CHECK(talk.choose("", R"({"name":7,"phone":[]})") == kSorry + kAskForm);
  CHECK(talk.choose("", "[1]") == kSorry + kAskForm);
}

TEST_CASE_FIXTURE(Shop, "sandwich: one can start over at any time, and nothing of before is kept") {
  introduce();
  CHECK(talk.message("아니요") == kSorry + kAskOrder);
  CHECK(talk.message("처음부터") == kAskSandwich);
  CHECK(talk.state() == R"({"step":"sandwich"})");
}

TEST_CASE_FIXTURE(Shop, "sandwich: after the order nothing is ordered twice") {
  introduce();
  talk.message("주문하기");
  CHECK(talk.message("주문하기") == "say 주문이 이미 접수되었습니다. 감사합니다!");
}

TEST_CASE_FIXTURE(Shop, "sandwich: two rooms of one bot do not know of each other, and a reload is not noticed") {
  choose();
  Shop other;
  other.talk.start();
  talk.reload(the_bot(botel_entry_v1));
  CHECK(talk.message("홍길동, 01011111234") == kAskOrder);
  CHECK(other.talk.message("선식") == kAskSauce);
}

TEST_CASE_FIXTURE(Shop, "sandwich: a state that is not its own begins at the sandwiches") {
  for (const char* state : {"", "{", "[]", R"({"step":5})", R"({"step":"?"})"}) {
    talk.set_state(state);
    CHECK(talk.message("선식") == kAskSauce);
  }
}

TEST_CASE_FIXTURE(Shop, "sandwich: who says nothing is bid farewell") {
  talk.start();
  CHECK(talk.timeout() == "say 기다리다 먼저 인사드립니다. 다음에 또 오세요!\nend");
}
