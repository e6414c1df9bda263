// The black box's own thread.
#include "base/black_box_ticker.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/signals.hpp"

namespace botel::black_box {
namespace {

constexpr int kMostQuiet = 5;  // ticks until the time alone is worth a write

std::vector<Record> places_of(const Memory& memory) {
  std::vector<Record> places(memory.suspects.begin(), memory.suspects.end());
  places.resize(places.size() + memory.slots.size());
  return places;
}

}  // namespace

Ticker::Ticker(std::shared_ptr<const Memory> memory, std::chrono::milliseconds tick)
    : memory_(std::move(memory)),
      tick_(tick),
      runs_(memory_->slots.size()),
      noted_(places_of(*memory_)),
      alive_ms_(memory_->alive_ms) {
  thread_ = start_without_signals([this] { run(); });
}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  wake_.notify_one();
  thread_.join();
  tick(true);
}

void Ticker::note_life() {
  {
    const std::lock_guard lock(mutex_);
    life_ = true;
  }
  wake_.notify_one();
}

void Ticker::run() {
  std::unique_lock lock(mutex_);
  auto next = std::chrono::steady_clock::now() + tick_;
  for (;;) {
    const bool woken = wake_.wait_until(lock, next, [this] { return closed_ || life_; });
    if (closed_) return;
    life_ = false;
    lock.unlock();
    if (woken) {
      note_alive(memory_->alive_ms);
    } else {
      tick(false);
      next = std::chrono::steady_clock::now() + tick_;
    }
    lock.lock();
  }
}

void Ticker::tick(bool last) {
  const std::int64_t alive_ms = memory_->alive_ms.load(std::memory_order_relaxed);
  const bool changed = note_places(last);
  const bool ended_well = memory_->ended_well.load(std::memory_order_relaxed);
  if (alive_ms == alive_ms_ && !ended_well) return;
  if (!changed && !last && ++quiet_ < kMostQuiet) return;
  note_alive(alive_ms);
}

void Ticker::note_alive(std::int64_t alive_ms) {
  quiet_ = 0;
  const bool ended_well = memory_->ended_well.load(std::memory_order_relaxed);
  if (memory_->file->write_header(Part::noted, alive_ms, ended_well)) alive_ms_ = alive_ms;
}

// Whether any has changed. At a clean end nothing runs: what does not return then is no reason for blame.
bool Ticker::note_places(bool last) {
  bool changed = false;
  for (std::size_t place = 0; place < noted_.size(); ++place) {
    Record now{};
    if (place < BlackBox::kMostSuspects) {
      now = memory_->suspect(place);
    } else if (!last) {
      now = lasting(place - BlackBox::kMostSuspects);
    }
    if (std::memcmp(&now, &noted_[place], sizeof now) == 0) continue;
    changed = true;
    if (memory_->file->write(Part::noted, place, now)) noted_[place] = now;
  }
  return changed;
}

// A thread's task that was running at the tick before, too; else a free place.
Record Ticker::lasting(std::size_t i) {
  const Slot& slot = memory_->slots[i];
  const std::uint64_t run = slot.run();
  Record record{};
  const bool same = std::exchange(runs_[i], run) == run && run != 0;
  return same && slot.read(run, record) ? record : Record{};
}

}  // namespace botel::black_box
