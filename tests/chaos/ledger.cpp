#include "chaos/ledger.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <sstream>

#include "chaos/numbers.hpp"
#include "harness/world.hpp"

namespace chaos {
namespace {

struct Memory {
  std::vector<long long> seen, fired;
  long long ticks = 0;
};

Memory read(const std::string& state) {
  std::istringstream parts(state);
  std::string seen, fired;
  Memory memory;
  std::getline(parts, seen, '|');
  std::getline(parts, fired, '|');
  parts >> memory.ticks;
  memory.seen = expand(seen);
  memory.fired = expand(fired);
  return memory;
}

long long repeated(const std::vector<long long>& numbers) {
  return std::ssize(numbers) - std::ssize(std::set<long long>(numbers.begin(), numbers.end()));
}

bool is_number(const std::string& name) { return name.find_first_not_of("0123456789") == std::string::npos; }

}  // namespace

Counts& Counts::operator+=(const Counts& more) {
  for (const auto member :
       {&Counts::sent, &Counts::handled, &Counts::lost, &Counts::doubled, &Counts::reordered, &Counts::answers,
        &Counts::missing, &Counts::overtaken, &Counts::repeats, &Counts::differing, &Counts::timers,
        &Counts::timers_lost, &Counts::timers_doubled, &Counts::timers_missing}) {
    this->*member += more.*member;
  }
  return *this;
}

Balance& Balance::operator+=(const Balance& more) {
  counts += more.counts;
  lost.insert(more.lost.begin(), more.lost.end());
  complaints.insert(complaints.end(), more.complaints.begin(), more.complaints.end());
  return *this;
}

bool is_clean(const Counts& counts) {
  return counts.lost + counts.doubled + counts.reordered + counts.missing + counts.overtaken + counts.differing +
             counts.timers_lost + counts.timers_doubled + counts.timers_missing ==
         0;
}

long long Ledger::send_number(bool with_timer) {
  ++last_number_;
  if (with_timer) timers_.insert(last_number_);
  return last_number_;
}

void Ledger::hear(const std::string& payload) {
  const std::string text = harness::at(payload, "m");
  const std::string name = text.substr(0, text.find(" | "));
  const auto [known, is_new] = first_.emplace(name, payload);
  if (is_new) {
    if (name.starts_with("timer ")) ++timers_heard_;
    return judge_order(payload, name);
  }
  ++outgoing_.repeats;
  if (known->second == payload) return;
  ++outgoing_.differing;
  complaints_.push_back(fmt::format("{}: said first {} and then {}", room_, known->second, payload));
}

// Its time rises with all that a room's bot says, and numbers are said in the order in which they were sent.
void Ledger::judge_order(const std::string& payload, const std::string& name) {
  const long long time = std::stoll(harness::at(payload, "t"));
  const long long number = is_number(name) ? std::stoll(name) : highest_said_ + 1;
  if (time > highest_time_ && number > highest_said_) {
    highest_time_ = time;
    if (is_number(name)) highest_said_ = number;
    return;
  }
  ++outgoing_.overtaken;
  complaints_.push_back(
      fmt::format("{}: heard behind {} of the time {}: {}", room_, highest_said_, highest_time_, payload));
}

std::string Ledger::report(int number) const {
  const std::string prefix = "report " + std::to_string(number) + " ";
  std::map<int, std::string> parts;
  int wanted = 1;
  for (auto said = first_.lower_bound(prefix); said != first_.end() && said->first.starts_with(prefix); ++said) {
    std::istringstream words(said->first.substr(prefix.size()));
    int part = 0;
    char slash = 0;
    words >> part >> slash >> wanted;
    const std::string text = harness::at(said->second, "m");
    parts[part] = text.substr(text.find(" | ") + 3);
  }
  std::string state;
  for (const auto& [part, text] : parts) state += text;
  return static_cast<int>(parts.size()) == wanted ? state : std::string();
}

Balance Ledger::balance(const std::string& state) const {
  Balance result{outgoing_, {}, complaints_};
  Counts& counts = result.counts;
  const auto complain = [&](const std::string& what) { result.complaints.push_back(room_ + ": " + what); };
  const Memory memory = read(state);
  if (state.empty()) complain("the bot gave no report");

  counts.sent = last_number_ + ticks_;
  counts.handled = std::ssize(memory.seen) + memory.ticks;
  counts.doubled = repeated(memory.seen) + std::max(0LL, memory.ticks - ticks_);
  const std::set<long long> seen(memory.seen.begin(), memory.seen.end());
  for (long long number = 1; number <= last_number_; ++number) {
    if (!seen.contains(number)) result.lost[room_].push_back(number);
  }
  counts.lost = std::ssize(result.lost[room_]) + std::max(0LL, ticks_ - memory.ticks);
  long long highest = 0;
  std::set<long long> before;
  for (const long long number : memory.seen) {
    if (!before.insert(number).second) continue;
    if (number < highest) ++counts.reordered;
    highest = std::max(highest, number);
  }
  if (counts.lost + counts.doubled + counts.reordered > 0) {
    complain(fmt::format("of 1-{} and {} ticks the bot saw {}", last_number_, ticks_, state));
  }

  const std::set<long long> fired(memory.fired.begin(), memory.fired.end());
  counts.timers = std::ssize(timers_);
  counts.timers_doubled = repeated(memory.fired);
  for (const long long number : timers_) {
    if (fired.contains(number)) continue;
    ++counts.timers_lost;
    complain(fmt::format("timer {} has not fired", number));
  }
  if (counts.timers_doubled > 0) complain("timers fired twice: " + state);

  const auto expect = [&](const std::string& name, long long& missing) {
    ++counts.answers;
    if (has_heard(name)) return;
    ++missing;
    complain("the bot has said \"" + name + "\", but it did not arrive");
  };
  for (const long long number : seen) expect(std::to_string(number), counts.missing);
  for (const long long number : fired) expect("timer " + std::to_string(number), counts.timers_missing);
  for (long long tick = 1; tick <= memory.ticks; ++tick) expect("tick " + std::to_string(tick), counts.missing);
  return result;
}

}  // namespace chaos
