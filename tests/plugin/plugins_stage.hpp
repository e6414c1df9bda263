// Plugins on a folder of the test's, with rooms that talk to their bots, and a clock of the test's.
#pragma once

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "plain_ends.hpp"
#include "plugin/plugins.hpp"
#include "runtime/fake_bot.hpp"
#include "temp_folder.hpp"

namespace plugins_test {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Lines = std::vector<std::string>;

// What outlives a run of the host.
struct Disk {
  Disk() {
    fs::create_directory(plugins);
    fs::create_directory(data);
    chmod(plugins.c_str(), 0755);
  }
  // Puts a file of the zoo there.
  void put(const std::string& variant, const std::string& name = "zoo.so") const {
    fs::copy_file(fs::path(ZOO) / (variant + ".so"), plugins / name, fs::copy_options::overwrite_existing);
    chmod((plugins / name).c_str(), 0755);
  }

  const TempFolder folder;
  const fs::path plugins = folder.path / "plugins", data = folder.path / "data";
  fs::path program = BOTEL_EXECUTABLE;  // which tries them
  botel::plugin::Writers writers = botel::plugin::Writers::ours;
};

struct Stage : botel::runtime::Port {
  explicit Stage(const Disk& disk) : disk(disk) {
    let_children_end_plainly();
    runtime.advance(time);
    plugins = std::make_unique<botel::plugin::Plugins>(config(), runtime, nullptr, surroundings(), counters);
  }
  ~Stage() override {
    for (auto& [address, actor] : actors) runtime.retire(*actor);
  }

  botel::plugin::PluginsConfig config() const {
    return {.folder = disk.plugins,
            .writers = disk.writers,
            .data = disk.data,
            .copies = disk.data / "loaded",
            .probe = {.program = disk.program, .time = milliseconds(20'000)},
            .most_failures = 3,
            .probation = milliseconds(60'000),
            .quiet = milliseconds(300)};
  }
  botel::plugin::Plugins::Surroundings surroundings() {
    return {.objection = [](const auto&) { return ""; },
            .parts = [this](const botel::plugin::Item& item) -> std::vector<botel::plugin::Part> {
              return {{&role(item.id, item.kind), configs.contains(item.id) ? configs.at(item.id) : "{}"}};
            },
            .serves = [](const auto&) {},
            .restart_unreadable =
                [this](const auto& role, const auto& next) {
                  for (auto& [address, actor] : actors) {
                    if (&actor->role == &role && !next.can_read(actor->state_schema())) {
                      runtime.restart(*actor, botel::store::Event{.kind = BOTEL_ROOM_START});
                    }
                  }
                },
            .gone = [this](const auto& role) { gone.push_back(role.name()); },
            .wake =
                [this] {
                  const std::lock_guard lock(mutex);
                  ++wakes;
                  woken.notify_all();
                }};
  }

  void open() {
    REQUIRE(plugins->open());
    settle_all();
  }
  // Until the loader has nothing left to do.
  void settle_all() {
    plugins->advance(time);
    while (!plugins->settled()) {
      {
        std::unique_lock lock(mutex);
        woken.wait_for(lock, milliseconds(5));
      }
      plugins->advance(time);
    }
    settle(runtime);
  }
  void pass(milliseconds delay) {
    plugins->read(time.steady);
    time.steady += delay;
    time.unix_ms += delay.count();
    runtime.advance(time);
    settle_all();
  }
  // Puts a file there and waits until something has become of it.
  std::string drop(const std::string& variant, const std::string& name = "zoo.so") {
    disk.put(variant, name);
    return become(name);
  }
  std::string become(const std::string& name = "zoo.so") {
    pass(milliseconds(0));
    pass(milliseconds(300));
    return last(name);
  }
  std::string last(const std::string& name = "zoo.so") const {
    for (const auto& file : plugins->files()) {
      if (file.name == name) return (file.last.good ? "" : "refused: ") + file.last.text;
    }
    return "";
  }
  std::string reload(const std::string& name, bool restart_rooms = false) {
    return order([&](const auto& done) { plugins->reload(name, restart_rooms, done); });
  }
  std::string rollback(const std::string& name) {
    return order([&](const auto& done) { plugins->rollback(name, done); });
  }
  std::string check(const fs::path& file) {
    return order([&](const auto& done) { plugins->check(file, done); });
  }
  // "file: text", a line each.
  std::string order(const std::function<void(const botel::plugin::Plugins::Done&)>& give) {
    std::string result;
    int answers = 0;
    give([&](const std::vector<botel::plugin::Plugins::Report>& reports) {
      ++answers;
      for (const auto& report : reports) {
        result += (result.empty() ? "" : "\n") + report.file + (report.outcome.good ? ": " : " refused: ") +
                  report.outcome.text;
      }
    });
    settle_all();
    CHECK(answers == 1);
    return result;
  }
  botel::plugin::Status status(const std::string& name = "zoo") const {
    for (const auto& file : plugins->files()) {
      for (const auto& status : file.offers) {
        if (status.name == name) return status;
      }
    }
    return {};
  }
  // "1.0.0 serving"; " ": it is not there.
  std::string state(const std::string& name = "zoo") const { return status(name).version + " " + status(name).state; }
  std::size_t loaded() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(disk.data / "loaded"), {}));
  }

  botel::runtime::Role& role(const std::string& name, std::int32_t kind = BOTEL_BOT) {
    auto& found = roles[{name, kind}];
    if (!found) found = std::make_unique<botel::runtime::Role>(name, kind);
    return *found;
  }
  // Says it in a room of a bot, and returns what has been said there since the last time.
  std::string tell(const std::string& text, const std::string& address = "room", const std::string& bot = "zoo") {
    auto& actor = actors[address];
    if (!actor) actor = std::make_unique<botel::runtime::Actor>(*this, BOTEL_ACTOR_ROOM, address, "{}", role(bot));
    runtime.post(*actor, {.kind = BOTEL_ROOM_MESSAGE, .format = BOTEL_FORMAT_TEXT, .payload = text});
    settle(runtime);
    return said(address);
  }
  // The same, in a room that nobody else is in.
  std::string tell_somebody(const std::string& text) { return tell(text, "room " + std::to_string(actors.size())); }
  std::string said(const std::string& address = "room") {
    std::string all;
    for (const auto& line : std::exchange(lines[address], {})) all += (all.empty() ? "" : ", ") + line;
    return all;
  }

  std::int32_t check(const botel_effect&) const override { return BOTEL_OK; }
  void handled(botel::runtime::Actor& actor, const botel::runtime::Event&, const botel::Result<>& committed) override {
    if (!committed) lines[actor.address].emplace_back("failed");
  }
  void perform(botel::runtime::Actor& actor, botel::runtime::Effect& effect) override {
    lines[actor.address].push_back(effect.payload);
  }
  std::string origin(const botel::runtime::Actor&) const override { return "{}"; }
  std::string progress(const botel::runtime::Actor&) const override { return "{}"; }

  const Disk& disk;
  botel::Counters counters;
  std::mutex mutex;
  std::condition_variable woken;
  int wakes = 0;  // so far: one for each step of what is under way
  std::map<std::pair<std::string, std::int32_t>, std::unique_ptr<botel::runtime::Role>> roles;
  std::map<std::string, std::string> configs;  // by bot
  botel::runtime::Runtime runtime{{}, counters, [] {}};
  botel::Time time = botel::Time::now();
  std::map<std::string, Lines> lines;  // by room
  Lines gone;
  std::unique_ptr<botel::plugin::Plugins> plugins;
  std::map<std::string, std::unique_ptr<botel::runtime::Actor>> actors;  // by address
};

inline bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace plugins_test
