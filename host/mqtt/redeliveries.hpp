// Recognises what a broker hands over again because it has not heard the acknowledgement: after a reconnection with its
// session the broker begins with those messages, in their old order and with their old packet ids, and what was taken
// in before comes first among them. (libmosquitto does not tell of the DUP flag, which would prove nothing anyway.)
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "store/records.hpp"

namespace botel::mqtt {

class Redeliveries {
 public:
  // A connection begins. Without the session the broker has forgotten everything, and all packet ids are new.
  void connected(bool session_present) {
    expecting_ = session_present;
    if (session_present) return;
    hashes_.clear();
    fresh_.clear();
    forgotten_ = true;
  }

  // Whether this is one that was taken in already; otherwise it is from now on. `hash`: of topic and payload.
  [[nodiscard]] bool again(std::uint16_t packet, std::uint64_t hash) {
    if (hashes_.empty()) hashes_.resize(kPackets, kNone);
    hash |= 1;  // never kNone
    // The first one that is new ends them: what comes behind it is new, too, whatever it looks like.
    expecting_ = expecting_ && hashes_[packet] == hash;
    if (expecting_) return true;
    hashes_[packet] = hash;
    fresh_.push_back({packet, hash});
    return false;
  }

  // What an earlier run took in.
  void restore(const store::Pair& pair) {
    if (hashes_.empty()) hashes_.resize(kPackets, kNone);
    hashes_[pair.packet] = pair.hash;
  }

  [[nodiscard]] bool has_changes() const { return forgotten_ || !fresh_.empty(); }
  // What was taken in since the last call; the first value: all that came before is forgotten.
  [[nodiscard]] std::pair<bool, std::vector<store::Pair>> take() {
    return {std::exchange(forgotten_, false), std::exchange(fresh_, {})};
  }

 private:
  static constexpr std::size_t kPackets = 65536;
  static constexpr std::uint64_t kNone = 0;

  std::vector<std::uint64_t> hashes_;  // by packet id: of the last message that had it
  std::vector<store::Pair> fresh_;
  bool expecting_ = false;
  bool forgotten_ = false;
};

}  // namespace botel::mqtt
