// Tests a bot as the function that it is: events in, effects out. No broker, no host, no waiting.
//
//     botel::testing::Talk talk(botel::bot<Echo>("echo", "1.0.0"));
//     CHECK(talk.start() == "say Hello!");
//     CHECK(talk.message("hi") == "say you said: hi");
//
// Talk is one room and the host around it. Each call hands the bot one event and returns what it did as lines:
//
//     say hello            say {"t":"pick one",...}      after 1000 ms: say hello
//     typing               typing stops                  end
//     transfer             transfer to bot 7             timer 3 in 500 ms      cancel timer 3
//     failed: WHY          nothing else happened         retry after 500 ms     nothing happened yet
//
// Time, seeds and numbers are the same in every run. Not for several threads.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bot.hpp"
#include "testing/effect.hpp"
#include "testing/instance.hpp"
#include "testing/lines.hpp"

namespace botel::testing {

// A bot of a plugin whose sources are linked into the test: the_bot(botel_entry_v1), or the one of that id.
inline const botel_descriptor& the_bot(const botel_entry& entry, std::string_view id = {}) {
  for (std::uint32_t i = 0; i < entry.count; ++i) {
    if (id.empty() || id == entry.descriptors[i]->id) return *entry.descriptors[i];
  }
  throw Error("the plugin has no bot " + std::string(id));
}

class Talk {
 public:
  // Throws botel::Error when the bot refuses the configuration, a JSON object.
  explicit Talk(const botel_descriptor& bot, std::string_view config = "{}")
      : instance_(std::make_unique<Instance>(bot, config)) {}

  // The events of a room; see ext/room.h. start() begins a new room if the one before has ended.
  Lines start() {
    if (ended_) reset();
    return happen({.kind = BOTEL_ROOM_START});
  }
  Lines message(const std::string& text) {
    return happen({.kind = BOTEL_ROOM_MESSAGE,
                   .format = BOTEL_FORMAT_TEXT,
                   .payload = text,
                   .detail = whole(json::quoted(text), {})});
  }
  // A message that is a JSON object or list, as of a form.
  Lines rich(const std::string& json) {
    if (!detail::json_object_or_list(json)) throw Error("rich() wants a JSON object or list");
    return happen(
        {.kind = BOTEL_ROOM_MESSAGE, .format = BOTEL_FORMAT_JSON, .payload = json, .detail = whole(json, {})});
  }
  // A choice: the text that the user seems to say, and the command that the choice has.
  Lines choose(const std::string& text, const std::string& command) {
    if (!json::is_json(command)) throw Error("choose() wants a command in JSON");
    return happen({.kind = BOTEL_ROOM_COMMAND,
                   .format = BOTEL_FORMAT_JSON,
                   .payload = command,
                   .detail = whole(json::quoted(text), command)});
  }
  Lines typing(bool on = true) { return happen({.kind = BOTEL_ROOM_KEY_IN, .status = on ? 1 : 0}); }
  Lines read(Time until) { return number(BOTEL_ROOM_READ, until.time_since_epoch()); }
  Lines read(milliseconds until) { return read(Time(until)); }
  Lines timer(std::uint64_t tag) {
    timers_.erase(tag);
    return happen({.kind = BOTEL_TIMER_DUE, .tag = tag});
  }
  Lines result(std::uint64_t tag, int status = 0, const std::string& json = "\"OK\"") {
    return happen(
        {.kind = BOTEL_ROOM_RESULT, .tag = tag, .format = BOTEL_FORMAT_JSON, .status = status, .payload = json});
  }
  Lines timeout() { return happen({.kind = BOTEL_ROOM_TIMEOUT}); }
  Lines resumed(milliseconds away) { return number(BOTEL_ROOM_RESUMED, away); }
  Lines end(const std::string& why = "ended") {
    return happen({.kind = BOTEL_ROOM_END, .format = BOTEL_FORMAT_TEXT, .payload = why});
  }

  // Lets time pass: the timers that are due and the events that wait for a retry happen, in order.
  Lines advance(milliseconds by) {
    effects_.clear();
    Lines lines;
    const Time until = time_ + by;
    for (int events = 0; next(until, lines); ++events) {
      if (events == kManyEvents) throw Error("the bot's timers never let time pass");
    }
    time_ = until;
    return lines;
  }

  // What the last call committed, besides the state.
  const std::vector<Effect>& effects() const { return effects_; }

  const std::string& state() const { return state_; }
  unsigned state_schema() const { return state_schema_; }
  // Gives the room a state, such as one that an older version wrote.
  void set_state(std::string state, unsigned schema = 1) {
    forget_cache();
    state_ = std::move(state);
    state_schema_ = schema;
  }
  // Drops what Room::cached() keeps, as a host may do at any time.
  void forget_cache() { instance_->forget_cache(); }
  // Goes on with another version of the bot, as after a reload.
  void reload(const botel_descriptor& bot, std::string_view config = "{}") {
    if (state_schema_ != 0 && (state_schema_ < bot.schema_oldest || state_schema_ > bot.schema_written)) {
      throw Error("the new version cannot read the states of the old one");
    }
    auto next = std::make_unique<Instance>(bot, config);
    next->log() = std::move(instance_->log());
    instance_ = std::move(next);
  }

  // The clock, and the seed of the next event. Both have fixed values at first.
  Time time() const { return time_; }
  void set_time(Time time) { time_ = time; }
  void set_seed(std::uint64_t seed) { seed_ = seed; }
  // The room's info, JSON: {"context": {...}, "user": {...} or null}
  void set_info(std::string info) { info_ = std::move(info); }

  // What the bot has logged.
  const std::vector<std::string>& log() const { return instance_->log(); }

 private:
  static constexpr int kManyEvents = 10'000;
  static constexpr Time kSomeDay{milliseconds(1'534'395'300'000)};
  static constexpr std::uint64_t kSomeSeed = 2018;

  void reset() {
    forget_cache();
    state_.clear();
    state_schema_ = 0;
    sequence_ = 0;
    ended_ = false;
  }

  std::string whole(const std::string& message, const std::string& command) const {
    return "{\"t\":" + std::to_string(time_.time_since_epoch().count()) + ",\"m\":" + message +
           (command.empty() ? "}" : ",\"c\":" + command + "}");
  }
  Lines number(std::int32_t kind, milliseconds value) {
    return happen({.kind = kind, .format = BOTEL_FORMAT_TEXT, .payload = std::to_string(value.count())});
  }

  Lines happen(Event event) {
    if (ended_) throw Error("the room has ended; start() begins a new one");
    effects_.clear();
    return queue(std::move(event));
  }
  Lines queue(Event event) {
    event.sequence = ++sequence_;
    event.time = time_;
    event.seed = seed_;
    seed_ += 0x9E3779B97F4A7C15;  // any odd number
    if (waiting_.empty()) return deliver(std::move(event));
    waiting_.push_back(std::move(event));
    return {"waits for the retry"};
  }

  // Delivers what is due next, if it is until then.
  bool next(Time until, Lines& lines) {
    auto timer = timers_.begin();
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->second < timer->second) timer = it;
    }
    const bool retries = !waiting_.empty() && (timer == timers_.end() || retry_at_ <= timer->second);
    if (!retries && timer == timers_.end()) return false;
    const Time due = retries ? retry_at_ : timer->second;
    if (due > until) return false;
    time_ = std::max(time_, due);
    if (retries) {
      Event event = std::move(waiting_.front());
      waiting_.pop_front();
      append(lines, deliver(std::move(event)));
    } else {
      const std::uint64_t tag = timer->first;
      timers_.erase(timer);
      append(lines, queue({.kind = BOTEL_TIMER_DUE, .tag = tag}));
    }
    return true;
  }
  static void append(Lines& to, const Lines& lines) { to.insert(to.end(), lines.begin(), lines.end()); }

  // One event, one transaction.
  Lines deliver(Event event) {
    const std::int32_t result = instance_->run(event, info_, state_, state_schema_);
    const bool retry = result > BOTEL_RETRY_AFTER(0);
    if (retry && event.attempt < kMaxAttempts) {
      forget_cache();
      const milliseconds delay(result - BOTEL_RETRY_AFTER(0));
      retry_at_ = time_ + delay;
      ++event.attempt;
      waiting_.push_front(std::move(event));
      return {"retry after " + std::to_string(delay.count()) + " ms"};
    }
    Lines lines;
    if (result == BOTEL_OK) {
      lines = commit();
    } else {
      forget_cache();
      lines = {"failed: " + (retry ? "too many attempts" : instance_->why(result))};
    }
    if (event.kind == BOTEL_ROOM_END) leave();
    return lines;
  }
  void leave() {
    forget_cache();
    timers_.clear();
    waiting_.clear();
    ended_ = true;
  }

  Lines commit() {
    Lines lines;
    for (Effect& effect : instance_->effects()) {
      if (effect.kind == BOTEL_EFFECT_STATE) {
        state_ = std::move(effect.payload);
        state_schema_ = instance_->bot().schema_written;
        continue;
      }
      if (effect.kind == BOTEL_TIMER_SET) timers_[effect.tag] = time_ + effect.delay;
      if (effect.kind == BOTEL_TIMER_CANCEL) timers_.erase(effect.tag);
      lines.push_back(line(effect));
      effects_.push_back(std::move(effect));
    }
    return lines;
  }

  std::unique_ptr<Instance> instance_;

  // The room.
  std::string info_ =
      R"({"context":{"sp":1,"app":1,"user":7,"room":7,"session":104,"bot":"1"},"user":{"id":7,"identifier":"aaaa"}})";
  std::string state_;
  unsigned state_schema_ = 0;
  std::map<std::uint64_t, Time> timers_;
  std::deque<Event> waiting_;  // the first waits until retry_at_, the others for it
  Time retry_at_{};
  std::uint64_t sequence_ = 0;
  bool ended_ = false;

  Time time_ = kSomeDay;
  std::uint64_t seed_ = kSomeSeed;

  std::vector<Effect> effects_;  // of the last call of Talk
};

}  // namespace botel::testing
