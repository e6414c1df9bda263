#include <botel/testing.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "history.hpp"
#include "media.hpp"

using namespace std::chrono_literals;
using botel::Content;
using botel::testing::Lines;
using botel::testing::Moca;
using botel::testing::the_connector;

namespace {

const std::string kPhoneStep =
    R"(step phone: {"$schema":"http://json-schema.org/draft-07/schema#","$id":"phone.schema.json","title":"Phone",)"
    R"("description":"A phone number to start configuration of the moca demo service","type":"object",)"
    R"("properties":{"phone":{"title":"Phone number","description":"Phone number in international format",)"
    R"("type":"string","examples":["+491711234567","+442071838750"]}},"required":["phone"]})";
const std::string kFinished =
    R"(finished: {"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+491711234567"})";

struct Service {
  Moca moca;
  explicit Service(const char* config = "{}") : moca(the_connector(botel_entry_v1), config) {
    moca.set_time(std::chrono::sys_days(2026y / 1 / 2));  // after the history
  }

  Lines configure() {
    CHECK(moca.configure() == kPhoneStep);
    return moca.configure(R"({"phone":"+491711234567"})");
  }
};

// Of a line such as `answer: [...]`.
std::string json_of(const std::string& line) { return line.substr(line.find(": ") + 2); }

// The values of all members of that name in a list of objects.
std::vector<long long> numbers(const Lines& lines, const char* name) {
  REQUIRE(lines.size() == 1);
  const auto list = botel::json::parse(json_of(lines.front()));
  REQUIRE(list.IsArray());
  std::vector<long long> numbers;
  for (const auto& item : list.GetArray()) numbers.push_back(botel::json::number(item, name));
  return numbers;
}

// The message that the demo makes of the `index`th after its history.
std::string message(std::int64_t index, std::int64_t chat, std::int64_t contact, botel::Time sent,
                    const Content& content) {
  const auto id = demo::message_id(static_cast<std::int64_t>(demo::history().size()) + index);
  return botel::ChatMessage{id, chat, contact, sent, content}.json();
}

}  // namespace

TEST_CASE_FIXTURE(Service, "demo: the example of the MOCA API, to the letter; then all that there is") {
  const Lines lines = configure();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == kFinished);
  CHECK(lines[1] == "push contacts: " + botel::json::list(demo::contacts()));
  CHECK(lines[2] == "push chats: " + botel::json::list(demo::chats()));
  CHECK(lines[3] == "push messages: " + botel::json::list(demo::history()));
}

TEST_CASE_FIXTURE(Service, "demo: a phone number is whatever is a text, and nothing else") {
  moca.configure();
  CHECK(moca.configure(R"({"phone":491711234567})") == Lines{"wrong: /phone: type", kPhoneStep});
  CHECK(moca.configure(R"({"telephone":"1"})") == Lines{"wrong: required", kPhoneStep});
  CHECK(moca.configure(R"({"phone":""})").front() ==
        R"(finished: {"id":192168,"name":"Jon Doe","username":"jon.doe"})");
}

TEST_CASE_FIXTURE(Service, "demo: ten contacts, and everybody who takes part is known") {
  configure();
  const auto ids = numbers(moca.get_contacts(), "contact_id");
  CHECK(ids.size() == 10);
  CHECK(std::find(ids.begin(), ids.end(), demo::kUser) == ids.end());
  for (const botel::Chat& chat : demo::chats()) {
    CHECK(std::count(chat.participants.begin(), chat.participants.end(), botel::Id(demo::kUser)) == 1);
    for (const botel::Id& id : chat.participants) {
      CHECK(moca.get_contact(id).text().starts_with("from the directory: {\"contact_id\":" + id.text() + ",\"name\":"));
    }
  }
  CHECK(moca.get_contact("nobody") == "error 404: nothing is known by this id");
}

TEST_CASE_FIXTURE(Service, "demo: single and group chats") {
  configure();
  CHECK(moca.get_chats() == "from the directory: " + botel::json::list(demo::chats()));
  CHECK(moca.get_chat(demo::kEchoChat) ==
        R"(from the directory: {"chat_id":6200000069,"name":"Echo","chat_type":"ChatType.single",)"
        R"("participants":[192168,4100000037]})");
  CHECK(moca.get_chat(demo::kClub).text().find("ChatType.group") != std::string::npos);
  CHECK(moca.get_chat(1) == "error 404: nothing is known by this id");
}

TEST_CASE_FIXTURE(Service, "demo: ids are told apart, and no two are the same") {
  std::set<std::string> ids{std::to_string(demo::kUser)};
  for (const auto& contact : demo::contacts()) CHECK(ids.insert(contact.id.text()).second);
  for (const auto& chat : demo::chats()) CHECK(ids.insert(chat.id.text()).second);
  for (const auto& message : demo::history()) CHECK(ids.insert(message.id.text()).second);
}

TEST_CASE_FIXTURE(Service, "demo: the history is read page by page, the newest first") {
  configure();
  std::vector<long long> all;
  std::optional<botel::Id> before;
  for (const std::size_t size : {25u, 25u, 10u, 0u}) {
    const auto page = numbers(moca.get_messages(demo::kClub, before), "message_id");
    CHECK(page.size() == size);
    all.insert(all.end(), page.begin(), page.end());
    before = all.back();
  }
  CHECK(all.size() == 60);
  CHECK(std::is_sorted(all.rbegin(), all.rend()));
}

TEST_CASE_FIXTURE(Service, "demo: the gallery has a message of each of the ten types") {
  configure();
  const auto list = botel::json::parse(json_of(moca.get_messages(demo::kGalleryChat).front()));
  std::set<std::string_view> types;
  for (const auto& message : list.GetArray()) types.insert(botel::json::text(message["message"], "type"));
  CHECK(types == std::set<std::string_view>{"text", "image", "audio", "voice", "video", "gif", "document", "contact",
                                            "geo", "unsupported"});
}

TEST_CASE_FIXTURE(Service, "demo: media arrive byte for byte, and are what they say") {
  configure();
  std::map<std::string, std::string> files;
  for (const botel::ChatMessage& message : demo::history()) {
    const Lines lines = moca.get_media(message.chat, message.id);
    if (!message.content.is_media()) {
      CHECK(lines == "error 404: this message has no media");
      continue;
    }
    files[lines.text()] = moca.media();
  }
  const auto beginning = [&](const char* line, std::size_t size) { return files.at(line).substr(0, size); };
  CHECK(files.size() == 6);
  CHECK(beginning("media square.bmp image/bmp, 27702 bytes", 2) == "BM");
  CHECK(beginning("media tone.wav audio/wav, 16044 bytes", 4) == "RIFF");
  CHECK(beginning("media voice.wav audio/wav, 16044 bytes", 4) == "RIFF");
  CHECK(beginning("media bar.y4m video/x-yuv4mpeg, 147689 bytes", 9) == "YUV4MPEG2");
  CHECK(beginning("media pixel.gif image/gif, 35 bytes", 6) == "GIF89a");

  const std::string& document = files.at("media noise.bin application/octet-stream, 3000000 bytes");
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < document.size(); ++i) wrong += static_cast<std::uint8_t>(document[i]) != demo::noise(i);
  CHECK(wrong == 0);
  CHECK(demo::noise(0) == 0xAF);  // splitmix64 of 0: e220a8397b1dcdaf
  CHECK(demo::noise(7) == 0xE2);
}

TEST_CASE_FIXTURE(Service, "demo: media are found by their names, too, and only in their own chats") {
  configure();
  CHECK(moca.get_media_file("pixel.gif") == "media pixel.gif image/gif, 35 bytes");
  CHECK(moca.get_media_file("other.gif") == "error 404: this message has no media");
  CHECK(moca.get_media(demo::kClub, demo::message_id(1)) == "error 404: this message has no media");
  CHECK(moca.get_media(demo::kGalleryChat, "x") == "error 404: this message has no media");
}

TEST_CASE_FIXTURE(Service, "demo: what is sent to the echo comes back") {
  configure();
  const auto echoed = [&](std::int64_t index, const Content& content) {
    const std::string sent = message(index, demo::kEchoChat, demo::kUser, moca.time(), content);
    const std::string echo = message(index + 1, demo::kEchoChat, demo::kEcho, moca.time(), content);
    return Lines{"answer: " + sent, "push messages: [" + sent + "]", "push messages: [" + echo + "]"};
  };
  CHECK(moca.send(demo::kEchoChat, "안녕") == echoed(0, Content::text("안녕")));
  moca.advance(1min);
  CHECK(moca.send(demo::kEchoChat, Content::geo(1.5, 2)) == echoed(2, Content::geo(1.5, 2)));
  CHECK(numbers(moca.get_messages(demo::kEchoChat, {}, 4), "contact_id") ==
        std::vector<long long>{demo::kEcho, demo::kUser, demo::kEcho, demo::kUser});
}

TEST_CASE_FIXTURE(Service, "demo: other chats keep what is sent to them; there must be such a chat") {
  configure();
  const std::string sent = message(0, demo::kClub, demo::kUser, moca.time(), Content::text("hi"));
  CHECK(moca.send(demo::kClub, "hi") == Lines{"answer: " + sent, "push messages: [" + sent + "]"});
  CHECK(moca.send("nowhere", "hi") == "error 404: there is no such chat");
}

TEST_CASE_FIXTURE(Service, "demo: ids go on after another configuration and another version, until it is deleted") {
  configure();
  moca.send(demo::kClub, "hi");
  configure();
  moca.reload(the_connector(botel_entry_v1));
  CHECK(moca.send(demo::kClub, "hi").front() ==
        "answer: " + message(1, demo::kClub, demo::kUser, moca.time(), Content::text("hi")));
  CHECK(moca.remove() == "deleted");
  configure();
  CHECK(moca.send(demo::kClub, "hi").front() ==
        "answer: " + message(0, demo::kClub, demo::kUser, moca.time(), Content::text("hi")));
}

TEST_CASE("demo: the clock says something every few seconds when it is told to") {
  Service service(R"({"push_every":5})");
  Moca& moca = service.moca;
  CHECK(service.configure().back() == "timer 1 in 5000 ms");
  CHECK(service.configure().size() == 4);  // the timer is not set again
  CHECK(moca.advance(4999ms) == "");
  const std::string first =
      message(0, demo::kClockChat, demo::kClock, moca.time() + 1ms, Content::text("It is 2026-01-02T00:00:05+00:00"));
  CHECK(moca.advance(1ms) == Lines{"push messages: [" + first + "]", "timer 1 in 5000 ms"});
  CHECK(moca.advance(15s).size() == 6);

  const auto with = [&](const char* config) { return moca.reload(the_connector(botel_entry_v1), config); };
  CHECK(with(R"({"push_every":0})") == "cancel timer 1");
  CHECK(moca.advance(1h) == "");
  CHECK(with(R"({"push_every":3600})") == "timer 1 in 3600000 ms");
  CHECK(with(R"({"push_every":60})") == "timer 1 in 60000 ms");
  CHECK(with(R"({"push_every":60})") == "");
  CHECK(moca.resumed(1s) == "");
}

TEST_CASE_FIXTURE(Service, "demo: without a configuration nothing is said by itself") {
  configure();
  CHECK(moca.resumed(1h) == "");
  CHECK(moca.advance(24h) == "");
}
