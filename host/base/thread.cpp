#include "base/thread.hpp"

#include <system_error>
#include <utility>

namespace botel {

std::thread start_thread(std::function<void()> run) try {
  return std::thread(std::move(run));
} catch (const std::system_error& error) {
  throw std::system_error(error.code(), "no thread can be started");
}

}  // namespace botel
