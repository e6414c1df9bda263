#include "cli/input.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace botel::cli {
namespace {

constexpr std::size_t kLongestLine = 64 << 10;

}  // namespace

void Input::read_some() {
  std::array<char, 4096> buffer{};
  const auto size = ::read(descriptor_, buffer.data(), buffer.size());
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size <= 0) {
    ended_ = true;
  } else {
    text_.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

bool Input::has_line() const {
  if (ended_) return !text_.empty();
  return text_.size() >= kLongestLine || text_.find('\n') != std::string::npos;
}

std::optional<std::string> Input::take_line() {
  if (!has_line()) return {};
  const auto end = std::min({text_.find('\n'), text_.size(), kLongestLine});
  std::string line = text_.substr(0, end);
  text_.erase(0, end < text_.size() && text_[end] == '\n' ? end + 1 : end);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

}  // namespace botel::cli
