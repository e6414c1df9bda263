// A machine whose clock is set while the host runs, or between two runs: nothing waits longer than it was asked to, and
// what must rise does.
#include "harness/database.hpp"
#include "harness/wrong_clock.hpp"
#include "moca.hpp"

using namespace harness;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

namespace {

constexpr std::chrono::seconds kHour = 1h, kDay = 24h;

const std::array<Ending, 3> kAllEndings = {Ending{"relaxed", SIGTERM}, {"relaxed", SIGKILL}, {"strict", SIGKILL}};

// A host on such a machine, with all that waits for a time: a delayed word and a timer in one room, a bot's own request
// in another, a third that is silent, and a connector that somebody has begun to configure.
struct Scene {
  Scene(const std::string& durability_name, const std::string& gitple, const std::string& step_timeout)
      : world(stopped_at_once(durability_name, gitple, step_timeout)), clock(world.dir / "clock") {
    std::filesystem::create_symlink(BOTEL_PUPPET, world.host.plugins() / "puppet.so");
    world.stop_host();
    clock.give_to(world.host.options);
    world.start_host();
    world.broker.wait_for_subscription("puppet/#");
  }
  static WorldOptions stopped_at_once(const std::string& name, const std::string& gitple, const std::string& time) {
    WorldOptions options = kept(name);
    options.host.gitple = gitple;
    options.host.bots += "[moca]\nstep_timeout = \"" + time + "\"\n";
    return options;
  }

  // `ms`: for the word and the timer.
  void begin(int ms) {
    for (const Room& room : {words, request, silence}) world.start(room);
    const std::string time = std::to_string(ms);
    world.tell(words, "say now;timer 1 " + time + ";wait " + time + ";say later");
    world.hear(words, "now");
    world.tell(request, "end 5");
    world.asked(request, "end");
    Moca moca(world.broker, "puppet", "7");
    CHECK(at(moca.configure(), "step") == "login");
    Database store(world.host.data() / "botel.db");
    wait_until("all of it to be saved", [&] {
      return store.number(
                 "SELECT (SELECT count(*) FROM timers) + (SELECT count(*) FROM effects) + "
                 "(SELECT count(*) FROM states WHERE progress LIKE '%\"botel-%' OR progress LIKE '%\"login\"%')") == 4;
    });
  }

  // Each as long as somebody is ready to wait in a test, whatever the clock says.
  void check_all_is_heard() {
    world.hear(words, "timer 1");
    world.hear(words, "later");
    world.client.expect(request.msg_pub(), contains("result 5 "), "the absence of an answer");
    world.hear(silence, "timeout");
    world.host.process().wait_for_log("connector puppet/7: nobody has gone on with its configuration");
  }

  World world;
  WrongClock clock;
  const Room words, request{.room = "request"}, silence{.room = "silence"};
};

const std::string kShort = "idle_timeout = \"3s\"\nanswer_timeout = \"3s\"\n";

}  // namespace

TEST_CASE("clock: where it is set back between two runs, all that waits for a time waits as long as was asked for") {
  for (const auto back : {kHour, kDay}) {
    for (const Ending& ending : kAllEndings) {
      CAPTURE(back.count());
      CAPTURE(ending);
      Scene scene(ending.durability, kShort, "3s");
      const auto begun = Clock::now();
      scene.begin(3000);
      scene.world.stop_host(ending.signal_number);
      scene.clock.set(-back);
      scene.world.start_host();
      scene.check_all_is_heard();
      CHECK(Clock::now() >= begun + 3s);
    }
  }
}

TEST_CASE("clock: where it is set forward between two runs, that is a time for which nobody was there") {
  for (const Ending& ending : kAllEndings) {
    CAPTURE(ending);
    Scene scene(ending.durability, kShort, "15m");
    scene.begin(3'600'000);
    scene.world.stop_host(ending.signal_number);
    scene.clock.set(kDay);
    scene.world.start_host();
    scene.check_all_is_heard();
    // And right again, which is no time.
    scene.world.tell(scene.words, "timer 2 2000;say armed");
    scene.world.hear(scene.words, "armed");
    scene.clock.set(0s);
    scene.world.restart_host();
    scene.world.hear(scene.words, "timer 2");
  }
}

TEST_CASE("clock: where it is set while the host runs, that does not matter, nor does it to the next run") {
  for (const Ending& ending : kAllEndings) {
    CAPTURE(ending);
    Scene scene(ending.durability, kShort, "3s");
    scene.begin(3000);
    for (const auto ahead : {kDay, -kDay, kHour, -kHour}) {
      scene.clock.set(ahead);
      scene.world.fence();
    }
    scene.world.stop_host(ending.signal_number);
    scene.world.start_host();
    scene.check_all_is_heard();
  }
}

TEST_CASE("clock: a run keeps it from its start on") {
  Scene scene("relaxed", "", "15m");
  scene.begin(3'600'000);
  Database store(scene.world.host.data() / "botel.db");
  const auto kept = [&] { return store.number("SELECT host_ms FROM clock"); };
  const auto before = kept();
  scene.world.restart_host(SIGKILL);
  wait_until("the clock to be saved at the start", [&] { return kept() > before; });
}

TEST_CASE("clock: the times of what is said, and the ids of events, rise over a clock that is set back") {
  for (const Ending& ending : kEndings) {
    CAPTURE(ending);
    Scene scene(ending.durability, "", "15m");
    World& world = scene.world;
    world.start(scene.words);
    for (int life = 0; life < 4; ++life) {
      world.tell(scene.words, "id;say life " + std::to_string(life));
      world.hear(scene.words, "life " + std::to_string(life));
      scene.clock.set(life == 2 ? kHour : -life * kHour);
      world.restart_host(ending.signal_number);
    }
    long long last_time = 0;
    unsigned long long last_id = 0;
    int ids = 0;
    for (const auto& payload : payloads(world, scene.words.msg_pub())) {
      CAPTURE(payload);
      CHECK(std::stoll(at(payload, "t")) > last_time);
      last_time = std::stoll(at(payload, "t"));
      const std::string text = at(payload, "m");
      if (!text.starts_with("id ")) continue;
      CHECK(std::stoull(text.substr(3)) > last_id);
      last_id = std::stoull(text.substr(3));
      ++ids;
    }
    CHECK(ids == 4);
  }
}
