// Actors that wait for their turn. Each bot has a line of its own, and the lines take turns, so that one bot's crowd
// does not keep the others waiting. [driver]
#pragma once

#include <deque>
#include <unordered_map>

namespace botel::runtime {

class Actor;
class Role;

class Ready {
 public:
  void push(Actor& actor);
  void remove(Actor& actor);

  // Whose turn is next; null when nobody's, as those of a bot that does not serve wait. `quiet_only`: only of bots that
  // are in no handler now.
  [[nodiscard]] Actor* next(bool quiet_only) const;
  // Takes the first of its line out of it, into its handler, until it is back().
  void begin(Actor& actor);
  void back(const Actor& actor);

 private:
  struct Line {
    const Role* role = nullptr;
    std::deque<Actor*> actors;
    unsigned in_handlers = 0;
  };
  std::unordered_map<const Role*, Line> lines_;
  std::deque<Line*> rotation_;  // those that are not empty
};

}  // namespace botel::runtime
