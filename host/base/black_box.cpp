// The black box, as the rest of the host sees it, and who is a suspect.
#include "base/black_box.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "base/black_box_file.hpp"
#include "base/black_box_memory.hpp"
#include "base/black_box_threads.hpp"
#include "base/black_box_ticker.hpp"
#include "base/text.hpp"

namespace botel {
namespace {

using black_box::Record;
using Suspect = BlackBox::Suspect;

constexpr unsigned kCrashes = 2, kEnds = 5;  // that condemn

Suspect suspect_of(const Record& record) {
  const int signal = std::max(record.state - black_box::kEnded, 0);
  return {record.task, clean({record.name, record.length}), record.crashes, record.ends, signal};
}

Record record_of(const Suspect& suspect) {
  Record record{};
  record.task = suspect.task;
  record.state = suspect.crashes > 0 ? black_box::kEnded + suspect.signal : black_box::kRunning;
  record.crashes = suspect.crashes;
  record.ends = suspect.ends;
  record.length = static_cast<std::uint32_t>(suspect.name.copy(record.name, sizeof record.name));
  return record;
}

// One run counts once, also where two of its threads ran the task.
void count(std::vector<Suspect>& suspects, const Record& task) {
  auto known = std::ranges::find(suspects, task.task, &Suspect::task);
  if (known == suspects.end()) known = suspects.insert(known, suspect_of(task));
  if (std::exchange(known->recent, true)) return;
  if (task.state == black_box::kRunning) {
    ++known->ends;
  } else {
    ++known->crashes;
    known->signal = task.state - black_box::kEnded;
  }
}

std::vector<Suspect> suspects_of(const black_box::Left& last) {
  std::vector<Suspect> suspects;
  std::ranges::transform(last.suspects, std::back_inserter(suspects), suspect_of);
  for (const bool crashed : {true, false}) {
    for (const Record& task : last.tasks) {
      if ((task.state >= black_box::kEnded) == crashed) count(suspects, task);
    }
  }
  // Many that merely ran must not push out the one that crashes, or one that is close to being condemned.
  const auto rank = [](const Suspect& s) { return std::tuple(s.crashes > 0, s.recent, s.ends); };
  std::ranges::stable_sort(suspects, std::greater(), rank);
  suspects.resize(std::min(suspects.size(), BlackBox::kMostSuspects));
  return suspects;
}

}  // namespace

bool BlackBox::Suspect::condemned() const { return crashes >= kCrashes || ends >= kEnds; }

std::string BlackBox::Suspect::describe() const {
  if (crashes == 0) return fmt::format("{}: running at {} of the host", name, counted(ends, "end"));
  std::string by = fmt::format("signal {}", signal);
  if (signal == 0) by = "exit()";
  if (signal == black_box::kLeft) by = "a handler that did not return";
  return fmt::format("{}: cause of {} of the host, last by {}; running at {}", name, counted(crashes, "end"), by,
                     counted(ends, "other end"));
}

Result<std::unique_ptr<BlackBox>> BlackBox::open(const std::filesystem::path& path, unsigned threads, Time now,
                                                 std::chrono::milliseconds tick) {
  const auto last = black_box::read(path);
  std::unique_ptr<BlackBox> box(new BlackBox);
  box->suspects_ = suspects_of(last);
  box->ended_well_ = last.ended_well;
  if (last.alive_ms > 0) {
    box->away_ = std::chrono::milliseconds(std::max<std::int64_t>(now.unix_ms - last.alive_ms, 0));
  }
  box->memory_ = std::make_shared<black_box::Memory>(std::min(threads, kMostThreads));
  auto& memory = *box->memory_;
  memory.alive_ms = last.alive_ms;
  std::ranges::transform(box->suspects_, memory.suspects.begin(), record_of);
  auto file = black_box::File::replace(path, memory.slots.size(), {memory.suspects.data(), box->suspects_.size()},
                                       last.alive_ms);
  if (!file) return tl::unexpected(file.error());
  memory.file = std::move(*file);
  box->ticker_ = std::make_unique<black_box::Ticker>(box->memory_, tick);
  black_box::watch(memory);
  return box;
}

BlackBox::~BlackBox() {
  if (!ticker_) return;
  ticker_.reset();
  black_box::unwatch(*memory_);
}

const Suspect* BlackBox::find_condemned(std::uint64_t task) const {
  const auto found = std::ranges::find(suspects_, task, &Suspect::task);
  return found != suspects_.end() && found->condemned() ? &*found : nullptr;
}

void BlackBox::forget(std::uint64_t task) {
  if (std::erase_if(suspects_, [task](const Suspect& s) { return s.task == task; }) == 0) return;
  for (std::size_t i = 0; i < memory_->suspects.size(); ++i) {
    if (memory_->suspects[i].task == task) memory_->forgotten[i].store(true, std::memory_order_relaxed);
  }
}

void BlackBox::end_well() { memory_->ended_well.store(true, std::memory_order_relaxed); }

void BlackBox::leave_running(const std::vector<std::uint64_t>& innocent) const {
  black_box::note_left(*memory_, innocent);
}

void BlackBox::alive(std::int64_t unix_ms) {
  memory_->alive_ms.store(unix_ms, std::memory_order_relaxed);
  if (!std::exchange(lives_, true)) ticker_->note_life();
}

}  // namespace botel
