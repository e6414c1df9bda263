#include "base/json.hpp"

#include <rapidjson/encodings.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/writer.h>

#include <charconv>
#include <cstring>

#include "base/per_thread.hpp"

namespace botel::json {
namespace {

constexpr unsigned kFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;

// RapidJSON 1.1 decodes a lone "\udc00" to bytes that are no UTF-8: they start with ED and A0 or above.
bool has_surrogate(std::string_view decoded) {
  for (auto at = decoded.find('\xED'); at != std::string_view::npos; at = decoded.find('\xED', at + 1)) {
    if (at + 1 < decoded.size() && static_cast<unsigned char>(decoded[at + 1]) >= 0xA0) return true;
  }
  return false;
}

// Notes where the values of the first level begin and end, while RapidJSON checks the whole text.
class Slicer : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Slicer> {
 public:
  Slicer(std::string_view text, const rapidjson::MemoryStream& stream) : text_(text), stream_(stream) {}

  bool Null() { return scalar(Kind::null); }
  bool Bool(bool) { return scalar(Kind::boolean); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return scalar(Kind::number); }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    return !has_surrogate({text, size}) && scalar(Kind::string);
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (has_surrogate({text, size})) return false;
    if (depth_ == 1) {
      document.members.push_back({std::string(text, size), {}});
      last_ = stream_.Tell();
    }
    return true;
  }
  bool StartObject() { return open(Kind::object); }
  bool StartArray() { return open(Kind::array); }
  // Called before the bracket is taken, as the start of an object or array is.
  bool EndObject(rapidjson::SizeType) { return close(Kind::object); }
  bool EndArray(rapidjson::SizeType) { return close(Kind::array); }

  Document document;
  bool too_deep = false;

 private:
  bool scalar(Kind kind) {
    take(kind, begin(), stream_.Tell());
    return true;
  }
  bool open(Kind kind) {
    if (++depth_ > kMaxDepth) {
      too_deep = true;
      return false;
    }
    if (depth_ == 1) {
      start_ = begin();
      document.root.kind = kind;
      last_ = stream_.Tell() + 1;
    } else if (depth_ == 2) {
      start_ = begin();
    }
    return true;
  }
  bool close(Kind kind) {
    --depth_;
    if (depth_ == 0) start_ = 0;
    take(kind, start_, stream_.Tell() + 1);
    return true;
  }
  // Where the value begins whose first token has just been read: behind what came last, a comma or colon, and space.
  [[nodiscard]] std::size_t begin() const { return text_.find_first_not_of(" \t\r\n,:", last_); }
  void take(Kind kind, std::size_t begin, std::size_t end) {
    const Value value{kind, text_.substr(begin, end - begin)};
    if (depth_ == 0) {
      const auto first = text_.find_first_not_of(" \t\r\n");
      document.root = {kind, text_.substr(first, end - first)};
    } else if (depth_ == 1) {
      last_ = end;
      if (document.root.kind == Kind::object) {
        document.members.back().value = value;
      } else {
        document.elements.push_back(value);
      }
    }
  }

  const std::string_view text_;
  const rapidjson::MemoryStream& stream_;
  int depth_ = 0;
  std::size_t last_ = 0;   // where the last token of the first level ended
  std::size_t start_ = 0;  // where the array or object of the first level began that is being read
};

// An output stream of RapidJSON that appends to a string.
struct Appender {
  using Ch = char;
  std::string& to;
  void Put(char c) { to.push_back(c); }
  void Flush() {}
};

}  // namespace

std::optional<Value> Document::find(std::string_view key) const {
  for (auto member = members.rbegin(); member != members.rend(); ++member) {
    if (member->key == key) return member->value;
  }
  return {};
}

std::optional<Value> Document::present(std::string_view key) const {
  auto value = find(key);
  if (value && value->is(Kind::null)) value.reset();
  return value;
}

Result<Document> read(std::string_view text) {
  // It keeps the memory of its stack for the next text.
  auto* const reader = per_thread<rapidjson::Reader>();
  if (!reader) return failure("no memory is left");
  rapidjson::MemoryStream stream(text.data(), text.size());
  Slicer slicer(text, stream);
  const auto result = reader->Parse<kFlags>(stream, slicer);
  if (slicer.too_deep) return failure("nested deeper than {} levels", kMaxDepth);
  if (result.Code() == rapidjson::kParseErrorTermination) return failure("half a surrogate pair in a string");
  if (result.IsError()) return failure("{} (at byte {})", rapidjson::GetParseError_En(result.Code()), result.Offset());
  // RapidJSON takes a NUL for the end.
  if (stream.Tell() != text.size()) return failure("bytes behind the end (at byte {})", stream.Tell());
  return std::move(slicer.document);
}

std::string text(const Value& value) {
  if (value.kind != Kind::string) return std::string(value.raw);
  const std::string_view inside = value.raw.substr(1, value.raw.size() - 2);
  if (inside.find('\\') == std::string_view::npos) return std::string(inside);

  struct Decoder : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Decoder> {
    bool String(const char* decoded, rapidjson::SizeType size, bool) {
      text.assign(decoded, size);
      return true;
    }
    std::string text;
  } decoder;
  rapidjson::MemoryStream stream(value.raw.data(), value.raw.size());
  rapidjson::Reader reader;
  reader.Parse<kFlags>(stream, decoder);
  return std::move(decoder.text);
}

std::string text(const Document& object, std::string_view key) {
  const auto value = object.find(key);
  return value && (value->is(Kind::string) || value->is(Kind::number)) ? text(*value) : std::string();
}

std::optional<std::int64_t> integer(const Value& value) {
  if (value.kind != Kind::number) return {};
  std::int64_t number = 0;
  const char* const end = value.raw.data() + value.raw.size();
  const auto [stop, error] = std::from_chars(value.raw.data(), end, number);
  if (error != std::errc() || stop != end) return {};
  return number;
}

void quote(std::string& to, std::string_view text) {
  if (!valid_utf8(text)) {
    std::string repaired;
    rapidjson::MemoryStream from(text.data(), text.size());
    while (from.Tell() < text.size()) {
      unsigned point = 0;
      if (!rapidjson::UTF8<>::Decode(from, &point) || (point >= 0xD800 && point <= 0xDFFF)) point = 0xFFFD;
      Appender appender{repaired};
      rapidjson::UTF8<>::Encode(appender, point);
    }
    return quote(to, repaired);
  }
  Appender appender{to};
  rapidjson::Writer<Appender>(appender).String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

std::string quoted(std::string_view text) {
  std::string result;
  quote(result, text);
  return result;
}

std::string array(const std::vector<std::string>& elements) {
  std::string result = "[";
  for (const auto& element : elements) {
    if (result.size() > 1) result += ",";
    result += element;
  }
  return result + "]";
}

bool valid_utf8(std::string_view text) {
  struct Nowhere {
    void Put(char) {}
  } nowhere;
  std::size_t at = 0;
  // Most text is ASCII: eight bytes a step.
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    if (word & 0x8080808080808080u) break;
  }
  rapidjson::MemoryStream rest(text.data() + at, text.size() - at);
  while (rest.Tell() < text.size() - at) {
    if (!rapidjson::UTF8<>::Validate(rest, nowhere)) return false;
  }
  return true;
}

}  // namespace botel::json
