#include "moca/times.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace botel::moca {
namespace {

using namespace std::chrono;

// Takes a text apart from its beginning. What is not as it should be makes all of it wrong.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  // So many digits, at most `most`.
  int number(std::size_t digits, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = 10 * value + digit();
    good_ = good_ && value <= most;
    return value;
  }
  // One of these.
  char one_of(std::string_view all) {
    const char c = rest_.empty() ? '\0' : rest_[0];
    good_ = good_ && !rest_.empty() && all.find(c) != std::string_view::npos;
    rest_.remove_prefix(rest_.empty() ? 0 : 1);
    return c;
  }
  // Milliseconds, where there is a fraction.
  int fraction() {
    if (!rest_.starts_with('.')) return 0;
    rest_.remove_prefix(1);
    const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    good_ = good_ && digits > 0;
    int value = 0;
    for (std::size_t i = 0; i < 3; ++i) value = 10 * value + (i < digits ? rest_[i] - '0' : 0);
    rest_.remove_prefix(digits);
    return value;
  }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

 private:
  int digit() { return one_of("0123456789") - '0'; }

  std::string_view rest_;
  bool good_ = true;
};

minutes read_zone(Reader& in) {
  const char sign = in.one_of("Zz+-");
  if (sign == 'Z' || sign == 'z') return minutes(0);
  const hours hour(in.number(2, 23));
  in.one_of(":");
  const minutes offset = hour + minutes(in.number(2, 59));
  return sign == '-' ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> read_time(std::string_view text) {
  Reader in(text);
  const year year(in.number(4, 9999));
  in.one_of("-");
  const month month(static_cast<unsigned>(in.number(2, 12)));
  in.one_of("-");
  const day day(static_cast<unsigned>(in.number(2, 31)));
  in.one_of("Tt");
  const hours hour(in.number(2, 23));
  in.one_of(":");
  const minutes minute(in.number(2, 59));
  in.one_of(":");
  const seconds second(in.number(2, 60));  // 60 is a leap second
  const milliseconds fraction(in.fraction());
  const minutes zone = read_zone(in);
  const year_month_day date(year, month, day);
  if (!in.done() || !date.ok()) return {};
  const auto time = sys_days(date) + hour + minute + second + fraction - zone;
  // In UTC it has four digits of a year as well.
  if (time < sys_days(year_month_day(std::chrono::year(1), January, std::chrono::day(1))) ||
      time >= sys_days(year_month_day(std::chrono::year(10'000), January, std::chrono::day(1)))) {
    return {};
  }
  return time.time_since_epoch().count();
}

std::string time_as_text(std::int64_t unix_ms) {
  const sys_time<milliseconds> time{milliseconds(unix_ms)};
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss<milliseconds> clock(time - midnight);
  const auto fraction = clock.subseconds().count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}+00:00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(),
                     fraction == 0 ? "" : fmt::format(".{:03}", fraction));
}

}  // namespace botel::moca
