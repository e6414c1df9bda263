// A form that is being filled in, field after field. Pure: lines in, an answer out.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/chat_message.hpp"

namespace botel::cli {

class ChatForm {
 public:
  explicit ChatForm(std::vector<ChatField> fields = {}) : fields_(std::move(fields)) {}

  // Nothing is left to ask.
  [[nodiscard]] bool complete() const { return answers_.size() == fields_.size(); }

  // What the next field is called, such as "Name: " or "Colour (1 to 3): ". There must be one.
  [[nodiscard]] std::string prompt() const;

  // Takes what was entered for the next field. False: it will not do, and the field is to be asked again.
  bool enter(std::string_view line);

  // Of a complete form: as people read it, and as {"key":"value",...}.
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] std::string json() const;

 private:
  std::vector<ChatField> fields_;
  std::vector<Option> answers_;  // of the first fields: the value, and how it reads
};

}  // namespace botel::cli
