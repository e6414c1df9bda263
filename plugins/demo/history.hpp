// The people and the chats of the demo service, and what was said before anybody came. The same for every account, but
// for the ids.
#pragma once

#include <botel/ids.hpp>
#include <botel/items.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace demo {

// The user's own contact, whose id is the one of MOCA's example in every account.
inline constexpr std::int64_t kUser = 192168;

// What all other ids are made of. Contacts:
enum Person : std::int64_t {
  kEcho = 1,  // answers what is sent to it
  kGallery,   // has sent a message of each type
  kClock,     // tells the time now and then
  kAlice,
  kBob,
  kCarol,
  kDave,
  kErin,
  kFrank,
  kGrace
};
// Chats:
enum Room : std::int64_t { kEchoChat = 101, kGalleryChat, kClockChat, kClub, kFamily };
// And messages, of which nothing else is remembered: where it is, what kind it is, and which one.
struct MessageKey {
  Room chat;
  botel::Content::Type type;
  std::int64_t index;  // from 0 on; those of the history come first

  std::int64_t number() const;
  // Nothing: it is no message's number.
  static std::optional<MessageKey> of(std::int64_t number);
};

// Ten, and the user's own contact is none of them.
std::vector<botel::Contact> contacts(const botel::Ids& ids);
std::vector<botel::Chat> chats(const botel::Ids& ids);
std::vector<botel::ChatMessage> history(const botel::Ids& ids);

// Which chat an id is of; nothing: there is none.
std::optional<Room> chat_of(const botel::Ids& ids, const botel::GivenId& id);

}  // namespace demo
