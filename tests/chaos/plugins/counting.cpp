// A bot that remembers every message, so that one that is lost, handled twice or overtaken shows.
//
//     N [timer MS]    a numbered message; it may set a timer with the tag N
//     tick            one of many that are the same, byte for byte
//     report R        says all that it remembers
//     crash           takes the host with it
//     sleep MS
//
// Whatever it says is `NAME | MORE`. The name is never used again in a room, so that a repeat is known by it, and MORE
// would differ if the same message were handled again.
#include <botel/bot.hpp>

#include <chrono>
#include <sstream>
#include <string>
#include <thread>

#include "numbers.hpp"

namespace {

// The state: `SEEN|FIRED|TICKS`.
struct Memory {
  std::string seen, fired;  // lists of numbers
  long long ticks = 0;

  static Memory read(std::string_view state) {
    std::istringstream parts{std::string(state)};
    Memory memory;
    std::getline(parts, memory.seen, '|');
    std::getline(parts, memory.fired, '|');
    parts >> memory.ticks;
    return memory;
  }
  std::string write() const { return seen + "|" + fired + "|" + std::to_string(ticks); }
};

[[gnu::no_sanitize("null", "address")]] void crash() {
  int* volatile nowhere = nullptr;
  *nowhere = 1;
}

class Counting : public botel::Bot {
 public:
  void on_message(botel::Room& room, const botel::Message& m) override {
    std::istringstream words(m.text);
    std::string verb;
    long long number = 0;
    words >> verb;
#ifdef COUNTING_THROWS
    throw botel::Error("this version does nothing well");
#endif
    if (verb == "crash") crash();
    if (verb == "report") return report(room, m.text);
    if (verb == "sleep" && words >> number) return std::this_thread::sleep_for(std::chrono::milliseconds(number));
    Memory memory = Memory::read(room.state());
    if (verb == "tick") {
      say(room, "tick " + std::to_string(++memory.ticks), "");
    } else {
      number = std::stoll(verb);
      long long delay = 0;
      if (words >> verb >> delay) {
        room.set_timer(static_cast<std::uint64_t>(number), std::chrono::milliseconds(delay));
      }
      chaos::append(memory.seen, number);
      say(room, std::to_string(number), std::to_string(chaos::count(memory.seen)) + " seen, ");
    }
    room.save(memory.write());
  }

  void on_timer(botel::Room& room, std::uint64_t tag) override {
    Memory memory = Memory::read(room.state());
    chaos::append(memory.fired, static_cast<long long>(tag));
    say(room, "timer " + std::to_string(tag), std::to_string(chaos::count(memory.fired)) + " fired, ");
    room.save(memory.write());
  }

 private:
  static void say(botel::Room& room, const std::string& name, const std::string& more) {
    room.say(name + " | " + more + "event " + std::to_string(room.event().sequence));
  }

  // `report R PART/PARTS | ...`
  static void report(botel::Room& room, const std::string& name) {
    constexpr std::size_t kPart = 50000;
    const std::string_view state = room.state();
    const std::size_t parts = state.size() / kPart + 1;
    for (std::size_t part = 0; part < parts; ++part) {
      room.say(name + " " + std::to_string(part + 1) + "/" + std::to_string(parts) + " | " +
               std::string(state.substr(part * kPart, kPart)));
    }
  }
};

}  // namespace

BOTEL_PLUGIN(botel::bot<Counting>("counting", COUNTING_VERSION));
