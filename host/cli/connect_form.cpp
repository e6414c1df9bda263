#include "cli/connect_form.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/json.hpp"
#include "base/log.hpp"
#include "cli/text.hpp"

namespace botel::cli {
namespace {

using Kind = ConnectField::Kind;

// What an answer has to look like, where that is not obvious.
std::string form_of(const ConnectField& field) {
  switch (field.kind) {
    case Kind::text: return "";
    case Kind::integer: return "a whole number";
    case Kind::number: return "a number";
    case Kind::yes_no: return "y/n";
    case Kind::choice: return fmt::format("1 to {}", field.options.size());
    case Kind::json: return "JSON";
  }
  return "";
}

std::string complaint(const ConnectField& field) {
  switch (field.kind) {
    case Kind::integer: return "(that is no whole number)";
    case Kind::number: return "(that is no number)";
    case Kind::yes_no: return "(y for yes, or n for no)";
    case Kind::choice: return fmt::format("(a number from 1 to {})", field.options.size());
    default: return field.whole ? "(that is no JSON object)" : "(that is no JSON)";
  }
}

// A default as people read it.
std::string shown_preset(const ConnectField& field) {
  if (field.hidden) return "its default";
  for (const auto& option : field.options) {
    if (option.value == *field.preset) return option.text;
  }
  const auto preset = json::read(*field.preset);
  return preset ? log::printable(json::text(preset->root)) : "";
}

// The first name of a JSON pointer, as it stands there.
std::string_view first_of(std::string_view pointer) {
  if (!pointer.starts_with('/')) return {};
  return pointer.substr(0, pointer.find('/', 1));
}

std::string pointer_to(std::string_view key) {
  std::string pointer = "/";
  for (const char c : key) {
    if (c == '~' || c == '/') {
      pointer += c == '~' ? "~0" : "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

}  // namespace

std::vector<std::string> ConnectForm::description() const {
  std::vector<std::string> lines;
  if (!field().description.empty()) lines.push_back("  " + field().description);
  if (!field().examples.empty()) lines.push_back("  such as " + field().examples);
  for (std::size_t i = 0; i < field().options.size(); ++i) {
    lines.push_back(fmt::format("    {}. {}", i + 1, field().options[i].text));
  }
  return lines;
}

std::string ConnectForm::prompt() const {
  std::vector<std::string> hints;
  if (const auto form = form_of(field()); !form.empty()) hints.push_back(form);
  if (field().preset) {
    hints.push_back("else " + shown_preset(field()));
  } else if (!field().required) {
    hints.emplace_back("or nothing");
  }
  if (hints.empty()) return field().label + ": ";
  return fmt::format("{} ({}): ", field().label, fmt::join(hints, ", "));
}

std::optional<std::string> ConnectForm::enter(std::string_view line) {
  Answer answer{true, {}};
  if (line.empty() || (!field().hidden && trimmed(line).empty())) {
    if (!field().preset && field().required) return "(this must be given)";
    answer.json = field().preset;
  } else {
    answer.json = read_connect_answer(field(), line);
    if (!answer.json) return complaint(field());
  }
  answers_[at_] = std::move(answer);
  go_on();
  return {};
}

void ConnectForm::go_on() {
  at_ = 0;
  while (!complete() && answers_[at_].given) ++at_;
}

std::string ConnectForm::json() const {
  if (fields_.size() == 1 && fields_[0].whole) return *answers_[0].json;
  std::string text = "{";
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (!answers_[i].json) continue;
    if (text.size() > 1) text += ',';
    json::quote(text, fields_[i].key);
    text += ':' + *answers_[i].json;
  }
  return text + '}';
}

std::size_t ConnectForm::find(std::string_view pointer) const {
  std::size_t i = 0;
  while (i < fields_.size() && (fields_[i].whole || pointer_to(fields_[i].key) != first_of(pointer))) ++i;
  return i;
}

std::vector<std::string> ConnectForm::ask_again(const std::vector<Fault>& faults) {
  std::vector<std::string> lines;
  bool all = faults.empty();
  for (const auto& [pointer, message] : faults) {
    const std::size_t i = find(pointer);
    const bool is_known = i < fields_.size();
    const std::string rest = log::printable(is_known ? pointer.substr(first_of(pointer).size()) : pointer);
    const std::string who = is_known ? fields_[i].label : "";
    const std::string where = who + (who.empty() || rest.empty() ? "" : " ") + rest;
    lines.push_back("  " + (where.empty() ? "" : where + ": ") + log::printable(message, 200));
    if (is_known) answers_[i] = {};
    all = all || !is_known;
  }
  if (all) answers_.assign(fields_.size(), {});
  go_on();
  return lines;
}

}  // namespace botel::cli
