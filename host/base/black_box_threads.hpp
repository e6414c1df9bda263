// Which thread has which place in the black box, and what happens when one gets a fatal signal or calls exit().
//
// exit() of this process is our own: it notes the task of the thread that calls it, and calls libc's.
#pragma once

#include <cstdint>
#include <vector>

#include "base/black_box_memory.hpp"

namespace botel::black_box {

// From here on what ends the run is noted in the file of `memory`, until unwatch() has returned.
void watch(const Memory& memory);
void unwatch(const Memory& memory);

// What is running now, but for the `innocent` tasks, is to blame for this end. The process must end before it returns.
void note_left(const Memory& memory, const std::vector<std::uint64_t>& innocent);

}  // namespace botel::black_box
