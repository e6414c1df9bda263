// What a step of a configuration asks for: the properties of its JSON Schema, as questions to somebody at a terminal.
// Pure functions on bytes from outside. Whether an answer fits the schema in the end is judged by the host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "cli/option.hpp"

namespace botel::cli {

struct ConnectField {
  enum class Kind {
    text,
    integer,
    number,
    yes_no,
    choice,  // one of the options, whose values are JSON
    json     // an object, an array, or whatever else cannot be asked for in another way
  };

  std::string key;
  bool whole = false;                        // it stands for the whole object, and has no key
  std::string label, description, examples;  // clean, and of a size that can be shown
  Kind kind = Kind::text;
  std::vector<Option> options;
  std::optional<std::string> preset;  // JSON, taken when nothing is entered
  bool required = false;
  bool hidden = false;  // it is not to be seen while it is typed, nor later
};

// The fields of an object that the schema describes, in the order in which it names them. Where it names none: one
// field for the whole object. An error: it cannot be asked for.
[[nodiscard]] Result<std::vector<ConnectField>> read_connect_fields(std::string_view schema);

// What stands above the first question: title and description, clean.
[[nodiscard]] std::vector<std::string> describe_schema(std::string_view schema);

// The JSON that `line` means, as the answer to `field`; nothing when it will not do. Not for an empty line.
[[nodiscard]] std::optional<std::string> read_connect_answer(const ConnectField& field, std::string_view line);

}  // namespace botel::cli
