// Ids that an account has for itself. See connector.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "error.hpp"
#include "items.hpp"

namespace botel {

// Makes ids of what a service, or the connector itself, tells its items apart by; and gives that back. Account::ids()
// has those of an account: no other account has them, nor the same one after it was deleted and configured anew.
//
//     account.ids().of(5)                // an integer anywhere below 2^53; of it, ids().number(given) is 5 again
//     account.ids().of("letter-5")       // "1b3kq0s8hd4-letter-5"; of it, ids().text(given) is "letter-5" again
//
// In an account the same makes the same: give contacts, chats and messages numbers of their own.
class Ids {
 public:
  explicit Ids(std::uint64_t seed) {
    for (std::uint64_t& key : keys_) key = next(seed);
  }

  // Of a number from 0 on, below 2^53; and of a text, which becomes 12 bytes longer, and must be an id then.
  Id of(std::int64_t number) const {
    if (number < 0 || number > static_cast<std::int64_t>(kMask)) throw Error("no id can be made of this number");
    std::uint64_t x = static_cast<std::uint64_t>(number);
    for (const std::uint64_t key : keys_) {
      x = (x + key) * kFactor & kMask;
      x ^= x >> kShift;
    }
    return static_cast<std::int64_t>(x);
  }
  Id of(std::string_view text) const { return Id(prefix() + std::string(text)); }

  // What the id was made of. -1, or empty: it is none of these. (An integer may be one that was never made.)
  std::int64_t number(const GivenId& id) const {
    const std::int64_t given = id.number();
    if (given < 0) return -1;
    std::uint64_t x = static_cast<std::uint64_t>(given);
    for (auto key = keys_.rbegin(); key != keys_.rend(); ++key) {
      x ^= x >> kShift;
      x = (x * kInverse - *key) & kMask;
    }
    return static_cast<std::int64_t>(x);
  }
  std::string text(const GivenId& id) const {
    const std::string begin = prefix();
    return id.text().starts_with(begin) ? id.text().substr(begin.size()) : std::string();
  }

 private:
  // Of 53 bits: a shift by more than half of them undoes itself.
  static constexpr int kShift = 27;
  static constexpr std::uint64_t kMask = (std::uint64_t{1} << 53) - 1;
  static constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15, kInverse = 0xF1DE83E19937733D;
  static_assert(kFactor * kInverse == 1);

  // splitmix64
  static std::uint64_t next(std::uint64_t& state) {
    std::uint64_t x = state += 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }
  std::string prefix() const {
    constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";
    std::string text;
    for (int bit = 0; bit < 55; bit += 5) text += kDigits[keys_[0] >> bit & 31];
    return text + "-";
  }

  std::array<std::uint64_t, 3> keys_{};
};

}  // namespace botel
