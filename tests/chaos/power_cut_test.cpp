// kill -9 leaves what was written and not synced to the kernel, which keeps it: only a power cut shows a missing sync.
// Here the disk is what SQLite has synced (shimmed_botel.cpp), and everything else is lost.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

#include "chaos/durable.hpp"
#include "chaos/stage.hpp"

using namespace chaos;

namespace {

// Watches the host's connection, and compares what it tells the broker with what is durable at that moment.
class Auditor {
 public:
  explicit Auditor(const std::filesystem::path& folder) : durable(folder / "durable", folder / "looked-at") {}

  Watch watch() {
    return {.from_host = [this](const Packet& packet) { audit(packet); }, .from_broker = {}};
  }
  [[nodiscard]] int acknowledgements() const { return acknowledgements_; }
  [[nodiscard]] int answers() const { return answers_; }
  // Of these: those that were not durable.
  [[nodiscard]] int early_acknowledgements() const { return early_acknowledgements_; }
  [[nodiscard]] int early_answers() const { return early_answers_; }

  Durable durable;

 private:
  void audit(const Packet& packet) {
    if (packet.type() == PacketType::puback) {
      ++acknowledgements_;
      if (!durable.has_received(packet.id())) ++early_acknowledgements_;
    } else if (packet.type() == PacketType::publish) {
      audit_answer(std::string(packet.topic()), std::string(packet.payload()));
    }
  }

  // `NAME | MORE event SEQUENCE` in .../r/ROOM/t/1.
  void audit_answer(const std::string& topic, const std::string& payload) {
    const auto room = topic.find("/r/");
    const std::string text = room == std::string::npos ? "" : harness::at(payload, "m");
    const auto event = text.rfind("event ");
    if (event == std::string::npos) return;
    ++answers_;
    const std::string name = topic.substr(room + 2, topic.find("/t/", room) - room - 1);
    if (!durable.has_handled(name, std::stoll(text.substr(event + 6)))) ++early_answers_;
  }

  std::atomic<int> acknowledgements_ = 0, answers_ = 0, early_acknowledgements_ = 0, early_answers_ = 0;
};

StageOptions on_synced_disk(const harness::TempDir& dir, Auditor& auditor, const std::string& name,
                            const std::string& durability, int sync_ms) {
  return {.name = name,
          .durability = durability,
          .proxied = true,
          .watch = auditor.watch(),
          .data = (dir / "data").string(),
          .executable = BOTEL_SHIMMED,
          .environment = {"BOTEL_DURABLE_FOLDER=" + (dir / "durable").string(),
                          "BOTEL_SYNC_MS=" + std::to_string(sync_ms)}};
}

// The machine loses its power, and comes back with what was synced.
Trouble power_cuts(Stage& stage, const Durable& durable, int times) {
  Trouble trouble = kills(stage.host, stage.random, times);
  trouble.name = "power cut";
  trouble.begin = [&] {
    stage.host.kill();
    durable.copy_to(stage.host.data());
  };
  return trouble;
}

}  // namespace

TEST_CASE("chaos: strict acknowledges and answers only what is synced") {
  for (const int sync_ms : {0, 20}) {
    const harness::TempDir dir;
    Auditor auditor(dir.path());
    Stage stage(on_synced_disk(dir, auditor, "audited, sync " + std::to_string(sync_ms) + " ms", "strict", sync_ms));
    stage.gitple.talk();
    stage.gitple.wait_for_answers(times(500, 20'000));
    check_clean(stage.settle(), stage);
    CHECK(auditor.acknowledgements() >= times(500, 20'000));
    CHECK(auditor.answers() >= times(500, 20'000));
    CHECK(auditor.early_acknowledgements() == 0);
    CHECK(auditor.early_answers() == 0);
  }
}

TEST_CASE("chaos: the audit can fail: relaxed acknowledges and answers before it syncs") {
  const harness::TempDir dir;
  Auditor auditor(dir.path());
  Stage stage(on_synced_disk(dir, auditor, "audited, relaxed", "relaxed", 20));
  stage.gitple.talk();
  stage.gitple.wait_for_answers(200);
  check_clean(stage.settle(), stage);
  CHECK(auditor.early_acknowledgements() > 0);
  CHECK(auditor.early_answers() > 0);
}

TEST_CASE("chaos: a host that lost all that was not synced loses, doubles and reorders nothing") {
  const harness::TempDir dir;
  Auditor auditor(dir.path());
  Stage stage(on_synced_disk(dir, auditor, "power cuts", "strict", 2));
  check_clean(stage.play({power_cuts(stage, auditor.durable, times(6, 100))}), stage);
  CHECK(auditor.early_acknowledgements() == 0);
  CHECK(auditor.early_answers() == 0);
}
