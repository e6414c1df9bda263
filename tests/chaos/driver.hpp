// Gitple with many rooms at once: it starts them, sends each its numbered messages at a steady pace, and keeps account
// of all that comes back. It runs in a thread of its own, so that it goes on while a test makes trouble.
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "chaos/connection.hpp"
#include "chaos/ledger.hpp"
#include "chaos/visitors.hpp"
#include "harness/world.hpp"

namespace chaos {

struct Pace {
  int rooms = 20;
  int unanswered = 10;     // at most, of a room
  int per_second = 1000;   // of all rooms
  int visitors = 3;        // rooms that come and go, beside the others
  bool insistent = false;  // repeats a message until it is answered: for brokers that forget
};

class Driver {
 public:
  Driver(int broker_port, Pace pace, std::uint64_t seed);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Waits until all rooms are open.
  void open_rooms();
  void talk();
  // So many messages at once, to all rooms in turn. When it returns, the broker has them.
  void pile_up(int messages);
  // One message out of turn, which is no part of the account.
  void tell(int room, const std::string& text);
  // Sends no more, waits for what is still to come, asks all bots for their reports, and draws the balance.
  Balance finish();

  [[nodiscard]] long long answered() const;
  [[nodiscard]] int connection_losses() const;
  // The longest time between a message and its answer, in each room.
  [[nodiscard]] std::vector<std::chrono::milliseconds> longest_waits() const;
  // Waits until so many more messages were answered.
  void wait_for_answers(long long more);

 private:
  struct Line {  // to one room
    harness::Room room;
    Ledger ledger;
    bool open = false;
    long long ticks = 0;
    std::map<long long, std::string> unanswered = {};  // payloads by number
    std::map<long long, Clock::time_point> sent_at = {};
    std::size_t ticks_heard = 0;
    Clock::duration longest_wait{0};
  };

  void run();
  void hear(const std::string& topic, const std::string& payload);
  void hear_bot(Line& line, const std::string& payload);
  void send_what_is_due();
  bool send_next(Line& line);
  void send_number(Line& line, const std::string& more);
  void insist();
  void send(Line& line, const std::string& text);
  // Waits until `condition` holds; false when nothing was heard for `patience`.
  bool wait(std::chrono::milliseconds patience, const std::function<bool()>& condition);
  bool ask_reports(int number);

  const Pace pace_;
  mutable std::mutex mutex_;  // guards all below
  std::mt19937_64 random_;
  std::vector<Line> lines_;
  std::unordered_map<std::string, std::size_t> by_topic_;
  Connection connection_;
  Visitors visitors_;
  bool talking_ = false;
  double due_ = 0;  // messages
  Clock::time_point last_turn_, last_heard_;
  std::size_t next_ = 0;
  long long answered_ = 0;
  std::exception_ptr failure_;

  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

}  // namespace chaos
