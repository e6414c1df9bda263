// Plugins are replaced while many people talk to them: nothing is lost, doubled or overtaken, whatever comes.
#include <doctest/doctest.h>
#include <fmt/chrono.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

#include "chaos/stage.hpp"
#include "harness/control.hpp"
#include "plain_ends.hpp"

using namespace chaos;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

namespace {

constexpr auto kReload = R"({"command":"reload"})"
                         "\n";
// Also what was rolled back before.
constexpr auto kReloadByName = R"({"command":"reload","name":"counting"})"
                               "\n";
const std::vector<std::string> kBad = {"CRASHES_WHEN_LOADED", "CRASHES_WHEN_MADE", "CANNOT_BE_MADE", "HAS_NO_ENTRY",
                                       "OTHER_NOTE",          "LACKS_A_SYMBOL",    "STARTS_A_THREAD"};

// A plugins folder with the counting bot, which is replaced again and again.
class Folder {
 public:
  Folder() {
    fs::create_directory(path());
    fs::permissions(path(), fs::perms(0755));
    put_good();
  }
  [[nodiscard]] fs::path path() const { return dir_ / "plugins"; }

  void put_good() {
    is_second_ = !is_second_;
    put(is_second_ ? fs::path(BOTEL_COUNTING_VERSIONS) / "counting-2.so"
                   : fs::path(BOTEL_COUNTING_FOLDER) / "counting.so");
  }
  // It is taken, and rolled back when its handlers fail.
  void put_throwing() const { put(fs::path(BOTEL_COUNTING_VERSIONS) / "counting-throws.so"); }
  void put_bad() { put(fs::path(BOTEL_COUNTING_VERSIONS) / ("counting-" + kBad[next_++ % kBad.size()] + ".so")); }

 private:
  void put(const fs::path& from) const {
    fs::copy_file(from, path() / "counting.so", fs::copy_options::overwrite_existing);
  }
  const harness::TempDir dir_;
  bool is_second_ = true;
  std::size_t next_ = 0;
};

// `patient`: the next trouble waits for the host's answer. While that is away, it takes the file when it is back.
Trouble reloads(const std::string& name, int times, Random& random, const std::function<void()>& put, Victim& host,
                bool patient = true) {
  return {name,
          times,
          [&random] { return between(random, 0, 30); },
          [] { return milliseconds(0); },
          [put, patient, &host] {
            put();
            try {
              harness::ask(host.data(), kReload, patient);
            } catch (const std::exception&) {
            }
          },
          [] {}};
}

// Kilobytes, of the process.
long memory(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
  }
  return 0;
}

// Images of plugins that are mapped.
std::size_t images(pid_t pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  std::set<std::string> files;
  for (std::string line; std::getline(maps, line);) {
    if (const auto at = line.find("/loaded/"); at != std::string::npos) files.insert(line.substr(at));
  }
  return files.size();
}

// A host with that many rooms, and how long a new version takes: from the file in the folder to the first event that
// it handles.
class Crowd {
 public:
  explicit Crowd(int rooms)
      : world_({.host = {.bots = "[[bot]]\nid = \"1\"\nname = \"zoo\"\n", .plugins = folder_.string()}}) {
    for (int begin = 0; begin < rooms; begin += 500) {
      std::string batch;
      for (int room = begin; room < std::min(begin + 500, rooms); ++room) {
        const harness::Room one{.room = std::to_string(room)};
        batch += (batch.empty() ? "[" : ",") + harness::request(std::to_string(room), "start", one.start_params());
      }
      world_.client.publish(harness::Room().requests(), batch + "]");
      world_.client.expect(harness::Room().res_pub());
    }
  }

  [[nodiscard]] pid_t pid() { return world_.host.process().pid(); }

  milliseconds swap() {
    const harness::Room room{.room = "0"};
    is_second_ = !is_second_;
    put(folder_, is_second_);
    const auto since = Clock::now();
    std::thread reload([this] { harness::ask(world_.host.data(), kReload); });
    const std::string wanted = is_second_ ? "2.0.0" : "1.0.0";
    for (bool taken = false; !taken;) {
      const std::string word = std::to_string(++words_);
      world_.tell(room, word);
      const auto answer = world_.client.expect(room.msg_pub(), harness::contains(" " + word + "\""));
      taken = harness::at(answer.payload, "m").starts_with(wanted);
    }
    const auto took = std::chrono::ceil<milliseconds>(Clock::now() - since);
    reload.join();
    return took;
  }

 private:
  static void put(const fs::path& folder, bool is_second) {
    fs::copy_file(fs::path(BOTEL_ZOO) / (is_second ? "v2.so" : "v1.so"), folder / "zoo.so",
                  fs::copy_options::overwrite_existing);
  }
  const harness::TempDir dir_;
  const fs::path folder_ = [this] {
    const fs::path folder = dir_ / "plugins";
    fs::create_directory(folder);
    fs::permissions(folder, fs::perms(0755));
    put(folder, false);
    return folder;
  }();
  harness::World world_;
  bool is_second_ = false;
  int words_ = 0;
};

milliseconds median_swap(Crowd& crowd) {
  std::vector<milliseconds> all;
  for (int i = 0; i < 11; ++i) all.push_back(crowd.swap());
  std::ranges::sort(all);
  return all[all.size() / 2];
}

}  // namespace

TEST_CASE("chaos: reloads, good and bad, lose, double and reorder nothing") {
  Folder folder;
  Stage stage({.name = "reloads", .pace = {.rooms = 100, .per_second = 2000}, .plugins = folder.path().string()});
  const Balance balance =
      stage.play({reloads(
                      "reload", times(25, 500), stage.random, [&] { folder.put_good(); }, stage.host),
                  reloads(
                      "bad file", times(25, 500), stage.random, [&] { folder.put_bad(); }, stage.host),
                  slow_handlers(stage.gitple, stage.random, times(5, 100))});
  check_clean(balance, stage);
  auto waits = stage.gitple.longest_waits();
  std::ranges::sort(waits);
  std::vector<long> shown;
  for (const auto wait : waits) shown.push_back(wait.count());
  fmt::print("{:<28}| the longest wait for an answer in each room, ms: {}\n", "", fmt::join(shown, " "));
  CHECK(harness::count(stage.host.log(), "takes over") >= times(15, 300));
  CHECK(harness::count(stage.host.log(), "is refused") >= times(15, 300));
  CHECK(harness::count(stage.host.log(), "stays in memory") == 0);
}

TEST_CASE("chaos: versions that throw are rolled back, and lose, double and reorder nothing") {
  Folder folder;
  Stage stage({.name = "rollbacks", .pace = {.rooms = 100, .per_second = 2000}, .plugins = folder.path().string()});
  int rollbacks = 0;
  const auto be_rolled_back = [&] {
    folder.put_throwing();
    harness::ask(stage.host.data(), kReloadByName);
    harness::wait_until("the version before to take over again", [&] {
      return harness::count(stage.host.log(), "takes over again from counting 3.0.0") > rollbacks;
    });
    ++rollbacks;
    folder.put_good();
  };
  check_clean(stage.play({reloads("rollback", times(5, 50), stage.random, be_rolled_back, stage.host)}), stage);
}

TEST_CASE("chaos: reloads amid kills, resets and faints lose, double and reorder nothing") {
  Folder folder;
  Stage stage({.name = "reloads and all but the broker", .proxied = true, .plugins = folder.path().string()});
  check_clean(stage.play({reloads(
                              "reload", times(20, 200), stage.random, [&] { folder.put_good(); }, stage.host, false),
                          reloads(
                              "bad file", times(20, 200), stage.random, [&] { folder.put_bad(); }, stage.host, false),
                          kills(stage.host, stage.random, times(4, 60)), faints(stage.host, stage.random, times(1, 5)),
                          resets(*stage.proxy, stage.random, times(3, 30))}),
              stage);
}

TEST_CASE("chaos: many reloads leave no image behind, and next to no memory") {
  Crowd crowd(10);
  const auto swap = [&](int swaps) {
    for (int i = 0; i < swaps; ++i) crowd.swap();
    harness::wait_until("the old images to go", [&] { return images(crowd.pid()) == 1; });
  };
  swap(100);  // until caches are full
  const long before = memory(crowd.pid());
  swap(times(200, 1000));
  const long growth = memory(crowd.pid()) - before;
  fmt::print("{:<28}| {} kB more after {} reloads\n", "memory", growth, times(200, 1000));
  if (!kSanitized) CHECK(growth < 1024);
}

TEST_CASE("chaos: a swap takes no longer with many rooms than with few") {
  const int many = times(2'000, 100'000);
  Crowd small(100), large(many);
  const auto few_take = median_swap(small), many_take = median_swap(large);
  fmt::print("{:<28}| with 100 rooms {}, with {} {}: ratio {:.2f}\n", "a swap", few_take, many, many_take,
             static_cast<double>(many_take.count()) / static_cast<double>(few_take.count()));
}
