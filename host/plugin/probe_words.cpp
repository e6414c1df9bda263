#include "plugin/probe_words.hpp"

#include <algorithm>
#include <iterator>

#include "base/json.hpp"
#include "base/log.hpp"

namespace botel::plugin {
namespace {

constexpr std::string_view kStep = "step ";
constexpr std::string_view kAnswer = "answer ";
constexpr std::size_t kLongest = 500;  // bytes of what it says goes wrong: a plugin may have written it

// What stands behind `prefix` in the last whole line that begins with it.
std::optional<std::string_view> last_behind(std::string_view said, std::string_view prefix) {
  std::optional<std::string_view> last;
  for (auto end = said.find('\n'); end != std::string_view::npos; end = said.find('\n')) {
    if (const auto line = said.substr(0, end); line.starts_with(prefix)) last = line.substr(prefix.size());
    said.remove_prefix(end + 1);
  }
  return last;
}

std::string list(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  std::ranges::transform(texts, std::back_inserter(quoted), json::quoted);
  return json::array(quoted);
}

std::vector<std::string> read_list(const json::Document& from, std::string_view key) {
  std::vector<std::string> texts;
  const auto value = from.find(key);
  const auto items = value ? json::read(value->raw) : failure("");
  if (!items) return texts;
  for (const auto& element : items->elements) texts.push_back(log::printable(json::text(element), kLongest));
  return texts;
}

std::vector<std::string> texts(const std::vector<Image>& images) {
  std::vector<std::string> all;
  std::ranges::transform(images, std::back_inserter(all), to_text);
  return all;
}

std::vector<Image> read_images(const json::Document& from, std::string_view key) {
  std::vector<Image> images;
  for (const auto& text : read_list(from, key)) {
    if (auto image = read_image(text)) images.push_back(std::move(*image));
  }
  return images;
}

}  // namespace

std::string step_line(std::string_view doing) { return fmt::format("{}{}\n", kStep, doing); }

std::string answer_line(const Answer& answer) {
  return fmt::format("{}{{\"refusal\":{},\"errors\":{},\"warnings\":{},\"own\":{},\"brought\":{},\"opened\":{}}}\n",
                     kAnswer, json::quoted(answer.refusal), list(answer.errors), list(answer.warnings),
                     list(texts(answer.own)), list(texts(answer.brought)), list(texts(answer.opened)));
}

bool has_begun(std::string_view said) { return last_behind(said, kStep) || last_behind(said, kAnswer); }

std::string last_step(std::string_view said) {
  return log::printable(last_behind(said, kStep).value_or("starting"), 200);
}

std::optional<Answer> read_answer(std::string_view said) {
  const auto line = last_behind(said, kAnswer);
  const auto answer = line ? json::read(*line) : failure("");
  if (!answer) return {};
  return Answer{log::printable(json::text(*answer, "refusal"), kLongest),
                read_list(*answer, "errors"),
                read_list(*answer, "warnings"),
                read_images(*answer, "own"),
                read_images(*answer, "brought"),
                read_images(*answer, "opened")};
}

}  // namespace botel::plugin
