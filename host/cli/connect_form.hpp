// A step of a configuration that is being filled in, field after field. Pure: lines in, an object out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/connect_field.hpp"

namespace botel::cli {

class ConnectForm {
 public:
  explicit ConnectForm(std::vector<ConnectField> fields = {}) : fields_(std::move(fields)), answers_(fields_.size()) {}

  // Nothing is left to ask.
  [[nodiscard]] bool complete() const { return at_ == fields_.size(); }
  // What is asked next. There must be something.
  [[nodiscard]] const ConnectField& field() const { return fields_[at_]; }

  // What stands above the question, and the question: "Port (else 1883): ".
  [[nodiscard]] std::vector<std::string> description() const;
  [[nodiscard]] std::string prompt() const;

  // Takes what was entered. What is wrong with it, when it will not do and is to be asked for again.
  std::optional<std::string> enter(std::string_view line);

  // Of a complete form: the object.
  [[nodiscard]] std::string json() const;

  // What is wrong with the object, by JSON pointers into it. The fields that they point at are asked for again, or all
  // of them where something else is wrong. In lines to be shown.
  struct Fault {
    std::string pointer, message;
  };
  std::vector<std::string> ask_again(const std::vector<Fault>& faults);

 private:
  struct Answer {
    bool given = false;               // nothing is to be asked
    std::optional<std::string> json;  // nothing: it is left out
  };

  void go_on();
  [[nodiscard]] std::size_t find(std::string_view pointer) const;

  std::vector<ConnectField> fields_;
  std::vector<Answer> answers_;
  std::size_t at_ = 0;
};

}  // namespace botel::cli
