// Signals as a file to read, for a loop that polls; and threads that get none.
#pragma once

#include <signal.h>

#include <array>
#include <functional>
#include <initializer_list>
#include <thread>

namespace botel {

// Blocks `signals` in this thread, and in those that it starts, and opens a signalfd for them; SIGPIPE is ignored.
[[nodiscard]] int open_signals(std::initializer_list<int> signals);

// What a thread's own fault sends it.
inline constexpr std::array kFatalSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// A thread that gets no signal but those. Throws as start_thread() does.
[[nodiscard]] std::thread start_without_signals(std::function<void()> run);

}  // namespace botel
