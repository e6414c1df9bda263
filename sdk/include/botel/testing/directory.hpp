// What a connector has pushed, in a test: the host's directory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../json.hpp"
#include "collisions.hpp"

namespace botel::testing::detail {

class Directory {
 public:
  // Puts in the item: one that is there by its id is replaced. `kind`: "contact", "chat" or "message". What is wrong
  // with it, if something is; it is left out then.
  std::string put(const std::string& kind, const rapidjson::Value& item) {
    std::string wrong = fault(kind, item);
    if (!wrong.empty()) return wrong;
    const std::string id = text(item, kind + "_id");
    Item& place = items_[{kind, id}];
    if (place.number == 0) place.number = ++last_number_;
    place.json = json::write(item);
    place.chat = kind == "message" ? text(item, "chat_id") : std::string();
    place.sent = std::string(json::text(item, "sent_datetime"));
    return {};
  }
  // As put() would.
  std::string fault(const std::string& kind, const rapidjson::Value& item) {
    if (!item.IsObject()) return "it is no object";
    for (const std::string& key : ids_of(kind)) {
      const auto* const id = json::find(item, key.c_str());
      if (id == nullptr || !(id->IsInt64() || (id->IsString() && id->GetStringLength() > 0)))
        return key + " is missing";
      const bool is_number = id->IsInt64();
      if (kinds_.try_emplace(key, is_number).first->second != is_number) return key + " is a number now, now a text";
    }
    const auto* const name = json::find(item, "name");
    if (kind != "message" && (!name || !name->IsString())) return "name is missing";
    if (kind == "message" && (!json::find(item, "message") || json::text(item, "sent_datetime").empty())) {
      return "message or sent_datetime is missing";
    }
    return kind == "chat" && json::items(item, "participants").empty() ? "participants are missing" : "";
  }

  std::optional<std::string> one(const std::string& kind, const std::string& id) const {
    const auto found = items_.find({kind, id});
    if (found == items_.end()) return {};
    return found->second.json;
  }
  // In the order in which they came.
  std::string all(const std::string& kind) const {
    std::vector<const Item*> items;
    for (const auto& [key, item] : items_) {
      if (key.first == kind) items.push_back(&item);
    }
    std::sort(items.begin(), items.end(), [](auto* one, auto* other) { return one->number < other->number; });
    return list(items, items.size());
  }
  // The newest first.
  std::string messages(const std::string& chat, const std::string& before, std::size_t most) const {
    std::vector<const Item*> items;
    for (const auto& [key, item] : items_) {
      if (key.first == "message" && item.chat == chat) items.push_back(&item);
    }
    std::sort(items.begin(), items.end(), [](auto* one, auto* other) { return newer(*one, *other); });
    if (!before.empty()) {
      const auto end = items_.find({"message", before});
      if (end == items_.end()) return "[]";
      std::erase_if(items, [&](const Item* item) { return !newer(end->second, *item); });
    }
    return list(items, most);
  }
  // All there is.
  std::vector<PushedIds::Item> ids() const {
    std::vector<PushedIds::Item> ids;
    for (const auto& [key, item] : items_) ids.push_back({key.first, key.second, item.chat});
    return ids;
  }
  // A text, or an integer, as text.
  static std::string text(const rapidjson::Value& object, const std::string& name) {
    const auto* const value = json::find(object, name.c_str());
    return value->IsInt64() ? std::to_string(value->GetInt64()) : std::string(json::text(object, name.c_str()));
  }
  void clear() { *this = {}; }

 private:
  struct Item {
    std::uint64_t number = 0;
    std::string json, chat, sent;
  };

  static std::vector<std::string> ids_of(const std::string& kind) {
    if (kind == "message") return {"message_id", "contact_id", "chat_id"};
    return {kind + "_id"};
  }
  static bool newer(const Item& one, const Item& other) {
    return std::pair(one.sent, one.number) > std::pair(other.sent, other.number);
  }
  static std::string list(const std::vector<const Item*>& items, std::size_t most) {
    std::string text;
    for (std::size_t i = 0; i < std::min(most, items.size()); ++i) text += (i == 0 ? "" : ",") + items[i]->json;
    return "[" + text + "]";
  }

  std::map<std::pair<std::string, std::string>, Item> items_;  // by kind and id
  std::map<std::string, bool> kinds_;                          // whether ids are numbers
  std::uint64_t last_number_ = 0;
};

}  // namespace botel::testing::detail
