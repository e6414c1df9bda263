// The people and the chats of the demo service, and what was said before anybody came. The same for every account.
#pragma once

#include <botel/items.hpp>

#include <cstdint>
#include <string_view>
#include <vector>

namespace demo {

// Ids are large and sparse.
inline constexpr std::int64_t kUser = 192168;
inline constexpr std::int64_t kEcho = 4'100'000'037;     // answers what is sent to it
inline constexpr std::int64_t kGallery = 4'100'917'141;  // has sent a message of each type
inline constexpr std::int64_t kClock = 4'101'834'243;    // tells the time now and then

inline constexpr std::int64_t kEchoChat = 6'200'000'069;
inline constexpr std::int64_t kGalleryChat = 6'200'617'333;
inline constexpr std::int64_t kClockChat = 6'201'234'601;
inline constexpr std::int64_t kClub = 6'201'851'867;  // groups
inline constexpr std::int64_t kFamily = 6'202'469'131;

// The id of the `index`th message, from 0 on. Those of the history come first.
std::int64_t message_id(std::int64_t index);

// Ten, and the user's own contact is none of them.
std::vector<botel::Contact> contacts();
std::vector<botel::Chat> chats();
std::vector<botel::ChatMessage> history();

}  // namespace demo
