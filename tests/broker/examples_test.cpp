// The example messages of the protocol's text, fed as they are, and answered as they are.
#include <doctest/doctest.h>

#include <regex>

#include "harness/world.hpp"

using namespace harness;

namespace {

constexpr const char* kStart =
    R"({"jsonrpc":"2.0","id":"chatbot-28768308-e46a-490d-8772-cb6d4f54731c","method":"start","params":{"_context":{"sp":1,"app":1,"room":7,"session":104,"bot":"1"},"user":{"id":7,"identifier":"aaaa","role":"endUser","info":{}},"resPub":"s/1/a/1/t/1/res","msgSub":"s/1/a/1/u/7/r/7/u/+","msgPub":"s/1/a/1/u/7/r/7/t/1","cmdPub":"s/1/a/1/u/7/r/7/req/t/1"}})";
constexpr const char* kSandwiches =
    R"({"t":1534395332549,"m":{"t":"샌드위치의 종류를 선택해 주세요","a":[],"s":{"n":2,"p":2,"a":[{"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/1.jpg","t":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},{"p":"text","t":"오늘의 샌드위치","c":{"e":"오늘의 샌드위치"}},{"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/2.jpg","t":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}},{"p":"text","t":"닭가슴살 & 고구마","c":{"e":"닭가슴살 & 고구마"}},{"p":"image","u":"https://s3.ap-northeast-2.amazonaws.com/www.gitple.io/bot/sandwitch/3.jpg","t":"선식","c":{"e":"선식"}},{"p":"text","t":"선식","c":{"e":"선식"}}]}},"_context":{"sp":1,"app":1,"room":7,"session":104,"bot":"1"}})";
constexpr const char* kSauces =
    R"({"t":1534395335435,"m":{"t":"소스를 선택해 주세요","a":[],"s":{"n":4,"p":2,"a":[{"p":"list","t":"발사믹"},{"p":"list","t":"오리엔탈"},{"p":"list","t":"머스타드"},{"p":"list","t":"사우전"},{"p":"list","t":"요거트"}]}},"_context":{"sp":1,"app":1,"room":7,"session":104,"bot":"1"}})";
constexpr const char* kReadOne = R"({"t":1534395332562,"e":{"read":1534395332549}})";
constexpr const char* kChoice = R"({"t":1534395335361,"m":"오늘의 샌드위치","c":null})";
constexpr const char* kReadTwo = R"({"t":1534395335512,"e":{"read":1534395335435}})";
constexpr const char* kKeyIn = R"({"t":1534395306493,"e":{"keyIn":"s"}})";
constexpr const char* kEnd =
    R"({"jsonrpc":"2.0","id":"chatbot-1865b69a-39f3-43a6-aa38-c46b4de9940d","method":"end","params":{"_context":{"sp":1,"app":1,"room":7,"session":104,"bot":"1"},"user":null,"resPub":"s/1/a/1/t/1/res"}})";
constexpr const char* kMessage = R"({"t":1534424599756,"m":"헬로 123"})";

constexpr const char* kRequests = "s/1/a/1/t/1/req/t/1";
constexpr const char* kAnswers = "s/1/a/1/t/1/res";
constexpr const char* kFromUser = "s/1/a/1/u/7/r/7/u/7";
constexpr const char* kFromBot = "s/1/a/1/u/7/r/7/t/1";

constexpr const char* kShop = R"(
[[bot]]
id = "1"
name = "sandwich"
)";
constexpr const char* kEcho = R"(
[[bot]]
id = "1"
name = "echo"
)";

// A message but for its time, and for what newer programs want and the text does not know: `_sid`, and an item's echo
// in the item itself.
void check_same(const Received& said, const std::string& example) {
  const auto without_time = [](const std::string& text) { return text.substr(text.find(",\"m\":")); };
  std::string text = without_time(said.payload);
  const auto sid = text.find(R"(,"_sid":104)");
  REQUIRE(sid != std::string::npos);
  text.erase(sid, std::string(R"(,"_sid":104)").size());
  static const std::regex own_echo(R"re("e":("[^"]*"),("c":\{"e":\1\}))re");
  CHECK(std::regex_replace(text, own_echo, "$2") == without_time(example));
  CHECK(at(said.payload, "t").size() == 13);
}

}  // namespace

TEST_CASE("examples: the conversation of the text, word for word") {
  World world({.host = {.bots = kShop}});
  Client& gitple = world.client;
  gitple.publish(kRequests, kStart);
  const Received ok = gitple.expect(kAnswers);
  CHECK(ok.payload == R"({"jsonrpc":"2.0","id":"chatbot-28768308-e46a-490d-8772-cb6d4f54731c","result":"OK"})");
  gitple.expect(kFromBot);  // the greeting
  check_same(gitple.expect(kFromBot), kSandwiches);
  gitple.publish(kFromUser, kReadOne);
  gitple.publish(kFromUser, kChoice);
  check_same(gitple.expect(kFromBot), kSauces);
  gitple.publish(kFromUser, kReadTwo);
  gitple.publish(kFromUser, kKeyIn);
  world.fence();
  CHECK(gitple.unexpected("#").empty());

  gitple.publish(kRequests, kEnd);
  const Received ended = gitple.expect(kAnswers);
  CHECK(ended.payload == R"({"jsonrpc":"2.0","id":"chatbot-1865b69a-39f3-43a6-aa38-c46b4de9940d","result":"OK"})");
}

TEST_CASE("examples: a message, an end of the bot, and its answers") {
  World world({.host = {.bots = kEcho}});
  Client& gitple = world.client;
  gitple.publish(kRequests, kStart);
  gitple.expect(kAnswers);
  gitple.publish(kFromUser, kMessage);
  CHECK(at(gitple.expect(kFromBot).payload, "m") == "you said: 헬로 123");

  gitple.publish(kFromUser, R"({"t":1534424599757,"m":"/quit"})");
  const Received asked = gitple.expect("s/1/a/1/u/7/r/7/req/t/1");
  CHECK(at(asked.payload, "jsonrpc") == "2.0");
  CHECK(at(asked.payload, "method") == "end");
  CHECK(at(asked.payload, "params._context") == at(kStart, "params._context"));
  CHECK(at(asked.payload, "params.resPub") == "s/1/a/1/u/7/r/7/res");
  CHECK_FALSE(at(asked.payload, "id").empty());

  // The text's own error, whose key is broken there ("m  essage").
  gitple.publish("s/1/a/1/u/7/r/7/res", R"({"jsonrpc": "2.0", "id": )" + quoted(at(asked.payload, "id")) +
                                            R"(, "error": {"code": -32600, "m  essage": "Invalid Request"}})");
  gitple.publish(kFromUser, R"({"t":1534424599758,"m":"/transfer"})");
  const Received transfer = gitple.expect("s/1/a/1/u/7/r/7/req/t/1");
  CHECK(at(transfer.payload, "method") == "transfer");
  CHECK(at(transfer.payload, "params.type") == "agent");
  CHECK(at(transfer.payload, "params._context") == at(kStart, "params._context"));
  world.reply(transfer);
  gitple.publish(kRequests, kEnd);
  CHECK(at(gitple.expect(kAnswers).payload, "result") == "OK");
}

TEST_CASE("examples: the `user` of the text reaches the bot as it came") {
  World world;
  const std::string user =
      R"({"id":123,"identifier":"me@example.com","info":{"user":{"email":"me@example.com","phone":"01011111234","name":"myname"},"system":{"browser":{"name":"Mobile Safari","version":"11.0","major":"11"},"device":{"vendor":"Apple","model":"iPhone","type":"mobile"},"os":{"name":"iOS","version":"11.4.1"},"lang":"ko","referrerUrl":"https://gitple.io/","timezone":"+09:00 KST","ip":"1.2.3.4"}},"anonymous":true})";
  const Room room{.more = R"("user":)" + user};
  world.start(room);
  world.tell(room, "info");
  world.hear(room, R"({"context":)" + room.own_context() + R"(,"user":)" + user + "}");
}
