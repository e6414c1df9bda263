// The first process of a PID namespace (PID 1), as a container without an init of its own makes of this program. The
// kernel drops signals that such a process has no handler for, and gives it the orphans of all others.
#pragma once

#include "base/result.hpp"

namespace botel {

// In the first process: forks, and returns in the child, which is a process like any other from then on. The first one
// never returns: it hands signals on to the child, reaps orphans, and ends when the child has ended, with its exit code
// or 128 + the number of its signal. What is left then gets SIGTERM and two seconds: a private broker saves its
// sessions. Elsewhere it does nothing. Call it before any other thread is there.
[[nodiscard]] Result<> leave_first_process();

}  // namespace botel
