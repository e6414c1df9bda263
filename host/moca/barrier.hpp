// Chats that make a MOCA server ask for two contacts: some of those that a connector has pushed, with no more of their
// participants than that takes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace botel::moca {

class Barrier {
 public:
  // What to push, and whom the server asks for then.
  struct Push {
    std::string chats;                  // a list
    std::vector<std::string> contacts;  // two ids, as text
  };

  // A chat that is still to be pushed, as read_chat() gives it. It is kept where it names somebody new.
  void add(std::string_view chat);
  // For the user whose own contact has this id, and is not named. Empty: there are no two others.
  [[nodiscard]] Push for_user(std::string_view own) const;
  void clear() { chats_.clear(); }
  // The chats that are kept, as a list. add() takes them back.
  [[nodiscard]] std::string json() const;

 private:
  struct Id {
    std::string text, json;
  };
  struct Chat {
    std::string members;  // all but the participants and the last message: {"chat_id":7,...
    std::vector<Id> participants;
  };

  [[nodiscard]] std::size_t participants() const;
  [[nodiscard]] bool names(std::string_view id) const;

  std::vector<Chat> chats_;
};

}  // namespace botel::moca
