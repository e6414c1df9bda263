#include "mqtt/redeliveries.hpp"

#include <algorithm>

namespace botel::mqtt {
namespace {

constexpr std::size_t kPackets = 65536;

}  // namespace

void Redeliveries::connected(bool session_present) {
  question_.reset();
  if (!session_present) confirm(last());
  expected_ = log_.empty() ? 0 : first_;
}

bool Redeliveries::again(std::uint16_t packet, std::uint64_t hash) {
  const std::uint64_t number = expected_ > 0 ? find(packet, hash) : 0;
  if (number == 0) {
    // The first one that is new ends the redeliveries. Where it is the first of all, everything was acknowledged.
    if (expected_ == first_) confirm(last());
    expected_ = 0;
    add(packet, hash);
    return false;
  }
  // The broker begins where the acknowledgements end that it has.
  if (expected_ == first_) confirm(number - 1);
  expected_ = number + 1;
  return true;
}

// The number of an entry that may come again; 0: there is none.
std::uint64_t Redeliveries::find(std::uint16_t packet, std::uint64_t hash) const {
  const std::uint64_t number = places_[packet];
  return number >= expected_ && log_[number - first_].hash == hash ? number : 0;
}

void Redeliveries::add(std::uint16_t packet, std::uint64_t hash) {
  if (places_.empty()) places_.resize(kPackets);
  // A packet id that is used again says that the broker has the acknowledgement of the message that had it before.
  confirm(places_[packet]);
  log_.push_back({packet, hash});
  places_[packet] = last();
}

void Redeliveries::answered(int packet) {
  if (!question_ || question_->packet != packet) return;
  confirm(question_->number);
  question_.reset();
}

void Redeliveries::confirm(std::uint64_t number) {
  if (number < first_) return;
  const auto count = std::min<std::uint64_t>(number + 1 - first_, log_.size());
  log_.erase(log_.begin(), log_.begin() + static_cast<std::ptrdiff_t>(count));
  first_ += count;
  if (expected_ > 0) expected_ = std::max(expected_, first_);
}

void Redeliveries::restore(const store::Received& received) {
  if (log_.empty()) first_ = saved_from_ = received.number;
  // A log with a gap, as after a repair, begins behind it.
  if (received.number != last() + 1) {
    log_.clear();
    first_ = received.number;
  }
  add(received.packet, received.hash);
  saved_ = last();
}

void Redeliveries::save(store::Batch& batch) {
  if (has_gone()) batch.received_before = first_;
  for (std::uint64_t number = std::max(saved_ + 1, first_); number <= last(); ++number) {
    const Entry& entry = log_[number - first_];
    batch.received.push_back({number, entry.packet, entry.hash});
  }
  saved_from_ = first_;
  saved_ = last();
}

}  // namespace botel::mqtt
