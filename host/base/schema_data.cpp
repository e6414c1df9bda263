#include "base/schema_data.hpp"

#include <rapidjson/memorystream.h>

#include <charconv>
#include <set>

#include "base/json.hpp"
#include "base/schema_pointer.hpp"
#include "base/schema_rules.hpp"

namespace botel::schema {
namespace {

using Value = rapidjson::Value;

// Makes numbers of digits: RapidJSON's own way to an exact double is undefined for some, as 0e-30. And to valijson, an
// integer beyond int64 is a negative one.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  explicit Builder(rapidjson::Document& document) : document_(document) {}

  bool Null() { return document_.Null(); }
  bool Bool(bool value) { return document_.Bool(value); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    std::int64_t integer = 0;
    const auto whole = std::from_chars(text, text + size, integer);
    if (whole.ec == std::errc() && whole.ptr == text + size) return document_.Int64(integer);
    double number = 0;
    return std::from_chars(text, text + size, number).ec == std::errc() && document_.Double(number);
  }
  bool String(const char* text, rapidjson::SizeType size, bool) { return document_.String(text, size, true); }
  bool Key(const char* text, rapidjson::SizeType size, bool) { return document_.Key(text, size, true); }
  bool StartObject() { return document_.StartObject(); }
  bool StartArray() { return document_.StartArray(); }
  bool EndObject(rapidjson::SizeType members) { return document_.EndObject(members); }
  bool EndArray(rapidjson::SizeType elements) { return document_.EndArray(elements); }

 private:
  rapidjson::Document& document_;
};

class Limits {
 public:
  void visit(const Value& value, const std::string& pointer, int depth) {
    if (faults.size() == Schema::kMaxFaults) return;
    if (value.IsString() && count_characters(view(value)) > Schema::kMaxCharacters) {
      add(pointer, fmt::format("is longer than {} characters", Schema::kMaxCharacters));
    }
    if (!value.IsArray() && !value.IsObject()) return;
    if (depth == Schema::kMaxNesting) {
      return add(pointer, fmt::format("is nested deeper than {} levels", Schema::kMaxNesting));
    }
    if (value.IsObject()) return members(value, pointer, depth);
    for (rapidjson::SizeType i = 0; i < value.Size(); ++i) visit(value[i], step(pointer, std::to_string(i)), depth + 1);
  }

  std::vector<Schema::Fault> faults;

 private:
  void members(const Value& object, const std::string& pointer, int depth) {
    std::set<std::string_view> names;
    for (const auto& member : object.GetObject()) {
      const auto name = view(member.name);
      // A name that is too long is too long for a pointer, too.
      if (count_characters(name) > Schema::kMaxCharacters) {
        add(pointer, fmt::format("has a member whose name is longer than {} characters", Schema::kMaxCharacters));
      } else if (!names.insert(name).second) {
        // We would check one of them, and the next reader might take the other.
        add(step(pointer, name), "is there twice");
      } else {
        visit(member.value, step(pointer, name), depth + 1);
      }
    }
  }

  void add(const std::string& pointer, std::string message) {
    if (faults.size() < Schema::kMaxFaults) faults.push_back({pointer, std::move(message)});
  }
};

}  // namespace

Result<> parse(std::string_view text, rapidjson::Document& document) {
  // It refuses more than RapidJSON's own parser does: half a surrogate pair, bytes behind a NUL.
  if (const auto good = json::read(text); !good) return tl::unexpected(good.error());
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream stream(text.data(), text.size());
  bool good = false;
  const auto generate = [&](rapidjson::Document& to) {
    Builder builder(to);
    good = !rapidjson::Reader().Parse<kFlags>(stream, builder).IsError();
    return good;
  };
  document.Populate(generate);
  if (!good) return failure("a number is out of range");
  return {};
}

std::vector<Schema::Fault> read_data(std::string_view text, rapidjson::Document& document) {
  if (const auto good = parse(text, document); !good) return {{"", "cannot be read as JSON: " + good.error()}};
  Limits limits;
  limits.visit(document, "", 0);
  return std::move(limits.faults);
}

}  // namespace botel::schema
