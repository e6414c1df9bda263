#include "base/log_output.hpp"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "base/signals.hpp"

namespace botel::log {
Output::Output(int log, std::size_t most, Notice notice) : log_(log), most_(most), notice_(std::move(notice)) {}

Output::~Output() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Output::start() try {
  const std::lock_guard lock(mutex_);
  thread_ = start_without_signals([this] { work(); });
} catch (const std::system_error&) {
}

void Output::write(int fd, std::string text) {
  const std::lock_guard lock(mutex_);
  if (!thread_.joinable()) {
    if (!write_all(fd, text)) drop();
    return;
  }
  dropping_ = bytes_ > (dropping_ ? most_ / 2 : most_);
  if (dropping_) {
    ++missing_;
    return drop();
  }
  bytes_ += text.size();
  ++waiting_;
  lines_.push_back({fd, std::move(text), std::exchange(missing_, 0)});
  changed_.notify_all();
}

bool Output::flush(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time,
                           [this] { return !thread_.joinable() || (lines_.empty() && missing_ == 0 && !writing_); });
}

void Output::flush_in_signal_handler(std::chrono::milliseconds time) const noexcept {
  constexpr timespec millisecond{0, 1'000'000};
  for (auto i = time.count(); waiting_ > 0 && i > 0; --i) nanosleep(&millisecond, nullptr);
}

void Output::count_dropped(Counter* counter) {
  const std::lock_guard lock(mutex_);
  counter_ = counter;
}

void Output::drop() {
  if (counter_) ++*counter_;
}

void Output::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || !lines_.empty() || missing_ > 0; });
    if (stopped_) return;
    const Line line = take();
    writing_ = true;
    lock.unlock();
    const bool written = write_out(line);
    lock.lock();
    writing_ = false;
    if (!written) drop();
    if (!line.text.empty()) --waiting_;
    changed_.notify_all();
  }
}

// Where no line waits, all that is left is to say what is missing.
Output::Line Output::take() {
  if (lines_.empty()) return {log_, "", std::exchange(missing_, 0)};
  Line line = std::move(lines_.front());
  lines_.pop_front();
  bytes_ -= line.text.size();
  return line;
}

bool Output::write_out(const Line& line) {
  unsaid_ += line.missing;
  if (unsaid_ > 0 && line.fd == log_ && write_all(log_, notice_(unsaid_))) unsaid_ = 0;
  const bool written = write_all(line.fd, line.text);
  if (!written) ++unsaid_;
  return written;
}

// False where it cannot be written: nobody is there to read, or the disk is full.
bool Output::write_all(int fd, std::string_view text) {
  if (torn_ == fd && ::write(fd, "\n", 1) == 1) torn_ = -1;
  while (!text.empty()) {
    const ssize_t size = ::write(fd, text.data(), text.size());
    if (size >= 0) {
      text.remove_prefix(static_cast<std::size_t>(size));
      torn_ = text.empty() ? -1 : fd;
    } else if (errno == EAGAIN) {  // somebody who shares the descriptor wants it that way
      pollfd wanted{fd, POLLOUT, 0};
      poll(&wanted, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace botel::log
