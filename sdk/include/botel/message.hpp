// Rich messages: texts with links, images, buttons, lists, sliders and forms, for Room::say().
//
//     room.say(botel::Rich("소스를 선택해 주세요").slider(4, 2, {botel::list("발사믹"), botel::list("오리엔탈")}));
//     room.say(botel::Rich("Anything else?").add(botel::button("No").echo("No, thanks"), botel::button("Yes")));
//     room.say(botel::Rich("Who are you?").add(botel::input("Name", "name").required()));
//
// The items are those of the Gitple MQTT API, described in docs/gitple.md. Text that is not UTF-8 and a command that is
// not JSON throw botel::Error, where they are given.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "error.hpp"
#include "json.hpp"

namespace botel {

// Something to press: made by text(), image(), button() and list().
class Choice {
 public:
  // Makes an item of type `type` with the member that it has in any case, even if it is empty. Others follow by with().
  Choice(const std::string& type, std::string_view name, const std::string& value) {
    item_.text("p", type).text(name, value);
  }
  Choice& with(std::string_view name, const std::string& value) {
    item_.optional(name, value);
    return *this;
  }

  // What the user seems to say by pressing it; it comes back as Message::text.
  Choice& echo(const std::string& text) {
    echo_ = json::quoted(text);
    return *this;
  }
  // JSON that comes back as Message::command. Not an object of nothing but `e`, `l` and `r`, nor the text that the item
  // echoes: clients give these back for items that have no command, so they arrive as Message::text.
  Choice& command(std::string json) {
    if (!::botel::json::is_json(json)) throw Error("the command of a choice is not JSON");
    command_ = std::move(json);
    return *this;
  }
  // Opens `url` in a window, or only calls it.
  Choice& open(const std::string& url) {
    link_.text("a", url);
    return *this;
  }
  Choice& call(const std::string& url) {
    link_.text("u", url);
    return *this;
  }

  // The rest of the API, which few clients show: a description (image), a subtitle and a thumbnail (list), "large" or
  // "compact" (button), and an answer that is not shown as an echo.
  Choice& description(const std::string& text) { return with("d", text); }
  Choice& subtitle(const std::string& text) { return with("s", text); }
  Choice& thumbnail(const std::string& url) { return with("i", url); }
  Choice& style(const std::string& style) { return with("s", style); }
  Choice& respond(const std::string& text) {
    response_ = json::quoted(text);
    return *this;
  }

  // Newer clients look for the echo and the link in the item itself, older ones in its `c`, unless that is a command.
  std::string json() const {
    json::Object item = item_;
    if (echo_ || command_) item.raw("e", echo_.value_or("null"));
    if (const std::string c = command_ ? *command_ : older_choice(); !c.empty()) item.raw("c", c);
    if (!link_.empty()) item.raw("l", link_.json());
    if (command_ && response_) item.raw("r", *response_);
    return item.json();
  }

 private:
  std::string older_choice() const {
    json::Object choice;
    if (!link_.empty()) choice.raw("l", link_.json());
    if (echo_) choice.raw("e", *echo_);
    if (response_) choice.raw("r", *response_);
    return choice.empty() ? "" : choice.json();
  }

  json::Object item_, link_;
  std::optional<std::string> echo_, command_, response_;  // JSON
};

inline Choice text(const std::string& text) { return {"text", "t", text}; }
inline Choice image(const std::string& url, const std::string& title = {}) {
  return Choice("image", "u", url).with("t", title);
}
inline Choice button(const std::string& text) { return {"button", "t", text}; }
inline Choice list(const std::string& title) { return {"list", "t", title}; }

// One of a select's values, and what the user sees of it.
struct Option {
  std::string value;
  std::string text;
};

// Something to fill in: made by select(), input() and textarea(). The answer comes under `key`; a
// form whose keys are all `e` or `r` looks like a choice by its echo, and its answer arrives as text.
class Field {
 public:
  Field(std::string form, std::string label, std::string key)
      : form_(std::move(form)), label_(std::move(label)), key_(std::move(key)) {}

  Field& required(bool on = true) {
    required_ = on;
    return *this;
  }
  // The value that stands there at first, and the one that is taken when there is none.
  Field& value(std::string text) {
    value_ = std::move(text);
    return *this;
  }
  Field& preset(std::string text) {
    preset_ = std::move(text);
    return *this;
  }
  Field& rows(int rows) {
    rows_ = rows;
    return *this;
  }
  Field& options(std::vector<Option> options) {
    options_ = std::move(options);
    return *this;
  }

  std::string json() const {
    json::Object item;
    item.raw("p", "\"form\"");
    item.text("f", form_);
    item.flag("r", required_);
    item.text("t", label_);
    item.text("k", key_);
    if (rows_) item.number("ln", *rows_);
    item.optional("v", value_);
    item.optional("d", preset_);
    if (options_.empty()) return item.json();
    std::vector<json::Object> options(options_.size());
    for (std::size_t i = 0; i < options_.size(); ++i) {
      options[i].text("v", options_[i].value);
      options[i].text("t", options_[i].text);
    }
    item.raw("o", json::list(options));
    return item.json();
  }

 private:
  std::string form_, label_, key_, value_, preset_;
  bool required_ = false;
  std::optional<int> rows_;
  std::vector<Option> options_;
};

inline Field select(std::string label, std::string key, std::vector<Option> options) {
  return Field("select", std::move(label), std::move(key)).options(std::move(options));
}
inline Field input(std::string label, std::string key) { return {"input", std::move(label), std::move(key)}; }
inline Field textarea(std::string label, std::string key, int rows) {
  return Field("textarea", std::move(label), std::move(key)).rows(rows);
}

// A choice or a field, as it is sent.
class Item {
 public:
  Item(const Choice& choice) : json_(choice.json()) {}
  Item(const Field& field) : json_(field.json()) {}
  const std::string& json() const { return json_; }

 private:
  std::string json_;
};

// A rich message: a text, and what stands below it.
class Rich {
 public:
  explicit Rich(const std::string& text = {}) : text_(json::quoted(text)) {}

  Rich& link(const std::string& url, const std::string& title = {}, const std::string& mime_type = {}) {
    link_ = {};
    link_.optional("d", title);
    link_.text("u", url);
    link_.optional("m", mime_type);
    return *this;
  }
  // A link to a file; clients look for its name in one place or the other.
  Rich& file(const std::string& url, const std::string& name, const std::string& mime_type) {
    link(url, name, mime_type);
    link_.text("n", name);
    return *this;
  }

  template <class... Items>
  Rich& add(const Items&... items) {
    (items_.push_back(Item(items)), ...);
    return *this;
  }

  // Items to slide through: at most `per_slide` in one slide, of which `preview` are to be seen at a time.
  Rich& slider(int per_slide, int preview, const std::vector<Item>& items) {
    json::Object slider;
    slider.number("n", per_slide);
    slider.number("p", preview);
    slider.raw("a", json::list(items));
    slider_ = slider.json();
    return *this;
  }

  std::string json() const {
    json::Object message;
    message.raw("t", text_);
    if (!link_.empty()) message.raw("l", link_.json());
    // With a slider clients expect `a`, even if it is empty.
    if (!items_.empty() || !slider_.empty()) message.raw("a", json::list(items_));
    if (!slider_.empty()) message.raw("s", slider_);
    return message.json();
  }

 private:
  std::string text_, slider_;  // JSON
  json::Object link_;
  std::vector<Item> items_;
};

// Several rich messages that are sent as one: room.say(botel::Messages{Rich("one"), Rich("two")}).
class Messages {
 public:
  Messages(std::initializer_list<Rich> messages) : messages_(messages) {}
  Messages& add(Rich message) {
    messages_.push_back(std::move(message));
    return *this;
  }
  std::string json() const { return json::list(messages_); }

 private:
  std::vector<Rich> messages_;
};

}  // namespace botel
