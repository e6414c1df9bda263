// What the process that tries a plugin says: a line for each step before it takes it, and a last one with the answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/images.hpp"

namespace botel::plugin {

struct Answer {
  std::string refusal{};  // why it must not be loaded; empty: it may
  std::vector<std::string> errors{}, warnings{};
  // Libraries in memory: before it was loaded, those that came with it, and those that its instances have opened.
  std::vector<Image> own{}, brought{}, opened{};
};

// "step making echo"
[[nodiscard]] std::string step_line(std::string_view doing);
[[nodiscard]] std::string answer_line(const Answer& answer);

// Whether it has come to a step, or an answer.
[[nodiscard]] bool has_begun(std::string_view said);
// The last step that was begun.
[[nodiscard]] std::string last_step(std::string_view said);
// Fit for a log. Nothing: it has not come to that.
[[nodiscard]] std::optional<Answer> read_answer(std::string_view said);

}  // namespace botel::plugin
