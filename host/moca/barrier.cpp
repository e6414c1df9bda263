#include "moca/barrier.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace botel::moca {
namespace {

constexpr std::size_t kEnough = 3;               // participants: two, and perhaps the user
constexpr std::size_t kAsked = 2;                // of them
constexpr std::size_t kLongestChat = 16 * 1024;  // bytes; others will do

std::string members_of(const json::Document& chat) {
  std::string members = "{";
  for (const auto& [key, value] : chat.members) {
    if (key == "participants" || key == "last_message") continue;
    json::quote(members, key);
    members.append(":").append(value.raw).append(",");
  }
  return members;
}

std::string written(const std::string& members, const std::vector<std::string>& participants) {
  return members + R"("participants":)" + json::array(participants) + "}";
}

}  // namespace

void Barrier::add(std::string_view text) {
  const auto chat = text.size() <= kLongestChat ? json::read(text) : failure("");
  const auto list = chat ? chat->find("participants") : std::nullopt;
  const auto all = list ? json::read(list->raw) : failure("");
  if (!all) return;
  Chat kept;
  for (const json::Value& participant : all->elements) {
    if (participants() + kept.participants.size() == kEnough) break;
    Id id{json::text(participant), std::string(participant.raw)};
    if (!names(id.text) && !std::ranges::count(kept.participants, id.text, &Id::text)) {
      kept.participants.push_back(std::move(id));
    }
  }
  if (kept.participants.empty()) return;
  kept.members = members_of(*chat);
  chats_.push_back(std::move(kept));
}

Barrier::Push Barrier::for_user(std::string_view own) const {
  Push push;
  std::vector<std::string> chats;
  for (const Chat& chat : chats_) {
    std::vector<std::string> others;
    for (const auto& [id, json] : chat.participants) {
      if (id == own || push.contacts.size() == kAsked) continue;
      push.contacts.push_back(id);
      others.push_back(json);
    }
    if (!others.empty()) chats.push_back(written(chat.members, others));
  }
  if (push.contacts.size() < kAsked) return {};
  push.chats = json::array(chats);
  return push;
}

std::string Barrier::json() const {
  std::vector<std::string> chats;
  for (const Chat& chat : chats_) {
    std::vector<std::string> participants;
    for (const Id& id : chat.participants) participants.push_back(id.json);
    chats.push_back(written(chat.members, participants));
  }
  return json::array(chats);
}

std::size_t Barrier::participants() const {
  std::size_t count = 0;
  for (const Chat& chat : chats_) count += chat.participants.size();
  return count;
}

bool Barrier::names(std::string_view id) const {
  return std::ranges::any_of(chats_,
                             [&](const Chat& chat) { return std::ranges::count(chat.participants, id, &Id::text); });
}

}  // namespace botel::moca
