#include "base/log.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "base/json.hpp"
#include "base/log_output.hpp"
#include "base/text.hpp"

namespace botel::log {
namespace {

// `%*`: the line as a JSON string.
class JsonLine final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
    std::string quoted;
    json::quote(quoted, std::string_view(message.payload.data(), message.payload.size()));
    to.append(quoted.data(), quoted.data() + quoted.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonLine>(); }
};

constexpr std::size_t kMostWaiting = 1 << 20;
constexpr std::chrono::milliseconds kTimeAtEnd{500};

std::unique_ptr<spdlog::formatter> make_formatter(Format format) {
  if (format == Format::text) return std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonLine>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%*})");
  return formatter;
}

constinit std::atomic<Format> chosen{Format::text};
constinit std::atomic<const Output*> threaded{};

std::string missing(std::uint64_t lines) {
  const std::string text = fmt::format("{} missing here: they were not read in time, or could not be written",
                                       lines == 1 ? "1 line is" : fmt::format("{} lines are", lines));
  spdlog::memory_buf_t line;
  make_formatter(chosen)->format({"botel", spdlog::level::warn, text}, line);
  return {line.data(), line.size()};
}

// Never destroyed: its thread may be in the middle of a write that does not return.
Output& output() {
  static Output& instance = *new Output(STDERR_FILENO, kMostWaiting, missing);
  return instance;
}

class Sink final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    output().write(STDERR_FILENO, std::string(line.data(), line.size()));
  }
  void flush_() override {}
};

std::shared_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_shared<spdlog::logger>("botel", std::make_shared<Sink>());
  logger->set_formatter(make_formatter(Format::text));
  return logger;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = make_logger();
  return *instance;
}

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

void set_up(Level level, Format format) {
  logger().set_level(native(level));
  logger().set_formatter(make_formatter(format));
  chosen = format;
}

void start_thread() {
  output().start();
  threaded = &output();
  std::atexit(flush);
}

void flush() { output().flush(kTimeAtEnd); }

void flush_in_signal_handler(std::chrono::milliseconds time) noexcept {
  if (const Output* const waiting = threaded) waiting->flush_in_signal_handler(time);
}

void print(int fd, std::string_view line) { output().write(fd, std::string(line) + "\n"); }

DroppedLines::DroppedLines(Counters& counters) {
  output().count_dropped(&counters.add("log_lines_dropped_total", "Lines of the log that could not be written"));
}

DroppedLines::~DroppedLines() { output().count_dropped(nullptr); }

bool enabled(Level level) { return logger().should_log(native(level)); }

void write(Level level, std::string_view line) { logger().log(native(level), spdlog::string_view_t(line)); }

bool Throttle::allow() {
  constexpr unsigned most = 100;
  const auto now = std::chrono::steady_clock::now();
  if (now - second_ >= std::chrono::seconds(1)) {
    if (lines_ > most)
      write(Level::warning, fmt::format("{} more lines like the ones above were left out", lines_ - most));
    second_ = now;
    lines_ = 0;
  }
  return ++lines_ <= most;
}

std::string printable(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return clean(text);
  std::size_t end = longest;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;
  return clean(text.substr(0, end)) + "...";
}

}  // namespace botel::log
