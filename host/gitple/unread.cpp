#include "gitple/unread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/json_repair.hpp"

namespace botel::gitple {
namespace {

using json::Kind;
using json::Repaired;

constexpr std::size_t kLargestOutline = 64 << 10;  // bytes, and the last request's

// A request as far as it matters: JSON, as it was written, or what looks like it; empty: none.
struct Found {
  std::string_view id, res_pub;
};

// Goes once over a text that need not be JSON. It knows strings, words, brackets and colons, keeps a depth but no
// stack, and remembers no more than a batch may have.
class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  // Those that have a resPub; of a batch at most one more than it may have.
  std::vector<Found> run() {
    while (at_ < text_.size() && !over_) step();
    keep();
    return std::move(found_);
  }
  [[nodiscard]] bool is_batch() const { return request_depth_ == 2; }

 private:
  void step() {
    switch (text_[at_]) {
      case '{':
      case '[': return open(text_[at_++]);
      case '}':
      case ']': return ++at_, close();
      case ':': return ++at_, name();
      case '"': return value(string());
      case ' ':
      case '\t':
      case '\r':
      case '\n': ++at_; return;
      case ',': ++at_, name_ = last_ = {}; return;
      default: return value(word());
    }
  }

  void open(char bracket) {
    if (++depth_ == 1 && bracket == '[') request_depth_ = 2;
    if (depth_ == request_depth_ + 1) in_params_ = bracket == '{' && name_ == R"("params")";
    name_ = last_ = {};
  }
  void close() {
    name_ = last_ = {};
    if (depth_ == request_depth_) keep();
    if (depth_ <= 1) {
      over_ = true;
    } else {
      --depth_;
    }
  }
  // What came last is the name of what follows.
  void name() { name_ = std::exchange(last_, {}); }
  void value(std::string_view token) {
    if (depth_ == request_depth_ && name_ == R"("id")") request_.id = token;
    if (depth_ == request_depth_ + 1 && in_params_ && name_ == R"("resPub")") request_.res_pub = token;
    name_ = {};
    last_ = token;
  }
  void keep() {
    const Found request = std::exchange(request_, {});
    if (!request.res_pub.empty()) found_.push_back(request);
    if (found_.size() > kLargestBatch) over_ = true;
  }

  // The string that begins here, with its quotes; one that does not end goes as far as the text.
  std::string_view string() {
    const std::size_t begin = at_++;
    for (;;) {
      at_ = std::min(text_.find_first_of("\"\\", at_), text_.size());
      if (at_ == text_.size()) break;
      if (text_[at_++] == '"') break;
      at_ = std::min(at_ + 1, text_.size());
    }
    return text_.substr(begin, at_ - begin);
  }
  std::string_view word() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of("{}[]:,\" \t\r\n", at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  bool over_ = false;
  std::size_t depth_ = 0, request_depth_ = 1;  // of the members of a request
  bool in_params_ = false;
  std::string_view last_, name_;  // the string or word that came last, and the name of what comes
  Found request_;
  std::vector<Found> found_;
};

// As in a request that can be read.
std::string readable_id(std::string_view text) {
  const Repaired repaired(text);
  const auto id = json::read(repaired.text());
  return id && (id->root.is(Kind::string) || id->root.is(Kind::number)) ? std::string(text) : "null";
}

std::string readable_topic(const Source& source, std::string_view text) {
  const Repaired repaired(text);
  const auto value = json::read(repaired.text());
  const std::string topic = value && value->root.is(Kind::string) ? json::text(value->root) : "";
  return check_topic(source, topic) ? topic : "";
}

}  // namespace

Requests refuse_all(const Source& source, std::string_view payload, const Refusal& refusal) {
  Search search(payload);
  const auto found = search.run();
  const bool once = found.size() > kLargestBatch;
  Requests requests{search.is_batch() && !once, {}};
  std::set<std::string> told;
  for (const auto& [id, res_pub] : found) {
    std::string topic = readable_topic(source, res_pub);
    if (topic.empty() || (once && !told.insert(topic).second)) continue;
    requests.list.push_back({once ? "null" : readable_id(id), std::move(topic), refusal});
  }
  return requests;
}

std::string outline(std::string_view topic, std::string_view payload) {
  if (!request_source(topic)) return {};
  Search search(payload);
  std::string text;
  for (const auto& [id, res_pub] : search.run()) {
    if (id.size() + res_pub.size() > kLargestOutline) continue;
    if (!text.empty()) text += ',';
    // The id stands last, as it may be a string that does not end.
    text += fmt::format(R"({{"params":{{"resPub":{}}},"id":{}}})", res_pub, id.empty() ? "null" : id);
    if (text.size() > kLargestOutline) break;
  }
  return search.is_batch() ? "[" + text + "]" : text;
}

}  // namespace botel::gitple
