// Whether the published MOCA server would take what two accounts have pushed for one, in a test. See testing.hpp.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lines.hpp"

namespace botel::testing {

// What an account has pushed, by its ids, without the user's own contact.
struct PushedIds {
  struct Item {
    std::string kind, id;  // "contact", "chat" or "message"
    std::string chat{};    // of a message
  };
  std::string account;
  std::vector<Item> items{};
};

namespace detail {

// As Python has them: the hash of an integer is the integer. That of a text is any number.
inline std::uint64_t hash_of_id(std::string_view id) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error == std::errc() && end == id.data() + id.size()) return static_cast<std::uint64_t>(number);
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

// By which the server knows it.
inline std::uint64_t folded(const PushedIds& of, const PushedIds::Item& item) {
  return hash_of_id(item.kind == "message" ? item.chat : of.account) ^ hash_of_id(item.id);
}

}  // namespace detail

// The pairs of which one would take the place of the other: "message 5 of 42 and message 5 of 43". Give it two
// accounts, or what an account has pushed before it was deleted and what it pushes when it is configured anew.
inline Lines collisions(const PushedIds& one, const PushedIds& other) {
  Lines lines;
  for (const auto& mine : one.items) {
    for (const auto& theirs : other.items) {
      const bool is_one = detail::folded(one, mine) == detail::folded(other, theirs) ||
                          (mine.kind == "message" && mine.id == theirs.id);
      if (mine.kind != theirs.kind || !is_one) continue;
      lines.push_back(mine.kind + " " + mine.id + " of " + one.account + " and " + theirs.kind + " " + theirs.id +
                      " of " + other.account);
    }
  }
  return lines;
}

}  // namespace botel::testing
