// A bot that does what it is told: commands in the user's text, one after the other, separated by `;`. At the start
// those of `user.do`, when a timer is due those that were saved behind "timer: ", at the end those behind "end: ", when
// the host is back those behind "resumed: ", and then it says for how long it was away.
#include <botel/bot.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using std::chrono::milliseconds;

struct Json {
  std::string text;
  const std::string& json() const { return text; }
};

class Probe : public botel::Bot {
 public:
  explicit Probe(std::string_view config) {
    const auto json = botel::json::parse(config);
    greeting_ = botel::json::text(json, "greeting");
    if (botel::json::text(json, "create") == "fail") throw std::runtime_error("the configuration says so");
  }

  void on_start(botel::Room& room) override {
    room.log("start");
    if (!greeting_.empty()) room.say(greeting_);
    const auto info = botel::json::parse(room.info());
    if (info["user"].IsObject()) run(room, botel::json::text(info["user"], "do"));
  }

  void on_message(botel::Room& room, const botel::Message& m) override {
    if (!m.command.empty()) return room.say("chose " + std::string(m.command) + " as " + m.text);
    if (!m.rich.empty()) return room.say("rich " + std::string(m.rich));
    run(room, m.text);
  }

  void on_typing(botel::Room& room, bool typing) override { room.say(typing ? "you type" : "you stopped"); }
  void on_read(botel::Room& room, botel::Time until) override {
    room.say("you read " + std::to_string(until.time_since_epoch().count()));
  }
  void on_event(botel::Room& room, std::string_view event) override { room.say("event " + std::string(event)); }
  void on_timer(botel::Room& room, std::uint64_t tag) override {
    room.log("timer " + std::to_string(tag));
    room.say("timer " + std::to_string(tag));
    run_saved(room, "timer: ");
  }
  void on_result(botel::Room& room, const botel::Result& result) override {
    room.say("result " + std::to_string(result.tag) + " " + std::to_string(result.status) + " " +
             std::string(result.json));
  }
  void on_timeout(botel::Room& room) override {
    room.say("timeout");
    Bot::on_timeout(room);
  }
  void on_resumed(botel::Room& room, milliseconds away) override {
    room.log("resumed");
    if (room.state().starts_with("resumed: ")) room.say("resumed " + std::to_string(away.count()));
    run_saved(room, "resumed: ");
  }
  void on_end(botel::Room& room, std::string_view why) override {
    room.log("end " + std::string(why));
    room.say("end " + std::string(why));
    run_saved(room, "end: ");
  }

 private:
  static void run_saved(botel::Room& room, std::string_view prefix) {
    if (room.state().starts_with(prefix)) run(room, room.state().substr(prefix.size()));
  }

  static void run(botel::Room& room, std::string_view commands) {
    while (!commands.empty()) {
      const auto end = std::min(commands.find(';'), commands.size());
      run_one(room, std::string(commands.substr(0, end)));
      commands.remove_prefix(std::min(end + 1, commands.size()));
    }
  }

  static void run_one(botel::Room& room, const std::string& command) {
    std::istringstream words(command);
    std::string verb;
    words >> verb;
    const auto number = [&] {
      long long value = 0;
      words >> value;
      return value;
    };
    const auto rest = [&] {
      std::string text;
      std::getline(words >> std::ws, text);
      return text;
    };
    if (verb == "say") return room.say(rest());
    if (verb == "rich") return room.say(Json{rest()});
    if (verb == "options") return room.say("with options", rest());
    if (verb == "many") return many(room, number());
    if (verb == "large") return room.say(std::string(static_cast<std::size_t>(number()), 'x'));
    if (verb == "typing") return room.typing();
    if (verb == "stopped") return room.typing(false);
    if (verb == "wait") return room.wait(milliseconds(number()));
    if (verb == "info") return room.say(room.info());
    if (verb == "id") return room.say("id " + std::to_string(room.event().id));
    if (verb == "show") return room.say("state " + std::string(room.state()));
    if (verb == "save") return room.save(with_semicolons(rest()));
    if (verb == "log") return room.log(rest());
    if (verb == "sleep") return std::this_thread::sleep_for(milliseconds(number()));
    if (verb == "until") return wait_for_file(rest());
    if (verb == "orphans") return leave_orphans(number());
    if (verb == "throw") throw std::runtime_error("told to throw");
    if (verb == "member") return room.say(botel::json::parse(room.info())[rest().c_str()].GetString());
    if (verb == "retry") return retry(room, number());
    if (verb == "end") return room.end(static_cast<std::uint64_t>(number()));
    if (verb == "transfer") return room.transfer(static_cast<std::uint64_t>(number()));
    if (verb == "bot") {
      const auto tag = static_cast<std::uint64_t>(number());
      return room.transfer_to_bot(rest(), tag);
    }
    if (verb == "timer") {
      const auto tag = static_cast<std::uint64_t>(number());
      return room.set_timer(tag, milliseconds(number()));
    }
    if (verb == "cancel") return room.cancel_timer(static_cast<std::uint64_t>(number()));
    throw std::runtime_error("no such command");
  }

  static void many(botel::Room& room, long long most) {
    for (long long i = 1; i <= most; ++i) room.say(std::to_string(i));
  }

  // Processes that end at once, and whose parent has ended before them.
  static void leave_orphans(long long count) {
    for (long long i = 0; i < count; ++i) {
      if (std::system("sleep 0.01 &") != 0) throw std::runtime_error("the shell does not start them");
    }
  }

  // As slow as a test wants it to be.
  static void wait_for_file(const std::string& file) {
    while (!std::filesystem::exists(file)) std::this_thread::sleep_for(milliseconds(2));
  }

  // Fails twice, and then tells which attempt it was.
  static void retry(botel::Room& room, long long delay) {
    if (room.event().attempt < 3) throw botel::RetryAfter{milliseconds(delay)};
    room.say("attempt " + std::to_string(room.event().attempt));
  }

  // Saved commands are separated by `|`, as `;` ends the saving.
  static std::string with_semicolons(std::string text) {
    for (char& c : text) {
      if (c == '|') c = ';';
    }
    return text;
  }

  std::string greeting_;
};

}  // namespace

BOTEL_PLUGIN(botel::bot<Probe>("probe", "1.0.0"));
