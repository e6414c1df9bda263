// A list of numbers as text, short where they follow each other: "1-57,60,59" is 1 to 57, 60 and 59. Nothing of the
// order is lost, and no number that is in it twice.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace chaos {

struct Run {
  long long first = 0, last = 0;
};

inline Run read_run(std::string_view text) {
  Run run;
  const auto dash = text.find('-');
  const auto first = text.substr(0, dash);
  std::from_chars(first.data(), first.data() + first.size(), run.first);
  run.last = run.first;
  if (dash == std::string_view::npos) return run;
  const auto last = text.substr(dash + 1);
  std::from_chars(last.data(), last.data() + last.size(), run.last);
  return run;
}

inline void append(std::string& list, long long number) {
  const auto comma = list.rfind(',');
  const auto begin = comma == std::string::npos ? 0 : comma + 1;
  const Run run = read_run(std::string_view(list).substr(begin));
  if (!list.empty() && number == run.last + 1) {
    list.resize(begin);
    list += std::to_string(run.first) + "-" + std::to_string(number);
  } else {
    list += (list.empty() ? "" : ",") + std::to_string(number);
  }
}

// Each run of a list.
template <class Visit>
void for_each_run(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    visit(read_run(list.substr(0, end)));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

inline long long count(std::string_view list) {
  long long numbers = 0;
  for_each_run(list, [&](const Run& run) { numbers += run.last - run.first + 1; });
  return numbers;
}

inline std::vector<long long> expand(std::string_view list) {
  std::vector<long long> numbers;
  for_each_run(list, [&](const Run& run) {
    for (long long number = run.first; number <= run.last; ++number) numbers.push_back(number);
  });
  return numbers;
}

}  // namespace chaos
