#include "history.hpp"

#include <array>
#include <chrono>
#include <string>

#include "media.hpp"

namespace demo {
namespace {

using botel::Chat;
using botel::ChatMessage;
using botel::Contact;
using botel::Content;
using namespace std::chrono_literals;

constexpr std::int64_t kAlice = 4'102'751'347, kBob = 4'103'668'451, kCarol = 4'104'585'553, kDave = 4'105'502'659;
constexpr std::int64_t kErin = 4'106'419'763, kFrank = 4'107'336'869, kGrace = 4'108'253'971;

constexpr int kClubMessages = 60;
constexpr botel::Time kBeginning = std::chrono::sys_days(2024y / 5 / 1) + 9h;

// Messages in the making, in the order in which they were sent.
class Script {
 public:
  void say(std::int64_t chat, std::int64_t contact, Content content) {
    const auto index = static_cast<std::int64_t>(messages_.size());
    messages_.push_back({message_id(index), chat, contact, kBeginning + index * 1min, std::move(content)});
  }
  std::vector<ChatMessage> messages() && { return std::move(messages_); }

 private:
  std::vector<ChatMessage> messages_;
};

constexpr const char* kCard = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Alice\r\nTEL;TYPE=CELL:+447700900111\r\nEND:VCARD\r\n";

void show_gallery(Script& script) {
  const auto show = [&](Content content) { script.say(kGalleryChat, kGallery, std::move(content)); };
  show(Content::text("This is what a message may be: a *text*,"));
  show(Content::image("an image,"));
  show(Content::audio("audio,"));
  show(Content::voice("a voice,"));
  show(Content::video("a video,"));
  show(Content::gif("a GIF,"));
  show(Content::document("a document, with 3 MB of noise in it,"));
  show(Content::contact(kCard));
  show(Content::geo(126.9784, 37.5666));
  show(Content::unsupported());
}

// More than fits in a page.
void talk_in_club(Script& script) {
  constexpr std::array kMembers{kAlice, kBob, kCarol, kUser};
  for (int i = 1; i <= kClubMessages; ++i) {
    const auto member = kMembers[static_cast<std::size_t>(i) % kMembers.size()];
    script.say(kClub, member, Content::text("message " + std::to_string(i) + " of " + std::to_string(kClubMessages)));
  }
}

}  // namespace

std::int64_t message_id(std::int64_t index) { return 8'300'000'000'141 + index * 1'000'003; }

std::vector<Contact> contacts() {
  return {{kEcho, "Echo", "echo", "+447700900101"},    {kGallery, "Gallery", "gallery", "+447700900102"},
          {kClock, "Clock", "clock", "+447700900103"}, {kAlice, "Alice", "alice", "+447700900111"},
          {kBob, "Bob", "bob", "+447700900112"},       {kCarol, "Carol", "carol", "+447700900113"},
          {kDave, "Dave", "dave", "+447700900114"},    {kErin, "Erin", "erin", "+447700900115"},
          {kFrank, "Frank", "frank", "+447700900116"}, {kGrace, "Grace"}};
}

std::vector<ChatMessage> history() {
  Script script;
  show_gallery(script);
  talk_in_club(script);
  script.say(kFamily, kDave, Content::text("Who cooks on Sunday?"));
  script.say(kFamily, kErin, Content::text("Frank and Grace do."));
  script.say(kEchoChat, kEcho, Content::text("Say something!"));
  script.say(kClockChat, kClock, Content::text("Set push_every, and I tell the time."));
  return std::move(script).messages();
}

// Without their last messages, which would be others soon.
std::vector<Chat> chats() {
  return {{kEchoChat, "Echo", false, {kUser, kEcho}},
          {kGalleryChat, "Gallery", false, {kUser, kGallery}},
          {kClockChat, "Clock", false, {kUser, kClock}},
          {kClub, "Book club", true, {kUser, kAlice, kBob, kCarol}},
          {kFamily, "Family", true, {kUser, kDave, kErin, kFrank, kGrace}}};
}

}  // namespace demo
