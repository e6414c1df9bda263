// Threads of the host's own.
#pragma once

#include <functional>
#include <thread>

namespace botel {

// Throws std::system_error, whose text is a sentence, where the system has no thread to give.
[[nodiscard]] std::thread start_thread(std::function<void()> run);

}  // namespace botel
