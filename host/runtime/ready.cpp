#include "runtime/ready.hpp"

#include <algorithm>

#include "runtime/actor.hpp"

namespace botel::runtime {

void Ready::push(Actor& actor) {
  Line& line = lines_[&actor.role];
  line.role = &actor.role;
  if (line.actors.empty()) rotation_.push_back(&line);
  line.actors.push_back(&actor);
}

void Ready::remove(Actor& actor) {
  Line& line = lines_[&actor.role];
  if (std::erase(line.actors, &actor) > 0 && line.actors.empty()) std::erase(rotation_, &line);
}

Actor* Ready::next(bool quiet_only) const {
  for (const Line* const line : rotation_) {
    if (line->role->serves() && (!quiet_only || line->in_handlers == 0)) return line->actors.front();
  }
  return nullptr;
}

void Ready::begin(Actor& actor) {
  Line& line = lines_[&actor.role];
  std::erase(rotation_, &line);
  line.actors.pop_front();
  if (!line.actors.empty()) rotation_.push_back(&line);
  ++line.in_handlers;
}

void Ready::back(const Actor& actor) { --lines_[&actor.role].in_handlers; }

}  // namespace botel::runtime
