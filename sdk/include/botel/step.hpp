// The steps of a configuration: what MOCA's user is asked, and the answers. See connector.hpp.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "json.hpp"

namespace botel {

// What a field of a step has besides its name. What is left out is not in the schema.
struct StepField {
  std::string title{};
  std::string description{};
  std::vector<std::string> examples{};   // of an integer or a number: as JSON
  std::string pattern{};                 // of texts: a regular expression, as RE2 has them
  std::string format{};                  // of texts: "email", "uri", "date", ...
  std::optional<unsigned> min_length{};  // of texts: in characters
  std::optional<unsigned> max_length{};  // of texts; the host takes no more than 1,024
  std::optional<long long> minimum{};    // of integers and numbers
  std::optional<long long> maximum{};    // of integers and numbers
  bool optional = false;                 // it may be left out
};

// What is asked next: a JSON Schema (draft-07) in the making. At least one of its fields must be needed, as {} always
// means the beginning.
//
//     Step("login", "Log in").text("name", {.title = "Name", .max_length = 80}).password("password")
class Step {
 public:
  // `id`: at most 64 bytes, not "finished"; it comes back in Answer::step.
  explicit Step(std::string id, const std::string& title = {}, const std::string& description = {})
      : id_(std::move(id)) {
    schema_.text("$schema", "http://json-schema.org/draft-07/schema#").text("$id", id_ + ".schema.json");
    schema_.optional("title", title).optional("description", description).text("type", "object");
  }
  // A step with a schema of the connector's own, JSON.
  static Step with_schema(std::string id, std::string schema) {
    Step step(std::move(id));
    step.whole_ = std::move(schema);
    return step;
  }

  Step& text(const std::string& name, const StepField& field = {}) { return add(name, "string", field); }
  // A text that is not shown while it is typed.
  Step& password(const std::string& name, const StepField& field = {}) {
    return add(name, "string", field, json::Object().flag("writeOnly", true));
  }
  Step& integer(const std::string& name, const StepField& field = {}) { return add(name, "integer", field); }
  Step& number(const std::string& name, const StepField& field = {}) { return add(name, "number", field); }
  // Yes or no.
  Step& flag(const std::string& name, const StepField& field = {}) { return add(name, "boolean", field); }
  // One of these texts.
  Step& choice(const std::string& name, const std::vector<std::string>& choices, const StepField& field = {}) {
    return add(name, "string", field, json::Object().raw("enum", list(choices, true)));
  }

  const std::string& id() const { return id_; }
  // The schema.
  std::string json() const {
    if (!whole_.empty()) return whole_;
    if (required_.empty()) throw Error("the step " + id_ + " has no field that is needed");
    json::Object schema = schema_;
    return schema.raw("properties", properties_.json()).raw("required", list(required_, true)).json();
  }

 private:
  // `more`: what is special to it.
  Step& add(const std::string& name, const std::string& type, const StepField& field, const json::Object& more = {}) {
    json::Object all;
    all.optional("title", field.title).optional("description", field.description).text("type", type).add(more);
    if (!field.examples.empty()) all.raw("examples", list(field.examples, type == "string"));
    all.optional("pattern", field.pattern).optional("format", field.format);
    if (field.min_length) all.number("minLength", *field.min_length);
    if (field.max_length) all.number("maxLength", *field.max_length);
    if (field.minimum) all.number("minimum", *field.minimum);
    if (field.maximum) all.number("maximum", *field.maximum);
    const std::string quoted = json::quoted(name);
    properties_.raw(std::string_view(quoted).substr(1, quoted.size() - 2), all.json());
    if (!field.optional) required_.push_back(name);
    return *this;
  }
  static std::string list(const std::vector<std::string>& values, bool are_texts) {
    std::string list;
    for (const std::string& value : values) {
      if (!are_texts && !json::is_json(value)) throw Error("an example is not JSON");
      list += (list.empty() ? "" : ",") + (are_texts ? json::quoted(value) : value);
    }
    return "[" + list + "]";
  }

  std::string id_, whole_;
  json::Object schema_, properties_;
  std::vector<std::string> required_;
};

// What was answered to a step; the host has checked it against the step's schema. What is not there, or is something
// else, is `otherwise`.
class Answer {
 public:
  Answer(std::string step, std::string_view object)
      : step(std::move(step)), json(object), object_(json::parse(object)) {}

  std::string text(const char* name) const { return std::string(json::text(object_, name)); }
  long long integer(const char* name, long long otherwise = 0) const { return json::number(object_, name, otherwise); }
  double number(const char* name, double otherwise = 0) const { return json::real(object_, name, otherwise); }
  bool flag(const char* name, bool otherwise = false) const { return json::flag(object_, name, otherwise); }

  const std::string step;       // the step that it belongs to; empty: the configuration begins
  const std::string_view json;  // an object. Valid until the handler returns

 private:
  const rapidjson::Document object_;
};

}  // namespace botel
