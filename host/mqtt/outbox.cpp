#include "mqtt/outbox.hpp"

#include <algorithm>
#include <string>

namespace botel::mqtt {
namespace {

std::size_t size(const store::Message& message) { return message.topic.size() + message.payload.size(); }

}  // namespace

void Outbox::add(std::string_view topic, std::string_view payload, Over over) {
  add({++last_id_, std::string(topic), std::string(payload)}, std::move(over));
}

void Outbox::restore(store::Message message) {
  saved_ = last_id_ = message.id;
  add(std::move(message), {});
}

void Outbox::add(store::Message message, Over over) {
  bytes_ += size(message);
  messages_.push_back({std::move(message), std::move(over)});
}

const store::Message* Outbox::next() const { return sent_ < messages_.size() ? &messages_[sent_].message : nullptr; }

void Outbox::sent(int packet) { packets_[packet] = &messages_[sent_++]; }

void Outbox::sent_for_good() { remove(messages_[sent_++], true); }

void Outbox::drop_next() { remove(messages_[sent_++], false); }

void Outbox::drop_front() {
  sent_ = std::max<std::size_t>(sent_, 1);
  remove(messages_.front(), false);
}

bool Outbox::acknowledged(int packet, bool arrived) {
  const auto found = packets_.extract(packet);
  if (found.empty()) return false;
  remove(*found.mapped(), arrived);
  return true;
}

void Outbox::remove(Entry& entry, bool arrived) {
  entry.gone = true;
  if (entry.over) news_.emplace_back(std::move(entry.over), arrived);
  bytes_ -= size(entry.message);
  if (entry.message.id <= saved_) gone_.push_back(entry.message.id);
  for (; !messages_.empty() && messages_.front().gone; --sent_) messages_.pop_front();
}

void Outbox::forget_packets() {
  packets_.clear();
  std::erase_if(messages_, [](const Entry& entry) { return entry.gone; });
  sent_ = 0;
}

void Outbox::tell() {
  for (const auto& [over, arrived] : std::exchange(news_, {})) over(arrived);
}

void Outbox::save(store::Batch& batch) {
  for (auto entry = messages_.rbegin(); entry != messages_.rend() && entry->message.id > saved_; ++entry) {
    if (!entry->gone) batch.outbox.push_back(entry->message);
  }
  std::ranges::reverse(batch.outbox);
  saved_ = last_id_;
  if (gone_.empty()) return;
  batch.delivered_before = messages_.empty() ? last_id_ + 1 : messages_.front().message.id;
  std::ranges::copy_if(std::exchange(gone_, {}), std::back_inserter(batch.delivered),
                       [&](std::uint64_t id) { return id >= batch.delivered_before; });
}

}  // namespace botel::mqtt
