// JSON Schema draft-07: does data from outside have the form that a plugin asked for?
//
// Schemas come from outside, too: whatever they hold, compile() and check() answer, soon, and throw nothing. Supported
// is what draft-07 says of `validation`, but for `patternProperties`, `$ref` to other documents, and schemas that
// contain themselves. A `pattern` is matched by RE2, in linear time; one that needs a backtracking engine is refused.
// A `format` that is not known (schema_formats.cpp) is ignored, as draft-07 has it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace botel {

// Immutable; a copy shares. Any thread.
class Schema {
 public:
  // Of data: more is a fault, whatever the schema says.
  static constexpr std::size_t kMaxCharacters = 1'024;  // Unicode code points of a string or of a member's name
  static constexpr int kMaxNesting = 16;                // arrays and objects in one another
  // Of schemas: more is refused.
  static constexpr std::size_t kMaxBytes = std::size_t{256} * 1'024;
  static constexpr int kMaxDepth = 64;                 // schemas in one another, references followed; also JSON nesting
  static constexpr std::size_t kMaxExpanded = 10'000;  // schemas, each counted as often as references lead to it
  // More faults are not told.
  static constexpr std::size_t kMaxFaults = 100;

  struct Fault {
    std::string pointer;  // into the data, RFC 6901; "" is the root. Holds names of members, and no values
    std::string message;  // "is not a string". Never holds anything of the data, which may be a secret
    friend bool operator==(const Fault&, const Fault&) = default;
  };

  // The schema, or why it is refused.
  [[nodiscard]] static Result<Schema> compile(std::string_view json);

  // What is wrong with the data; nothing when it is valid. Text that is not JSON is one fault. Takes time in proportion
  // to the values of the data times the schemas that apply to each: who reads from outside limits the size of a text.
  [[nodiscard]] std::vector<Fault> check(std::string_view json) const;

 private:
  struct Compiled;
  explicit Schema(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace botel
