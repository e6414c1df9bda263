// Signals as a file to read, for a loop that polls.
#pragma once

#include <initializer_list>

namespace botel {

// Blocks `signals` in this thread, and in those that it starts, and opens a signalfd for them; SIGPIPE is ignored.
[[nodiscard]] int open_signals(std::initializer_list<int> signals);

}  // namespace botel
