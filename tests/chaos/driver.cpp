#include "chaos/driver.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Longer than any pause of a host that tries to reach its broker again.
constexpr seconds kPatience{40};
// Of the bots' timers: long enough for a host to die in between.
constexpr int kLongestTimerMs = 300;
constexpr seconds kRepeatAfter{1};

harness::Room make_room(int index) { return {.room = fmt::format("room-{}", index)}; }

}  // namespace

Driver::Driver(int broker_port, Pace pace, std::uint64_t seed)
    : pace_(pace),
      random_(seed),
      connection_(broker_port, "gitple", {"s/1/a/1/u/+/r/+/t/+", "s/1/a/1/t/+/res"},
                  [this](const std::string& topic, const std::string& payload) { hear(topic, payload); }),
      visitors_(pace.visitors,
                [this](const std::string& topic, const std::string& payload) { connection_.publish(topic, payload); }),
      last_turn_(Clock::now()),
      last_heard_(Clock::now()) {
  for (int index = 0; index < pace.rooms; ++index) {
    harness::Room room = make_room(index);
    by_topic_[room.msg_pub()] = lines_.size();
    lines_.push_back({.room = room, .ledger = Ledger(room.room)});
  }
  thread_ = std::thread([this] { run(); });
}

Driver::~Driver() {
  stopped_ = true;
  thread_.join();
}

void Driver::run() {
  while (!stopped_) {
    try {
      connection_.wait(milliseconds(1));
      const std::lock_guard lock(mutex_);
      connection_.turn();
      send_what_is_due();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      return;
    }
  }
}

void Driver::hear(const std::string& topic, const std::string& payload) {
  last_heard_ = Clock::now();
  if (const auto found = by_topic_.find(topic); found != by_topic_.end()) {
    return hear_bot(lines_[found->second], payload);
  }
  if (visitors_.hear(topic, payload)) return;
  const std::string id = harness::at(payload, "id");
  if (!id.starts_with("start ")) return;
  if (harness::at(payload, "result") != "OK") throw std::runtime_error("a room was not opened: " + payload);
  lines_.at(std::stoul(id.substr(6))).open = true;
}

void Driver::hear_bot(Line& line, const std::string& payload) {
  const std::size_t known = line.ledger.heard();
  line.ledger.hear(payload);
  if (line.ledger.heard() == known) return;
  const std::string text = harness::at(payload, "m");
  if (text.starts_with("tick ")) {
    ++line.ticks_heard;
  } else if (text.starts_with("timer ") || text.starts_with("report ")) {
    return;
  } else {
    const long long number = std::stoll(text);
    line.unanswered.erase(number);
    line.longest_wait = std::max(line.longest_wait, Clock::now() - line.sent_at[number]);
  }
  ++answered_;
}

void Driver::send(Line& line, const std::string& text) {
  connection_.publish(line.room.from_user(), R"({"t":1534424599756,"m":)" + harness::quoted(text) + "}");
}

void Driver::send_what_is_due() {
  const auto now = Clock::now();
  const double passed = std::chrono::duration<double>(now - std::exchange(last_turn_, now)).count();
  if (!talking_ || !connection_.is_ready()) return;
  due_ = std::min(due_ + passed * pace_.per_second, pace_.per_second / 10.0);
  for (std::size_t tried = 0; tried < lines_.size() && due_ >= 1; ++tried) {
    if (send_next(lines_[next_++ % lines_.size()])) due_ -= 1;
  }
  visitors_.come();
  if (pace_.insistent) insist();
}

// Every tenth message sets a timer, and behind every seventh there is a tick: what cannot be told apart cannot be
// repeated, so there are none where messages are.
bool Driver::send_next(Line& line) {
  const auto ticks_unanswered = static_cast<std::size_t>(line.ticks) - line.ticks_heard;
  if (std::ssize(line.unanswered) + static_cast<long long>(ticks_unanswered) >= pace_.unanswered) return false;
  const bool with_timer = (line.ledger.last_number() + 1) % 10 == 0;
  send_number(line, with_timer ? fmt::format(" timer {}", 1 + random_() % kLongestTimerMs) : "");
  if (line.ledger.last_number() % 7 == 0 && !pace_.insistent) {
    line.ledger.send_tick();
    ++line.ticks;
    send(line, "tick");
  }
  return true;
}

// `more`: a timer, or nothing.
void Driver::send_number(Line& line, const std::string& more) {
  const long long number = line.ledger.send_number(!more.empty());
  const std::string text = std::to_string(number) + more;
  line.unanswered[number] = text;
  line.sent_at[number] = Clock::now();
  send(line, text);
}

// A few at a time: libmosquitto searches through all that are on their way.
void Driver::pile_up(int messages) {
  constexpr int kAtOnce = 500;
  for (int left = messages; left > 0; left -= kAtOnce) {
    {
      const std::lock_guard lock(mutex_);
      for (int i = 0; i < std::min(left, kAtOnce); ++i) send_number(lines_[next_++ % lines_.size()], "");
      last_heard_ = Clock::now();
    }
    if (!wait(kPatience, [this] { return connection_.unacknowledged() < kAtOnce; })) break;
  }
  if (!wait(kPatience, [this] { return connection_.unacknowledged() == 0; })) {
    throw std::runtime_error("the broker does not take the messages");
  }
}

void Driver::insist() {
  for (Line& line : lines_) {
    for (const auto& [number, text] : line.unanswered) {
      auto& sent_at = line.sent_at[number];
      if (Clock::now() - sent_at < kRepeatAfter) break;  // those behind it are to come behind it
      sent_at = Clock::now();
      send(line, text);
    }
  }
}

bool Driver::wait(milliseconds patience, const std::function<bool()>& condition) {
  auto since = Clock::now();
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (failure_) std::rethrow_exception(failure_);
      if (condition()) return true;
      since = std::max(since, last_heard_);
    }
    if (Clock::now() - since > patience) return false;
    std::this_thread::sleep_for(milliseconds(3));
  }
}

void Driver::open_rooms() {
  if (!wait(kPatience, [this] { return connection_.is_ready(); })) throw std::runtime_error("no connection");
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t index = 0; index < lines_.size(); ++index) {
      const auto& room = lines_[index].room;
      connection_.publish(room.requests(),
                          harness::request(fmt::format("\"start {}\"", index), "start", room.start_params()));
    }
  }
  if (!wait(kPatience, [this] { return std::ranges::all_of(lines_, &Line::open); })) {
    throw std::runtime_error("the rooms were not opened");
  }
}

void Driver::talk() {
  const std::lock_guard lock(mutex_);
  talking_ = true;
}

void Driver::tell(int room, const std::string& text) {
  const std::lock_guard lock(mutex_);
  send(lines_.at(static_cast<std::size_t>(room)), text);
}

bool Driver::ask_reports(int number) {
  {
    const std::lock_guard lock(mutex_);
    for (Line& line : lines_) send(line, fmt::format("report {}", number));
  }
  return wait(kPatience, [&] {
    return std::ranges::all_of(lines_, [&](const Line& line) { return !line.ledger.report(number).empty(); });
  });
}

Balance Driver::finish() {
  if (pace_.insistent) {
    // It goes on until all is answered, but begins nothing new.
    const std::lock_guard lock(mutex_);
    due_ = -1e9;
  }
  if (pace_.insistent) {
    wait(kPatience,
         [this] { return std::ranges::all_of(lines_, [](const Line& line) { return line.unanswered.empty(); }); });
  }
  {
    const std::lock_guard lock(mutex_);
    talking_ = false;
  }
  wait(kPatience, [this] { return visitors_.leave(); });
  // A room's messages are handled in order: with the report, all before it have been, or never will be. Its timers
  // may be still to come, and have come when there is none for much longer than they take.
  const bool all_there = ask_reports(1);
  wait(milliseconds(5 * kLongestTimerMs), [this] {
    return std::ranges::all_of(lines_, [](const Line& line) { return line.ledger.timers_waited_for() == 0; });
  });
  const int last = all_there && ask_reports(2) ? 2 : 1;
  const std::lock_guard lock(mutex_);
  Balance all = visitors_.balance();
  for (const Line& line : lines_) all += line.ledger.balance(line.ledger.report(last));
  return all;
}

long long Driver::answered() const {
  const std::lock_guard lock(mutex_);
  return answered_;
}

int Driver::connection_losses() const {
  const std::lock_guard lock(mutex_);
  return connection_.losses();
}

std::vector<milliseconds> Driver::longest_waits() const {
  const std::lock_guard lock(mutex_);
  std::vector<milliseconds> all;
  for (const Line& line : lines_) all.push_back(std::chrono::ceil<milliseconds>(line.longest_wait));
  return all;
}

void Driver::wait_for_answers(long long more) {
  const long long wanted = answered() + more;
  if (!wait(kPatience, [&] { return answered_ >= wanted; })) throw std::runtime_error("the bots have fallen silent");
}

}  // namespace chaos
