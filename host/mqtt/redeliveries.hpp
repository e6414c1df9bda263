// Recognises what a broker hands over again, because it has not taken in the acknowledgement.
//
// It is a log of the messages that were taken in, in order, since the broker last confirmed that it has their
// acknowledgements. After a reconnection with its session, a broker begins with the messages that it has no
// acknowledgement for, in their old order and with their old packet ids: the end of the log. Then come new ones. (The
// DUP flag would prove nothing, and libmosquitto does not tell of it.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "store/store.hpp"

namespace botel::mqtt {

class Redeliveries {
 public:
  // A connection begins. Without the session the broker has forgotten everything.
  void connected(bool session_present);

  // Whether the message was taken in already; otherwise it is from now on. `hash`: of topic and payload.
  [[nodiscard]] bool again(std::uint16_t packet, std::uint64_t hash);

  // How many messages were acknowledged in this connection, but not confirmed.
  [[nodiscard]] std::size_t to_confirm() const { return acknowledged() + 1 - first_; }
  // The broker was asked something in `packet`, after those acknowledgements. Its answer says that it has taken them
  // in: those messages never come again. One question at a time.
  void asked(int packet) { question_ = {packet, acknowledged()}; }
  [[nodiscard]] bool is_asked() const { return question_.has_value(); }
  void answered(int packet);

  // Packet ids have 16 bits, and mosquitto uses one again when it comes round to it, whether it has the acknowledgement
  // or not. Up to this size of the log each id stands in it once, also with the messages that came after it was saved.
  // Above it no more must be read before the broker has confirmed.
  static constexpr std::size_t kMost = 50'000;
  // Nothing new has come yet in this connection: what comes next may come again.
  [[nodiscard]] bool may_come_again() const { return expected_ > 0; }
  // Whether so many more would be too many. What may come again does not count.
  [[nodiscard]] bool is_full(std::size_t more) const {
    const std::size_t again = expected_ > 0 ? last() + 1 - expected_ : 0;
    return more >= again && log_.size() + more - again >= kMost;
  }

  // What an earlier run took in, in order.
  void restore(const store::Received& received);

  // Something was taken in that the store should have before it is acknowledged.
  [[nodiscard]] bool has_new() const { return std::max(saved_, first_ - 1) < last(); }
  // The store holds something that was confirmed.
  [[nodiscard]] bool has_gone() const { return saved_from_ < first_ && saved_from_ <= saved_; }
  void save(store::Batch& batch);

 private:
  struct Entry {
    std::uint16_t packet;
    std::uint64_t hash;
  };
  struct Question {
    int packet;
    std::uint64_t number;
  };
  // Messages are numbered in the order in which they were taken in.
  [[nodiscard]] std::uint64_t last() const { return first_ + log_.size() - 1; }
  [[nodiscard]] std::uint64_t acknowledged() const { return expected_ > 0 ? expected_ - 1 : last(); }
  void confirm(std::uint64_t number);  // all up to this one
  [[nodiscard]] std::uint64_t find(std::uint16_t packet, std::uint64_t hash) const;
  void add(std::uint16_t packet, std::uint64_t hash);

  std::deque<Entry> log_;
  std::uint64_t first_ = 1;            // the number of the first entry, or of the one that comes next
  std::vector<std::uint64_t> places_;  // by packet id: the number of the last message that had it; 0: none
  std::uint64_t expected_ = 0;         // from this number on an entry may come again; 0: none does
  std::optional<Question> question_;
  std::uint64_t saved_from_ = 1, saved_ = 0;  // the store has the entries between
};

}  // namespace botel::mqtt
