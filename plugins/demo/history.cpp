#include "history.hpp"

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "media.hpp"

namespace demo {
namespace {

using botel::ChatMessage;
using botel::Content;
using botel::Id;
using botel::Ids;
using namespace std::chrono_literals;

constexpr int kClubMessages = 60;
constexpr botel::Time kBeginning = std::chrono::sys_days(2024y / 5 / 1) + 9h;

// Numbers of messages begin here, and have so many chats and types between two of them.
constexpr std::int64_t kFirstMessage = 1000, kChats = 8, kTypes = 16;

// Messages in the making, in the order in which they were sent.
class Script {
 public:
  explicit Script(const Ids& ids) : ids_(ids) {}

  void say(Room chat, const Id& contact, Content content) {
    const auto index = static_cast<std::int64_t>(messages_.size());
    const MessageKey key{chat, content.type, index};
    messages_.push_back({ids_.of(key.number()), ids_.of(chat), contact, kBeginning + index * 1min, std::move(content)});
  }
  void say(Room chat, Person person, Content content) { say(chat, ids_.of(person), std::move(content)); }
  std::vector<ChatMessage> messages() && { return std::move(messages_); }

 private:
  const Ids& ids_;
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
  constexpr std::array kMembers{kAlice, kBob, kCarol};
  for (int i = 1; i <= kClubMessages; ++i) {
    const auto member = static_cast<std::size_t>(i) % (kMembers.size() + 1);
    auto content = Content::text("message " + std::to_string(i) + " of " + std::to_string(kClubMessages));
    if (member == kMembers.size()) {
      script.say(kClub, kUser, std::move(content));
    } else {
      script.say(kClub, kMembers[member], std::move(content));
    }
  }
}

}  // namespace

std::int64_t MessageKey::number() const {
  return kFirstMessage + (index * kTypes + static_cast<std::int64_t>(type)) * kChats + (chat - kEchoChat);
}

std::optional<MessageKey> MessageKey::of(std::int64_t number) {
  if (number < kFirstMessage) return {};
  const std::int64_t rest = number - kFirstMessage, chat = rest % kChats, type = rest / kChats % kTypes;
  if (kEchoChat + chat > kFamily || type > static_cast<std::int64_t>(Content::Type::unsupported)) return {};
  return MessageKey{static_cast<Room>(kEchoChat + chat), static_cast<Content::Type>(type), rest / kChats / kTypes};
}

std::vector<botel::Contact> contacts(const Ids& ids) {
  return {
      {ids.of(kEcho), "Echo", "echo", "+447700900101"},    {ids.of(kGallery), "Gallery", "gallery", "+447700900102"},
      {ids.of(kClock), "Clock", "clock", "+447700900103"}, {ids.of(kAlice), "Alice", "alice", "+447700900111"},
      {ids.of(kBob), "Bob", "bob", "+447700900112"},       {ids.of(kCarol), "Carol", "carol", "+447700900113"},
      {ids.of(kDave), "Dave", "dave", "+447700900114"},    {ids.of(kErin), "Erin", "erin", "+447700900115"},
      {ids.of(kFrank), "Frank", "frank", "+447700900116"}, {ids.of(kGrace), "Grace"}};
}

std::vector<ChatMessage> history(const Ids& ids) {
  Script script(ids);
  show_gallery(script);
  talk_in_club(script);
  script.say(kFamily, kDave, Content::text("Who cooks on Sunday?"));
  script.say(kFamily, kErin, Content::text("Frank and Grace do."));
  script.say(kEchoChat, kEcho, Content::text("Say something!"));
  script.say(kClockChat, kClock, Content::text("Set push_every, and I tell the time."));
  return std::move(script).messages();
}

// Without their last messages, which would be others soon.
std::vector<botel::Chat> chats(const Ids& ids) {
  const auto chat = [&](Room room, const char* name, std::initializer_list<Person> people) {
    botel::Chat chat{ids.of(room), name, people.size() > 1, {kUser}};
    for (const Person person : people) chat.participants.push_back(ids.of(person));
    return chat;
  };
  return {chat(kEchoChat, "Echo", {kEcho}), chat(kGalleryChat, "Gallery", {kGallery}),
          chat(kClockChat, "Clock", {kClock}), chat(kClub, "Book club", {kAlice, kBob, kCarol}),
          chat(kFamily, "Family", {kDave, kErin, kFrank, kGrace})};
}

std::optional<Room> chat_of(const Ids& ids, const botel::GivenId& id) {
  const std::int64_t number = ids.number(id);
  if (number < kEchoChat || number > kFamily) return {};
  return static_cast<Room>(number);
}

}  // namespace demo
