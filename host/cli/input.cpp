#include "cli/input.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace botel::cli {
namespace {

constexpr std::size_t kLongestLine = 64 << 10;

// Where one ends, at `most` or a little before it; the text is longer.
std::size_t end_of_character(std::string_view text, std::size_t most) {
  const auto goes_on = [&](std::size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
  std::size_t end = most;
  while (end > most - 4 && goes_on(end)) --end;
  return goes_on(end) ? most : end;
}

}  // namespace

void Input::edit(EditingKeys keys) {
  if (!typed_) typed_.emplace(keys);
}

std::string Input::read_some() {
  std::array<char, 4096> buffer{};
  const auto size = ::read(descriptor_, buffer.data(), buffer.size());
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return "";
  ended_ = size <= 0;
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  if (!typed_) {
    text_ += bytes;
    return "";
  }
  std::string echo = typed_->type(bytes);
  text_ += typed_->take();
  ended_ |= typed_->has_ended();
  return echo;
}

void Input::forget() {
  text_.clear();
  if (typed_) typed_->forget();
}

bool Input::has_line() const {
  if (ended_) return !text_.empty();
  return text_.size() > kLongestLine || text_.find('\n') != std::string::npos;
}

std::optional<std::string> Input::take_line() {
  if (!has_line()) return {};
  auto end = std::min(text_.find('\n'), text_.size());
  if (end > kLongestLine) end = end_of_character(text_, kLongestLine);
  std::string line = text_.substr(0, end);
  text_.erase(0, end < text_.size() && text_[end] == '\n' ? end + 1 : end);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace botel::cli
