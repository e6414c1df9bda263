#include "cli/chat_message.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/json_repair.hpp"
#include "cli/text.hpp"
#include "gitple/message.hpp"

namespace botel::cli {
namespace {

using json::Document;
using json::Kind;
using json::Value;

constexpr const char* kUnknownItem = "  (an item that is not understood)";

// The inside of a value that is known to be JSON.
Document open(const Value& value) {
  auto document = json::read(value.raw);
  return document ? std::move(*document) : Document();
}

Document object_at(const Document& object, std::string_view name) {
  const auto value = object.find(name);
  return value && value->is(Kind::object) ? open(*value) : Document();
}

// The text's shape keeps echo and link inside `c`; the newer one has them beside `c`, which is then any JSON.
bool newer_shape(const Document& item) {
  if (item.find("e") || item.find("l")) return true;
  const auto c = item.find("c");
  if (!c) return false;
  if (!c->is(Kind::object)) return true;
  const auto inside = open(*c);
  return std::any_of(inside.members.begin(), inside.members.end(),
                     [](const auto& member) { return member.key != "l" && member.key != "e" && member.key != "r"; });
}

struct Press {
  bool meant = false;  // the item says itself what happens when it is pressed
  ChatChoice choice;
  std::vector<std::string> urls;
};

void add_urls(const Document& holder, std::vector<std::string>& urls) {
  const auto l = holder.find("l");
  if (l && l->is(Kind::string)) urls.push_back(json::text(*l));
  const Document link = object_at(holder, "l");
  for (const std::string& url : {json::text(link, "a"), json::text(link, "u")}) {
    if (!url.empty()) urls.push_back(url);
  }
}

// Both shapes may stand in an item: the newer one counts. An echo that is null is none; without any it is the text.
Press read_press(const Document& item) {
  Press press;
  const auto c = item.present("c");
  const bool is_command = c && newer_shape(item) && !gitple::is_item_choice(*c);
  if (is_command) press.choice.command = c->raw;
  const Document older = is_command ? Document() : object_at(item, "c");
  const auto own = item.find("e");
  const auto echo = own ? own : older.find("e");
  if (echo && (echo->is(Kind::string) || echo->is(Kind::number))) press.choice.echo = json::text(*echo);
  press.meant = !press.choice.echo.empty() || is_command;
  const bool is_mute = echo && echo->is(Kind::null);
  if (press.choice.echo.empty() && !is_mute) press.choice.echo = json::text(item, "t");
  add_urls(item, press.urls);
  if (press.urls.empty()) add_urls(older, press.urls);
  return press;
}

std::string with_details(const std::string& label, std::vector<std::string> details) {
  std::erase(details, "");
  return details.empty() ? clean(label) : clean(fmt::format("{} ({})", label, fmt::join(details, ", ")));
}

Option read_option(const Value& value) {
  if (value.is(Kind::string)) return {json::text(value), json::text(value)};
  const Document option = value.is(Kind::object) ? open(value) : Document();
  Option read{json::text(option, "v"), json::text(option, "t")};
  if (read.text.empty()) read.text = read.value;
  if (read.value.empty()) read.value = read.text;
  return read;
}

ChatField read_field(const Document& item) {
  ChatField field{json::text(item, "t"), json::text(item, "k"), json::text(item, "v"), false, {}};
  if (field.preset.empty()) field.preset = json::text(item, "d");
  if (field.key.empty()) field.key = field.label;
  if (field.label.empty()) field.label = field.key;
  if (const auto required = item.find("r")) field.required = required->raw == "true";
  const auto options = item.find("o");
  if (!options || !options->is(Kind::array)) return field;
  for (const Value& value : open(*options).elements) {
    auto option = read_option(value);
    if (!option.value.empty()) field.options.push_back(std::move(option));
  }
  return field;
}

// Collects what stands in `m`, in the order in which it is shown.
class Body {
 public:
  explicit Body(ChatMessage& message) : message_(message) {}

  void read(const Value& m) {
    if (m.is(Kind::array)) {
      for (const Value& part : open(m).elements) read_part(part);
    } else {
      read_part(m);
    }
    if (message_.lines.empty()) say(std::string(kNotUnderstood));
  }

 private:
  void say(std::string line) { message_.lines.push_back(std::move(line)); }
  void say_all(std::string_view text, std::string_view indent = "") {
    for (const auto& line : clean_lines(text)) say(std::string(indent) + line);
  }

  void read_part(const Value& part) {
    if (part.is(Kind::string)) return say_all(json::text(part));
    if (!part.is(Kind::object)) return say(std::string(kNotUnderstood));
    const Document rich = open(part);
    const std::string text = json::text(rich, "t");
    if (!text.empty()) say_all(text);
    read_link(object_at(rich, "l"));
    read_items(rich);
    read_items(object_at(rich, "s"));
  }

  void read_link(const Document& link) {
    std::string label = json::text(link, "d");
    if (label.empty()) label = json::text(link, "n");
    const std::string url = json::text(link, "u");
    if (label.empty() && url.empty()) return;
    say("  " + (label.empty() ? clean(url) : with_details(label, {url})));
  }

  void read_items(const Document& holder) {
    const auto items = holder.find("a");
    if (!items || !items->is(Kind::array)) return;
    last_.line = 0;
    for (const Value& value : open(*items).elements) read_item(value.is(Kind::object) ? open(value) : Document());
  }

  void read_item(const Document& item) {
    const std::string kind = json::text(item, "p");
    if (kind == "form") return read_form(item);
    Press press = read_press(item);
    Shown shown{kind, json::text(item, "t"), {}, 0};
    if (kind != "button") shown.details = {json::text(item, "d"), json::text(item, kind == "list" ? "s" : "u")};
    shown.details.insert(shown.details.end(), press.urls.begin(), press.urls.end());
    const bool sends = !press.choice.echo.empty() || press.choice.command != "null";
    if (sends && (press.meant || kind == "button" || kind == "list")) return choose(press.choice, std::move(shown));
    last_.line = 0;
    if (std::erase(shown.details, ""); shown.label.empty() && shown.details.empty()) return say(kUnknownItem);
    if (shown.details.empty()) return say_all(shown.label, "  ");
    say("  " + with_details(shown.label.empty() ? shown.kind : shown.label, shown.details));
  }

  void read_form(const Document& item) {
    last_.line = 0;
    ChatField field = read_field(item);
    if (field.key.empty()) return say(kUnknownItem);
    say("  " + with_details(field.label,
                            {field.required ? "required" : "", field.preset.empty() ? "" : "else " + field.preset}));
    for (std::size_t i = 0; i < field.options.size(); ++i) {
      say(fmt::format("    {}. {}", i + 1, clean(field.options[i].text)));
    }
    message_.fields.push_back(std::move(field));
  }

  // How a choice is shown. `line` is where; 0: nowhere, or something else came behind it.
  struct Shown {
    std::string kind, label;
    std::vector<std::string> details;
    std::size_t line = 0;
  };

  void choose(const ChatChoice& choice, Shown shown) {
    // Neighbours of two kinds that send the same are one to the reader: a picture and the text below it.
    if (last_.line > 0 && last_.kind != shown.kind && message_.choices.back() == choice) {
      if (last_.label.empty()) last_.label = shown.label;
      if (!shown.label.empty() && last_.label != shown.label) last_.label += ", " + shown.label;
      last_.details.insert(last_.details.end(), shown.details.begin(), shown.details.end());
      last_.kind = shown.kind;
    } else {
      message_.choices.push_back(choice);
      last_ = std::move(shown);
      say({});
      last_.line = message_.lines.size();
    }
    const std::string& label = last_.label.empty() ? choice.echo : last_.label;
    message_.lines[last_.line - 1] = fmt::format("  {}. {}", message_.choices.size(),
                                                 with_details(label.empty() ? last_.kind : label, last_.details));
  }

  ChatMessage& message_;
  Shown last_;
};

}  // namespace

Result<ChatMessage> read_chat_message(std::string_view payload) {
  const json::Repaired repaired(payload);
  const auto document = json::read(repaired.text());
  if (!document) return tl::unexpected(document.error());
  if (!document->root.is(Kind::object)) return failure("a message must be an object");
  ChatMessage message;
  message.session = json::text(*document, "_sid");
  if (const auto time = document->find("t")) message.time = json::integer(*time);

  const std::string key_in = json::text(object_at(*document, "e"), "keyIn");
  if (key_in == "s" || key_in == "t") message.typing = key_in == "s";
  const auto m = document->present("m");
  message.said = m || !document->present("e");
  if (m) {
    Body(message).read(*m);
  } else if (message.said) {
    message.lines.emplace_back(kNotUnderstood);
  }
  return message;
}

}  // namespace botel::cli
