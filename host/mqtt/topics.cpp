#include "mqtt/topics.hpp"

#include <mosquitto.h>

#include <algorithm>

#include "base/json.hpp"

namespace botel::mqtt {
namespace {

constexpr std::size_t kMaxBytes = 65535;
constexpr std::ptrdiff_t kMaxLevels = 200;

bool sound(std::string_view text) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= kMaxBytes && std::ranges::count(text, '/') < kMaxLevels &&
         std::ranges::none_of(text, control) && json::valid_utf8(text) &&
         mosquitto_validate_utf8(text.data(), static_cast<int>(text.size())) == MOSQ_ERR_SUCCESS;
}

}  // namespace

bool valid_topic(std::string_view topic) { return sound(topic) && topic.find_first_of("+#") == std::string_view::npos; }

bool valid_filter(std::string_view filter) {
  return sound(filter) && mosquitto_sub_topic_check2(filter.data(), filter.size()) == MOSQ_ERR_SUCCESS;
}

bool matches(std::string_view filter, std::string_view topic) {
  bool result = false;
  const int error = mosquitto_topic_matches_sub2(filter.data(), filter.size(), topic.data(), topic.size(), &result);
  return error == MOSQ_ERR_SUCCESS && result;
}

bool overlap(std::string_view a, std::string_view b) {
  const auto as = levels(a), bs = levels(b);
  for (std::size_t i = 0; i < std::max(as.size(), bs.size()); ++i) {
    // `#` stands for any number of levels, none as well.
    if ((i < as.size() && as[i] == "#") || (i < bs.size() && bs[i] == "#")) return true;
    if (i >= as.size() || i >= bs.size()) return false;
    if (as[i] != bs[i] && as[i] != "+" && bs[i] != "+") return false;
  }
  return true;
}

std::vector<std::string_view> levels(std::string_view topic) {
  std::vector<std::string_view> result;
  for (std::size_t begin = 0;;) {
    const auto end = topic.find('/', begin);
    result.push_back(topic.substr(begin, end - begin));
    if (end == std::string_view::npos) return result;
    begin = end + 1;
  }
}

}  // namespace botel::mqtt
