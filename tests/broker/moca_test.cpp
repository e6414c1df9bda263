// MOCA's side as it is seen on the wire: the demo service, and a client that speaks as the published server does.
#include "moca.hpp"

#include <algorithm>
#include <set>

#include "demo/media.hpp"

using namespace harness;

namespace {

const std::string kPhoneSchema =
    R"({"$schema":"http://json-schema.org/draft-07/schema#","$id":"phone.schema.json","title":"Phone",)"
    R"("description":"A phone number to start configuration of the moca demo service","type":"object",)"
    R"("properties":{"phone":{"title":"Phone number","description":"Phone number in international format",)"
    R"("type":"string","examples":["+491711234567","+442071838750"],"pattern":"^\\+[1-9][0-9]{6,14}$"}},)"
    R"("required":["phone"]})";
const std::string kPhone = R"({"phone": "+491711234567"})";

// Of an account's contact or chat, which has one of its own.
std::string id_of(Moca& moca, const std::string& kind, const std::string& name) {
  for (const auto& item : items(moca.request("get_" + kind + "s"))) {
    if (at(item, "name") == name) return at(item, kind + "_id");
  }
  FAIL("there is no " << name);
  return {};
}

std::vector<std::string> members(const std::string& list, const std::string& name) {
  std::vector<std::string> all;
  for (const auto& item : items(list)) all.push_back(at(item, name));
  return all;
}

void check_finished(const std::string& answer) {
  CHECK(is_finished(answer));
  for (const std::string where : {"contact.", "data.contact."}) {
    CHECK(at(answer, where + "id") == "192168");
    CHECK(at(answer, where + "contact_id") == "192168");
    CHECK(at(answer, where + "name") == "Jon Doe");
    CHECK(at(answer, where + "username") == "jon.doe");
    CHECK(at(answer, where + "phone") == "+491711234567");
  }
}

void check_noise(const Moca::Media& media) {
  CHECK(media.pieces == 3);
  CHECK(media.filename == "noise.bin");
  CHECK(media.mime == "application/octet-stream");
  REQUIRE(media.bytes.size() == demo::kNoiseSize);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < media.bytes.size(); ++i) {
    wrong += static_cast<std::uint8_t>(media.bytes[i]) != demo::noise(i);
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("moca: the example flow of the API, to the letter, on both topics of it") {
  MocaScene scene;
  Moca moca(scene.world.broker, "demo", "42");
  bool by_uuid = false;
  SUBCASE("of the text") {}
  SUBCASE("of the published server") { by_uuid = true; }
  const auto configure = [&](const std::string& payload) {
    return by_uuid ? moca.configure_by_uuid(payload) : moca.configure(payload);
  };
  const std::string step = configure("{}");
  CHECK(at(step, "step") == "phone");
  CHECK(at(step, "schema") == kPhoneSchema);
  check_finished(configure(kPhone));
  // Two strangers, for whom no server asks here; then who the user is, and all that the service knows.
  const std::string strangers = moca.pushed("chats").payload;
  CHECK(strangers.find("192168") == std::string::npos);
  CHECK(at(items(moca.pushed("contacts").payload).front(), "contact_id") == "192168");
  CHECK(items(moca.pushed("contacts").payload).size() == 10);
  CHECK(items(moca.pushed("chats").payload).size() == 5);
  CHECK(items(moca.pushed("messages").payload).size() == 74);
}

TEST_CASE("moca: each request, in each of its forms, is answered") {
  MocaScene scene;
  Demo moca(scene);
  const std::string club = id_of(moca, "chat", "Book club"), echo = id_of(moca, "contact", "Echo");
  const std::string contact = moca.request("get_contact/" + echo);
  CHECK(at(contact, "name") == "Echo");
  CHECK(moca.old_request("get_contact/" + echo) == contact);
  CHECK(items(moca.request("get_contacts")).size() == 10);
  CHECK(moca.old_request("get_contacts") == moca.request("get_contacts"));
  CHECK(items(moca.request("get_chats")).size() == 5);
  CHECK(moca.old_request("get_chats") == moca.request("get_chats"));
  CHECK(at(moca.request("get_chat/" + club), "chat_type") == "ChatType.group");

  const auto newest = members(moca.request("get_messages/" + club), "message_id");
  REQUIRE(newest.size() == 25);
  CHECK(members(moca.old_request("get_messages/" + club), "message_id") == newest);
  CHECK(members(moca.old_request("get_messages/" + newest[3]), "message_id") == std::vector{newest[3]});
  // Page by page, the newest first, and each message once.
  std::vector<std::string> all = newest, page = newest;
  while (!page.empty()) {
    page =
        members(moca.request("get_messages/" + club, R"({"before":)" + all.back() + R"(,"limit":20})"), "message_id");
    all.insert(all.end(), page.begin(), page.end());
  }
  CHECK(all.size() == 60);
  CHECK(std::set(all.begin(), all.end()).size() == 60);
}

TEST_CASE("moca: a message is sent in each of the forms, answered with its id, pushed with the same, and echoed") {
  MocaScene scene;
  Demo moca(scene);
  const std::string echo = id_of(moca, "chat", "Echo"), message = R"("message":{"type":"text","content":"hi )";
  const auto said = [&](const std::string& answer, const std::string& text) {
    CAPTURE(answer);
    CHECK(text_of(answer) == text);
    CHECK(at(answer, "chat_id") == echo);
    const std::string pushed = moca.pushed("messages", contains(at(answer, "message_id"))).payload;
    CHECK(items(pushed) == std::vector{items("[" + answer + "]").front()});
    const std::string echoed = items(moca.pushed("messages", contains(quoted(text))).payload).front();
    CHECK(at(echoed, "contact_id") == id_of(moca, "contact", "Echo"));
    CHECK(text_of(echoed) == text);
  };
  said(moca.request("send_message/" + echo, "{" + message + "1\"}}"), "hi 1");
  said(moca.request("send_message", R"({"chat_id":")" + echo + "\"," + message + "2\"}}"), "hi 2");
  said(moca.request("send_message", R"({"chat_id":)" + echo + "," + message + "3\"}}"), "hi 3");
  said(moca.old_request("send_message", R"({"chat_id":)" + echo + "," + message + "4\"}}"), "hi 4");
  said(moca.request("send_message/" + echo, R"({"type":"text","content":"hi 5"})"), "hi 5");
}

TEST_CASE("moca: media arrive byte for byte, in pieces") {
  MocaScene scene;
  Demo moca(scene);
  const std::string gallery = id_of(moca, "chat", "Gallery");
  std::string document;
  for (const auto& message : items(moca.request("get_messages/" + gallery))) {
    if (at(message, "message.type") == "document") document = message;
  }
  const std::string place = "chats/" + gallery + "/messages/" + at(document, "message_id");
  CHECK(at(document, "message.url") == "/" + place + "/media");
  check_noise(moca.get_media(place + "/get_media"));
  check_noise(moca.get_media("get_media_file/noise.bin"));
  CHECK(at(moca.get_media("chats/" + gallery + "/messages/1/get_media").error, "error.code") == "404");
}

TEST_CASE("moca: an image that is sent by its URL can be had afterwards") {
  MocaScene scene;
  Demo moca(scene);
  const std::string echo = id_of(moca, "chat", "Echo");
  const std::string sent = moca.request(
      "send_message/" + echo, R"({"message":{"type":"image","url":"https://example.com/cat.jpg","content":"a cat"}})");
  CHECK(at(sent, "message.content") == "a cat");
  const auto image = moca.get_media("chats/" + echo + "/messages/" + at(sent, "message_id") + "/get_media");
  CHECK(image.error.empty());
  CHECK(image.mime == "image/bmp");
  CHECK(image.bytes.starts_with("BM"));
}

TEST_CASE("moca: the demo takes no phone number that is none") {
  MocaScene scene;
  Moca moca(scene.world.broker, "demo", "42");
  moca.configure();
  for (const std::string phone : {"", "not a phone"}) {
    const std::string again = moca.configure(R"({"phone":)" + quoted(phone) + "}");
    CHECK(at(again, "step") == "phone");
    CHECK(at(items(at(again, "errors")).front(), "pointer") == "/phone");
  }
  check_finished(moca.configure(kPhone));
}

TEST_CASE("moca: chats that are asked for are pushed, too, as the published server wants them") {
  MocaScene scene;
  Demo moca(scene);
  moca.pushed("messages");  // the history, behind the chats of the beginning
  moca.client.forget();
  const std::string answer = moca.request("get_chats");
  CHECK(moca.pushed("chats").payload == answer);
}

TEST_CASE("moca: the demo says something by itself when its configuration wants it") {
  MocaScene scene("[plugin.demo]\npush_every = 1\n");
  Demo moca(scene);
  moca.pushed("messages");  // the history
  for (int i = 0; i < 2; ++i) {
    const std::string message = items(moca.pushed("messages").payload).front();
    CHECK(at(message, "chat_id") == id_of(moca, "chat", "Clock"));
    CHECK(text_of(message).starts_with("It is "));
  }
}

TEST_CASE("moca: another configuration of a connector counts at once, also where it was configured before") {
  MocaScene scene("[plugin.demo]\npush_every = 3600\n");
  Demo moca(scene);
  moca.pushed("messages");  // the history
  const auto file = scene.world.dir / "host/botel.toml";
  std::string text = read_file(file);
  text.replace(text.find("3600"), 4, "1");
  write_file(file, text);
  CHECK(text_of(items(moca.pushed("messages").payload).front()).starts_with("It is "));
}

TEST_CASE("moca: an id that was deleted begins as if it had never been there") {
  MocaScene scene;
  Demo moca(scene);
  Demo other(scene, "43");
  const std::string first_club = id_of(moca, "chat", "Book club");
  const std::string first = moca.request("send_message/" + first_club, R"({"message":"hello"})");
  CHECK(moca.request("delete_connector") == R"({"success":true})");
  CHECK(at(moca.request("get_chats"), "error.code") == "404");
  CHECK(moca.request("delete_connector") == R"({"success":true})");
  CHECK(items(other.request("get_chats")).size() == 5);
  CHECK(at(moca.configure(), "step") == "phone");
  CHECK(at(moca.request("get_chats"), "error.code") == "409");
  CHECK(moca.old_request("delete") == R"({"success":true})");
  Demo again(scene);
  const std::string club = id_of(again, "chat", "Book club");
  CHECK(club != first_club);
  const auto messages = items(again.request("get_messages/" + club));
  CHECK(std::ranges::count_if(messages, [](const auto& message) { return text_of(message) == "hello"; }) == 0);
  CHECK(at(again.request("send_message/" + club, R"({"message":"hello"})"), "message_id") != at(first, "message_id"));
}

TEST_CASE("moca: a request that comes again is done once, and answered each time with the same") {
  MocaScene scene;
  Puppet moca(scene);
  const std::string topic = moca.topic(kTell);
  const std::string first = moca.ask(topic, told("hello"));
  CHECK(moca.ask(topic, told("hello")) == first);
  const std::string next = moca.ask(topic, told("hello again"));
  CHECK(text_of(next) == "hello again");
  moca.pushed("messages", contains(at(next, "message_id")));
  int pushed = 0;
  for (const auto& message : moca.client.received()) {
    pushed += message.topic.ends_with("/messages") && contains("\"hello\"")(message.payload) ? 1 : 0;
  }
  CHECK(pushed == 1);
}

TEST_CASE("moca: while a connector works keepalives are sent") {
  MocaScene scene;
  Puppet moca(scene);
  const std::string go = (scene.world.dir / "go").string();
  const std::string busy = moca.send(kTell, told("until " + go));
  CHECK(moca.client.expect(busy + "/keepalive", {}, "a keepalive").payload == "{}");
  let_go(go);
  CHECK(text_of(moca.answer(busy)).starts_with("until"));
}

TEST_CASE("moca: a connector that never answers is answered for, and goes on") {
  MocaScene scene("[moca]\nanswer_timeout = 0.3\n");
  Puppet moca(scene);
  const std::string silent = moca.send(kTell, told("nothing"));
  CHECK(at(moca.answer(silent), "error.code") == "504");
  CHECK(text_of(moca.request(kTell, told("still there"))) == "still there");
}

TEST_CASE("moca: a connector that fails is answered for, and one that answers later is waited for") {
  MocaScene scene;
  Puppet moca(scene);
  const std::string failed = moca.request(kTell, told("fail s3cr3t-word"));
  CHECK(at(failed, "error.code") == "500");
  CHECK(text_of(moca.request(kTell, told("in 50"))) == "late");
  Moca stranger(scene.world.broker, "puppet", "8");
  stranger.configure();
  CHECK(at(stranger.configure(R"({"user":"stranger","password":"x"})"), "error.code") == "500");
  CHECK(at(stranger.configure(), "step") == "login");
}
