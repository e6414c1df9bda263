#include "base/log.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/json.hpp"
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

std::shared_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_shared<spdlog::logger>("botel", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  logger->flush_on(spdlog::level::info);
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
  if (format != Format::json) return;
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<JsonLine>('*').set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%*})");
  logger().set_formatter(std::move(formatter));
}

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
