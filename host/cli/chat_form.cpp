#include "cli/chat_form.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/text.hpp"

namespace botel::cli {
std::string ChatForm::prompt() const {
  const ChatField& field = fields_[answers_.size()];
  if (field.options.empty()) return clean(field.label) + ": ";
  return fmt::format("{} (1 to {}): ", clean(field.label), field.options.size());
}

bool ChatForm::enter(std::string_view line) {
  const ChatField& field = fields_[answers_.size()];
  line = trimmed(line);
  if (line.empty()) line = field.preset;
  if (line.empty()) {
    if (!field.required) answers_.emplace_back();
    return !field.required;
  }
  if (field.options.empty()) {
    answers_.push_back({std::string(line), std::string(line)});
    return true;
  }
  const auto option = find_option(field.options, line);
  if (option) answers_.push_back(*option);
  return option.has_value();
}

std::string ChatForm::summary() const {
  std::string text;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (i > 0) text += ", ";
    text += fields_[i].label + ": " + (answers_[i].text.empty() ? "-" : answers_[i].text);
  }
  return text;
}

std::string ChatForm::json() const {
  std::string text = "{";
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (i > 0) text += ',';
    json::quote(text, fields_[i].key);
    text += ':';
    json::quote(text, answers_[i].value);
  }
  return text + '}';
}

}  // namespace botel::cli
