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
using botel::testing::collisions;
using botel::testing::Lines;
using botel::testing::Moca;
using botel::testing::the_connector;

namespace {

const std::string kPhoneStep =
    R"(step phone: {"$schema":"http://json-schema.org/draft-07/schema#","$id":"phone.schema.json","title":"Phone",)"
    R"("description":"A phone number to start configuration of the moca demo service","type":"object",)"
    R"("properties":{"phone":{"title":"Phone number","description":"Phone number in international format",)"
    R"("type":"string","examples":["+491711234567","+442071838750"],"pattern":"^\\+[1-9][0-9]{6,14}$"}},)"
    R"("required":["phone"]})";
const std::string kFinished =
    R"(finished: {"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+491711234567"})";

struct Service {
  Moca moca;
  explicit Service(const char* config = "{}", const std::string& id = "42")
      : moca(the_connector(botel_entry_v1), config, id) {
    moca.set_time(std::chrono::sys_days(2026y / 1 / 2));  // after the history
  }
  // Those of the account.
  botel::Ids ids() const { return moca.own_ids(); }
  botel::Id id(std::int64_t number) const { return ids().of(number); }
  long long number(std::int64_t number) const { return std::stoll(id(number).text()); }
  // The message that the demo makes of the `index`th after its history.
  std::string message(std::int64_t index, demo::Room chat, const botel::Id& contact, botel::Time sent,
                      const Content& content) const {
    const auto size = static_cast<std::int64_t>(demo::history(ids()).size());
    const demo::MessageKey key{chat, content.type, size + index};
    return botel::ChatMessage{id(key.number()), id(chat), contact, sent, content}.json();
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

}  // namespace

TEST_CASE_FIXTURE(Service, "demo: the example of the MOCA API, to the letter; then all that there is") {
  const Lines lines = configure();
  REQUIRE(lines.size() == 4);
  CHECK(lines[0] == kFinished);
  CHECK(lines[1] == "push contacts: " + botel::json::list(demo::contacts(ids())));
  CHECK(lines[2] == "push chats: " + botel::json::list(demo::chats(ids())));
  CHECK(lines[3] == "push messages: " + botel::json::list(demo::history(ids())));
}

TEST_CASE_FIXTURE(Service, "demo: a phone number is one in international format, and nothing else") {
  moca.configure();
  CHECK(moca.configure(R"({"phone":491711234567})") == Lines{"wrong: /phone: type", kPhoneStep});
  CHECK(moca.configure(R"({"telephone":"1"})") == Lines{"wrong: required", kPhoneStep});
  for (const char* phone :
       {"", "not a phone", "01711234567", "+0171123456", "+49171", "+4917112345678901", "+49 171"}) {
    CHECK(moca.configure(botel::json::Object().text("phone", phone).json()) ==
          Lines{"wrong: /phone: pattern", kPhoneStep});
  }
  CHECK(moca.configure(R"({"phone":"+442071838750"})").front() ==
        R"(finished: {"id":192168,"name":"Jon Doe","username":"jon.doe","phone":"+442071838750"})");
}

TEST_CASE_FIXTURE(Service, "demo: ten contacts, and everybody who takes part is known") {
  configure();
  const auto ids = numbers(moca.get_contacts(), "contact_id");
  CHECK(ids.size() == 10);
  CHECK(std::find(ids.begin(), ids.end(), demo::kUser) == ids.end());
  for (const botel::Chat& chat : demo::chats(this->ids())) {
    CHECK(std::count(chat.participants.begin(), chat.participants.end(), botel::Id(demo::kUser)) == 1);
    for (const botel::Id& id : chat.participants) {
      CHECK(moca.get_contact(id).text().starts_with("from the directory: {\"contact_id\":" + id.text() + ",\"name\":"));
    }
  }
  CHECK(moca.get_contact("nobody") == "error 404: nothing is known by this id");
}

TEST_CASE_FIXTURE(Service, "demo: single and group chats") {
  configure();
  CHECK(moca.get_chats() == "from the directory: " + botel::json::list(demo::chats(ids())));
  CHECK(moca.get_chat(id(demo::kEchoChat)) ==
        R"(from the directory: {"chat_id":)" + id(demo::kEchoChat).text() +
            R"(,"name":"Echo","chat_type":"ChatType.single","participants":[192168,)" + id(demo::kEcho).text() + "]}");
  CHECK(moca.get_chat(id(demo::kClub)).text().find("ChatType.group") != std::string::npos);
  CHECK(moca.get_chat(1) == "error 404: nothing is known by this id");
}

TEST_CASE_FIXTURE(Service,
                  "demo: ids are told apart, and no two are the same, also of two accounts and two lives of one") {
  configure();
  std::set<std::string> all{std::to_string(demo::kUser)};
  for (const auto& item : moca.ids().items) CHECK(all.insert(item.id).second);
  CHECK(all.size() == 1 + 10 + 5 + 74);
  Service other("{}", "43");
  other.configure();
  CHECK(collisions(moca.ids(), other.moca.ids()) == "");
  const auto before = moca.ids();
  moca.remove();
  configure();
  CHECK(collisions(before, moca.ids()) == "");
}

TEST_CASE("demo: of a message's number all is known, and of another one nothing") {
  for (const auto room : {demo::kEchoChat, demo::kFamily}) {
    for (const auto type : {Content::Type::text, Content::Type::unsupported}) {
      for (const std::int64_t index : {0, 73, 1'000'000'000}) {
        const auto key = demo::MessageKey::of(demo::MessageKey{room, type, index}.number());
        REQUIRE(key);
        CHECK(key->chat == room);
        CHECK(key->type == type);
        CHECK(key->index == index);
      }
    }
  }
  for (const std::int64_t number : {-1, 0, 999, 1000 + 5, 1000 + 8 * 10}) CHECK_FALSE(demo::MessageKey::of(number));
}

TEST_CASE_FIXTURE(Service, "demo: the history is read page by page, the newest first") {
  configure();
  std::vector<long long> all;
  std::optional<botel::Id> before;
  for (const std::size_t size : {25u, 25u, 10u, 0u}) {
    const auto page = numbers(moca.get_messages(id(demo::kClub), before), "message_id");
    CHECK(page.size() == size);
    all.insert(all.end(), page.begin(), page.end());
    before = all.back();
  }
  std::vector<long long> expected;
  for (const auto& message : demo::history(ids())) {
    if (message.chat == id(demo::kClub)) expected.insert(expected.begin(), std::stoll(message.id.text()));
  }
  CHECK(all == expected);
}

TEST_CASE_FIXTURE(Service, "demo: the gallery has a message of each of the ten types") {
  configure();
  const auto list = botel::json::parse(json_of(moca.get_messages(id(demo::kGalleryChat)).front()));
  std::set<std::string_view> types;
  for (const auto& message : list.GetArray()) types.insert(botel::json::text(message["message"], "type"));
  CHECK(types == std::set<std::string_view>{"text", "image", "audio", "voice", "video", "gif", "document", "contact",
                                            "geo", "unsupported"});
}

TEST_CASE_FIXTURE(Service, "demo: media arrive byte for byte, and are what they say") {
  configure();
  std::map<std::string, std::string> files;
  for (const botel::ChatMessage& message : demo::history(ids())) {
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
  const auto image = [&](std::int64_t index) {
    return id(demo::MessageKey{demo::kGalleryChat, Content::Type::image, index}.number());
  };
  CHECK(moca.get_media(id(demo::kGalleryChat), image(1)) == "media square.bmp image/bmp, 27702 bytes");
  CHECK(moca.get_media(id(demo::kClub), image(1)) == "error 404: this message has no media");
  CHECK(moca.get_media(id(demo::kGalleryChat), image(74)) == "error 404: this message has no media");
  CHECK(moca.get_media(id(demo::kGalleryChat), "x") == "error 404: this message has no media");
}

TEST_CASE_FIXTURE(Service,
                  "demo: what is sent by its URL can be had afterwards, from whoever has sent it and from the echo") {
  configure();
  moca.send(id(demo::kEchoChat), Content::image("a cat", "https://example.com/cat.jpg"));
  moca.send(id(demo::kClub), Content::document("a book", "https://example.com/book.pdf"));
  const auto sent = [&](demo::Room chat, Content::Type type, std::int64_t index) {
    return moca.get_media(id(chat), id(demo::MessageKey{chat, type, 74 + index}.number()));
  };
  CHECK(sent(demo::kEchoChat, Content::Type::image, 0) == "media square.bmp image/bmp, 27702 bytes");
  CHECK(sent(demo::kEchoChat, Content::Type::image, 1) == "media square.bmp image/bmp, 27702 bytes");
  CHECK(sent(demo::kClub, Content::Type::document, 2) == "media noise.bin application/octet-stream, 3000000 bytes");
}

TEST_CASE_FIXTURE(Service, "demo: what is sent to the echo comes back") {
  configure();
  const auto echoed = [&](std::int64_t index, const Content& content) {
    const std::string sent = message(index, demo::kEchoChat, demo::kUser, moca.time(), content);
    const std::string echo = message(index + 1, demo::kEchoChat, id(demo::kEcho), moca.time(), content);
    return Lines{"answer: " + sent, "push messages: [" + sent + "]", "push messages: [" + echo + "]"};
  };
  CHECK(moca.send(id(demo::kEchoChat), "안녕") == echoed(0, Content::text("안녕")));
  moca.advance(1min);
  CHECK(moca.send(id(demo::kEchoChat), Content::geo(1.5, 2)) == echoed(2, Content::geo(1.5, 2)));
  const long long echo = number(demo::kEcho);
  CHECK(numbers(moca.get_messages(id(demo::kEchoChat), {}, 4), "contact_id") ==
        std::vector<long long>{echo, demo::kUser, echo, demo::kUser});
}

TEST_CASE_FIXTURE(Service, "demo: other chats keep what is sent to them; there must be such a chat") {
  configure();
  const std::string sent = message(0, demo::kClub, demo::kUser, moca.time(), Content::text("hi"));
  CHECK(moca.send(id(demo::kClub), "hi") == Lines{"answer: " + sent, "push messages: [" + sent + "]"});
  CHECK(moca.send("nowhere", "hi") == "error 404: there is no such chat");
}

TEST_CASE_FIXTURE(Service, "demo: ids go on after another configuration and another version, until it is deleted") {
  configure();
  moca.send(id(demo::kClub), "hi");
  configure();
  moca.reload(the_connector(botel_entry_v1));
  CHECK(moca.send(id(demo::kClub), "hi").front() ==
        "answer: " + message(1, demo::kClub, demo::kUser, moca.time(), Content::text("hi")));
  CHECK(moca.remove() == "deleted");
  configure();
  CHECK(moca.send(id(demo::kClub), "hi").front() ==
        "answer: " + message(0, demo::kClub, demo::kUser, moca.time(), Content::text("hi")));
}

TEST_CASE("demo: the clock says something every few seconds when it is told to") {
  Service service(R"({"push_every":5})");
  Moca& moca = service.moca;
  CHECK(service.configure().back() == "timer 1 in 5000 ms");
  CHECK(service.configure().size() == 4);  // the timer is not set again
  CHECK(moca.advance(4999ms) == "");
  const std::string first = service.message(0, demo::kClockChat, service.id(demo::kClock), moca.time() + 1ms,
                                            Content::text("It is 2026-01-02T00:00:05+00:00"));
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
