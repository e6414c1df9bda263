// Talk: one room of a bot, in a test. See testing.hpp.
#pragma once

#include <botel/ext/room.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "one_actor.hpp"
#include "room_effects.hpp"

namespace botel::testing {

class Talk : public OneActor {
 public:
  // Throws botel::Error when the bot refuses the configuration, a JSON object.
  explicit Talk(const botel_descriptor& bot, std::string_view config = "{}")
      : OneActor(check_kind(bot), detail::check_room_effect, config, {BOTEL_ACTOR_ROOM, "1/1/7", kSomeInfo}) {}

  // The events of a room; see ext/room.h. start() begins a new room if the one before has ended.
  Lines start() {
    if (std::exchange(ended_, false)) begin_anew();
    return happen({.kind = BOTEL_ROOM_START});
  }
  Lines message(const std::string& text) {
    return happen({.kind = BOTEL_ROOM_MESSAGE,
                   .format = BOTEL_FORMAT_TEXT,
                   .payload = text,
                   .detail = whole(R"("m":)" + json::quoted(text))});
  }
  // A message that is a JSON object or list, as of a form.
  Lines rich(const std::string& json) {
    if (!detail::json_object_or_list(json)) throw Error("rich() wants a JSON object or list");
    return happen(
        {.kind = BOTEL_ROOM_MESSAGE, .format = BOTEL_FORMAT_JSON, .payload = json, .detail = whole(R"("m":)" + json)});
  }
  // A choice: the text that the user seems to say, and what the client sends as its command.
  Lines choose(const std::string& text, const std::string& command) {
    if (!json::is_json(command)) throw Error("choose() wants a command in JSON");
    const bool is_text = is_no_command(json::parse(command), text);
    return happen({.kind = is_text ? BOTEL_ROOM_MESSAGE : BOTEL_ROOM_COMMAND,
                   .format = is_text ? BOTEL_FORMAT_TEXT : BOTEL_FORMAT_JSON,
                   .payload = is_text ? text : command,
                   .detail = whole(R"("m":)" + json::quoted(text) + R"(,"c":)" + command)});
  }
  Lines typing(bool on = true) { return happen({.kind = BOTEL_ROOM_KEY_IN, .status = on ? 1 : 0}); }
  Lines read(Time until) { return happen(number_event(BOTEL_ROOM_READ, until.time_since_epoch())); }
  Lines read(milliseconds until) { return read(Time(until)); }
  // An event of the user that has no kind of its own: the `e` of a message, in JSON.
  Lines event(const std::string& e) {
    if (!json::is_json(e)) throw Error("event() wants JSON");
    return happen(
        {.kind = BOTEL_ROOM_EVENT, .format = BOTEL_FORMAT_JSON, .payload = e, .detail = whole(R"("e":)" + e)});
  }
  Lines timer(std::uint64_t tag) {
    cancel_timer(tag);
    return happen({.kind = BOTEL_TIMER_DUE, .tag = tag});
  }
  Lines result(std::uint64_t tag, int status = 0, const std::string& json = "\"OK\"") {
    return happen(
        {.kind = BOTEL_ROOM_RESULT, .tag = tag, .format = BOTEL_FORMAT_JSON, .status = status, .payload = json});
  }
  Lines timeout() { return happen({.kind = BOTEL_ROOM_TIMEOUT}); }
  Lines resumed(milliseconds away) { return happen(number_event(BOTEL_ROOM_RESUMED, away)); }
  Lines end(const std::string& why = "ended") {
    return happen({.kind = BOTEL_ROOM_END, .format = BOTEL_FORMAT_TEXT, .payload = why});
  }

  // The room's info, JSON: {"context": {...}, "user": {...} or null}
  void set_info(std::string info) { actor().info = std::move(info); }

 private:
  static constexpr const char* kSomeInfo =
      R"({"context":{"sp":1,"app":1,"user":7,"room":7,"session":104,"bot":"1"},"user":{"id":7,"identifier":"aaaa"}})";

  static const botel_descriptor& check_kind(const botel_descriptor& bot) {
    if (bot.kind != BOTEL_BOT) throw Error("Talk is for bots; connectors have Moca");
    return bot;
  }
  std::string whole(const std::string& members) const {
    return "{\"t\":" + std::to_string(time().time_since_epoch().count()) + "," + members + "}";
  }
  // What the host takes for no command: null, the text itself, and what items of the older shape have as `c`.
  static bool is_no_command(const rapidjson::Value& c, const std::string& text) {
    if (c.IsNull() || (c.IsString() && std::string_view(c.GetString(), c.GetStringLength()) == text)) return true;
    if (!c.IsObject() || c.ObjectEmpty()) return false;
    return std::all_of(c.MemberBegin(), c.MemberEnd(), [](const auto& member) {
      const std::string_view name(member.name.GetString(), member.name.GetStringLength());
      if (name == "l") return member.value.IsObject();
      return (name == "e" || name == "r") && (member.value.IsString() || member.value.IsNull());
    });
  }
  Lines happen(Event event) {
    if (ended_) throw Error("the room has ended; start() begins a new one");
    return OneActor::happen(std::move(event));
  }

  Lines take(const Event&, const Effect& effect) override { return {detail::room_line(effect)}; }
  Lines handled(const Event& event, bool) override {
    if (event.kind == BOTEL_ROOM_END) {
      stop();
      ended_ = true;
    }
    return {};
  }

  bool ended_ = false;
};

}  // namespace botel::testing
