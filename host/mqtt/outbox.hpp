// Messages on their way to the broker, in order, until it has acknowledged them. Knows no connection; Link speaks to
// the broker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/store.hpp"

namespace botel::mqtt {

class Outbox {
 public:
  using Over = std::function<void(bool arrived)>;
  void add(std::string_view topic, std::string_view payload, Over over = {});

  // The first one that was not sent; null when there is none.
  [[nodiscard]] const store::Message* next() const;
  // That one is sent in the packet `packet`, or cannot be sent at all.
  void sent(int packet);
  void sent_for_good();  // nobody acknowledges it
  void drop_next();

  // The first one of all: the one that was sent, where only one is sent at a time. There must be one.
  [[nodiscard]] const store::Message& front() const { return messages_.front().message; }
  void drop_front();

  // The broker has the message of this packet, or does not take it. False: it is none of ours.
  bool acknowledged(int packet, bool arrived = true);

  // Nothing of what was sent has arrived, as far as anybody knows: all of it is sent again.
  void forget_packets();

  // Calls those who wait to hear that a message is gone.
  void tell();
  [[nodiscard]] bool has_news() const { return !news_.empty(); }

  [[nodiscard]] bool empty() const { return messages_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t unacknowledged() const { return packets_.size(); }
  [[nodiscard]] std::uint64_t last_id() const { return last_id_; }

  // What an earlier run left, in order.
  void restore(store::Message message);

  // Something is there that the store should have before it leaves.
  [[nodiscard]] bool has_new() const { return saved_ < last_id_; }
  // The store holds something that has arrived.
  [[nodiscard]] bool has_gone() const { return !gone_.empty(); }
  void save(store::Batch& batch);

 private:
  struct Entry {
    store::Message message;
    Over over;
    bool gone = false;
  };
  void add(store::Message message, Over over);
  void remove(Entry& entry, bool arrived);

  std::deque<Entry> messages_;  // the first sent_ were given to the broker
  std::size_t sent_ = 0;
  std::unordered_map<int, Entry*> packets_;
  std::size_t bytes_ = 0;
  std::uint64_t last_id_ = 0;
  std::uint64_t saved_ = 0;  // the last id that was given to the store, unless it was gone by then
  std::vector<std::uint64_t> gone_;
  std::vector<std::pair<Over, bool>> news_;
};

}  // namespace botel::mqtt
