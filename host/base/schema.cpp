#include "base/schema.hpp"

#include <valijson/adapters/rapidjson_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <algorithm>
#include <exception>
#include <optional>

#include "base/json.hpp"
#include "base/schema_data.hpp"
#include "base/schema_pointer.hpp"
#include "base/schema_rewrite.hpp"

namespace botel {
namespace {

using rapidjson::Value;
using schema::Rules;
using valijson::adapters::Adapter;
using RulesTable = std::vector<std::shared_ptr<const Rules>>;
using Pool = rapidjson::Document::AllocatorType;

// valijson says several things of each fault, each with the whole way to it. Beyond this many, it is stopped by an
// exception, the one way out of it: a long array of what is wrong would otherwise take gigabytes.
constexpr std::size_t kEnough = 10 * Schema::kMaxFaults;
struct Enough {
  valijson::ValidationResults results;  // of the branch that it was in
};

// What our rules say is marked, so that it is not taken for valijson's.
constexpr std::string_view kOurs = "botel: ";
constexpr std::string_view kUnknown = "does not have the form that is asked for";

// What valijson shows of a value, as a value again; where not all of it is asked for, an array or object is empty.
Value copy(const Adapter& shown, bool whole, Pool& pool) {
  if (shown.isString()) {
    const std::string text = shown.getString();
    return Value(text.data(), static_cast<rapidjson::SizeType>(text.size()), pool);
  }
  if (shown.isBool()) return Value(shown.getBool());
  if (shown.isInteger()) return Value(shown.getInteger());
  if (shown.isDouble()) return Value(shown.getDouble());
  if (shown.isArray()) {
    Value array(rapidjson::kArrayType);
    const auto add = [&](const Adapter& element) {
      array.PushBack(copy(element, true, pool), pool);
      return true;
    };
    if (whole) shown.applyToArray(add);
    return array;
  }
  if (shown.isObject()) {
    Value object(rapidjson::kObjectType);
    const auto add = [&](const std::string& name, const Adapter& member) {
      Value key(name.data(), static_cast<rapidjson::SizeType>(name.size()), pool);
      object.AddMember(key, copy(member, true, pool), pool);
      return true;
    };
    if (whole) shown.applyToObject(add);
    return object;
  }
  return {};
}

// The rules of one schema, as valijson wants them.
class RulesConstraint : public valijson::constraints::PolyConstraint {
 public:
  explicit RulesConstraint(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

  bool validate(const Adapter& target, const std::vector<std::string>& context,
                valijson::ValidationResults* results) const override {
    if (results != nullptr && results->numErrors() > kEnough) throw Enough{*results};
    if (rules_->empty()) return true;
    Pool pool(256);
    const bool whole = std::any_of(rules_->begin(), rules_->end(), [](const auto& rule) { return rule.whole; });
    const Value value = copy(target, whole, pool);
    bool good = true;
    for (const auto& rule : *rules_) {
      if (rule.fits(value)) continue;
      good = false;
      if (results == nullptr) break;
      results->pushError(context, std::string(kOurs) + rule.sentence);
      if (rule.gate) break;
    }
    return good;
  }

 private:
  Constraint* cloneInto(void* memory) const override { return new (memory) RulesConstraint(*this); }
  std::size_t sizeOf() const override { return sizeof(RulesConstraint); }

  std::shared_ptr<const Rules> rules_;
};

class RulesBuilder : public valijson::ConstraintBuilder {
 public:
  explicit RulesBuilder(const RulesTable& table) : table_(table) {}

  valijson::constraints::Constraint* make(const Adapter& index) const override {
    return new RulesConstraint(table_.at(static_cast<std::size_t>(index.getInteger())));
  }

 private:
  const RulesTable& table_;
};

// ["<root>", "[phone]", "[0]"]
std::string pointer(const std::vector<std::string>& context) {
  std::string result;
  for (std::size_t i = 1; i < context.size(); ++i) {
    result = schema::step(std::move(result), std::string_view(context[i]).substr(1, context[i].size() - 2));
  }
  return result;
}

// valijson's words in ours; nothing for what only repeats that something inside is wrong. A text that is not known is
// not passed on: another valijson might cite values in it.
std::optional<std::string> sentence(std::string_view words) {
  if (words.starts_with(kOurs)) return std::string(words.substr(kOurs.size()));
  if (words.starts_with("Failed to validate")) return {};
  static constexpr struct {
    std::string_view begin, end, ours, ours_end;
  } kKnown[] = {
      {"Missing required property '", "'.", "is missing: ", ""},
      {"Missing dependency '", "'.", "is missing: ", ""},
      {"Array should contain no more than ", " elements.", "has more than ", " items"},
      {"Array should contain no fewer than ", " elements.", "has fewer than ", " items"},
      {"Object should have no more than ", " properties.", "has more than ", " members"},
      {"Object should have no fewer than ", " properties.", "has fewer than ", " members"},
  };
  for (const auto& known : kKnown) {
    if (!words.starts_with(known.begin) || !words.ends_with(known.end)) continue;
    words.remove_prefix(known.begin.size());
    words.remove_suffix(known.end.size());
    return fmt::format("{}{}{}", known.ours, words, known.ours_end);
  }
  return std::string(kUnknown);
}

void add_faults(const valijson::ValidationResults& results, std::vector<Schema::Fault>& faults) {
  for (const auto& error : results) {
    const auto message = sentence(error.description);
    if (!message) continue;
    if (faults.size() == Schema::kMaxFaults) return;
    Schema::Fault fault{pointer(error.context), *message};
    // The same part of a schema may apply in two ways.
    if (std::find(faults.begin(), faults.end(), fault) == faults.end()) faults.push_back(std::move(fault));
  }
}

}  // namespace

struct Schema::Compiled {
  valijson::Schema schema;
};

Result<Schema> Schema::compile(std::string_view text) try {
  if (text.size() > kMaxBytes) return failure("larger than {} KiB", kMaxBytes / 1'024);
  static_assert(kMaxDepth == json::kMaxDepth);
  rapidjson::Document document;
  if (const auto good = schema::parse(text, document); !good) {
    return failure("cannot be read as JSON: {}", good.error());
  }
  const auto rewritten = schema::rewrite(document);
  if (!rewritten) return tl::unexpected(rewritten.error());

  auto compiled = std::make_shared<Compiled>();
  valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
  parser.addConstraintBuilder(schema::kRulesKeyword, new RulesBuilder(rewritten->rules));
  parser.populateSchema(valijson::adapters::RapidJsonAdapter(rewritten->document), compiled->schema);
  return Schema(std::move(compiled));
} catch (const std::exception& error) {
  return failure("{}", error.what());
}

std::vector<Schema::Fault> Schema::check(std::string_view text) const try {
  rapidjson::Document document;
  if (auto beyond = schema::read_data(text, document); !beyond.empty()) return beyond;
  std::vector<Fault> faults;
  valijson::ValidationResults results;
  try {
    const valijson::adapters::RapidJsonAdapter data(document);
    if (valijson::Validator().validate(compiled_->schema, data, &results)) return {};
    add_faults(results, faults);
  } catch (const Enough& enough) {
    add_faults(results, faults);
    add_faults(enough.results, faults);
  }
  if (faults.empty()) faults.push_back({"", std::string(kUnknown)});
  return faults;
} catch (const std::exception&) {
  return {{"", "cannot be checked"}};
}

}  // namespace botel
