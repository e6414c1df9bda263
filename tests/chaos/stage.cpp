#include "chaos/stage.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <cstdlib>
#include <utility>

#include "harness/database.hpp"

namespace chaos {
namespace {

namespace fs = std::filesystem;

harness::HostOptions host_options(const StageOptions& options, const std::string& url) {
  harness::HostOptions host;
  host.url = url;
  host.mqtt = "qos = 1\n";
  if (!options.durability.empty()) host.store = "durability = " + harness::quoted(options.durability) + "\n";
  host.bots = "[[bot]]\nid = \"1\"\nname = \"counting\"\n";
  host.plugins = options.plugins.empty() ? BOTEL_COUNTING_FOLDER : options.plugins;
  host.data = options.data;
  host.executable = options.executable;
  host.environment = options.environment;
  return host;
}

std::uint64_t next_seed() {
  static std::uint64_t count = 0;
  return seed() + count++;
}

void print_head() {
  static bool printed = false;
  if (std::exchange(printed, true)) return;
  fmt::print("seed {}, {} form: BOTEL_CHAOS_SEED and BOTEL_CHAOS=long choose\n", seed(), is_long() ? "long" : "short");
  fmt::print("{:<28}|{:>7}{:>8}{:>6}{:>8}{:>8} |{:>8}{:>8}{:>8}{:>8}{:>10} |{:>7}{:>6}{:>8}{:>8} |{:>6}  {}\n",
             "messages", "sent", "handled", "lost", "doubled", "out of", "answers", "missing", "out of", "repeats",
             "differing", "timers", "lost", "doubled", "missing", "time", "troubles");
  fmt::print("{:<28}|{:>37} |{:>24}{:>18} |{:>29} |\n", "", "order", "order", "", "");
}

void print_line(const std::string& name, const Counts& c, double seconds, const std::map<std::string, int>& troubles) {
  print_head();
  std::string list;
  for (const auto& [trouble, times] : troubles) {
    list += fmt::format("{}{} x {}", list.empty() ? "" : ", ", times, trouble);
  }
  fmt::print("{:<28}|{:>7}{:>8}{:>6}{:>8}{:>8} |{:>8}{:>8}{:>8}{:>8}{:>10} |{:>7}{:>6}{:>8}{:>8} |{:>5.1f}s  {}\n",
             name, c.sent, c.handled, c.lost, c.doubled, c.reordered, c.answers, c.missing, c.overtaken, c.repeats,
             c.differing, c.timers, c.timers_lost, c.timers_doubled, c.timers_missing, seconds, list);
  std::fflush(stdout);
}

// The first of them, as one text.
std::string some(const std::vector<std::string>& complaints) {
  std::string text;
  for (std::size_t index = 0; index < std::min<std::size_t>(complaints.size(), 10); ++index) {
    text += complaints[index].substr(0, 1000) + "\n";
  }
  return text + (complaints.size() > 10 ? fmt::format("and {} more\n", complaints.size() - 10) : "");
}

}  // namespace

Stage::Stage(StageOptions options)
    : random(next_seed()),
      broker(dir / "broker", {.lines = options.broker_lines, .keeps_sessions = options.broker_keeps_sessions}),
      host(dir / "host",
           [&] {
             if (options.proxied) proxy.emplace(broker.port(), options.watch);
             return host_options(options, proxy ? proxy->url() : broker.url());
           }()),
      gitple(broker.port(), options.pace, random()),
      options_(std::move(options)) {
  host.start();
  host.wait_ready();
  gitple.open_rooms();
}

Stage::~Stage() {
  const char* const keep = std::getenv("BOTEL_CHAOS_KEEP");
  if (!keep) return;
  std::error_code ignored;
  const fs::path kept = fs::path(keep) / options_.name;
  fs::copy(dir.path(), kept, fs::copy_options::recursive, ignored);
  fs::copy(host.data(), kept / "data", fs::copy_options::recursive, ignored);
}

void Stage::suffer(const std::vector<Trouble>& troubles) {
  for (const Trouble& trouble : troubles) troubles_[trouble.name] += trouble.times;
  make_trouble(troubles, [this] { host.watch(); });
}

Balance Stage::settle() {
  host.wait_ready();
  const Balance balance = gitple.finish();
  CHECK(host.stop() == 0);
  const auto seconds = std::chrono::duration<double>(Clock::now() - since_).count();
  print_line(options_.name, balance.counts, seconds, troubles_);
  return balance;
}

Balance Stage::play(const std::vector<Trouble>& troubles) {
  gitple.talk();
  suffer(troubles);
  return settle();
}

void check_clean(const Balance& balance, const Stage& stage) {
  CHECK(stage.gitple.connection_losses() == 0);
  CHECK_MESSAGE(is_clean(balance.counts), some(balance.complaints), stage.host.last_words());
}

void check_nothing_lost(const Balance& balance, const Stage& stage) {
  const long long lost = balance.counts.lost + balance.counts.missing + balance.counts.timers_lost;
  auto complaints = balance.complaints;
  const auto of_no_loss = [](const std::string& complaint) {
    return complaint.find("said first") != std::string::npos || complaint.find("heard behind") != std::string::npos;
  };
  std::erase_if(complaints, of_no_loss);
  CHECK_MESSAGE(lost == 0, some(complaints), stage.host.last_words());
  CHECK(harness::Database(stage.host.data() / "botel.db").number("SELECT count(*) FROM outbox") == 0);
}

void print_skipped(const std::string& name, const std::string& reason) {
  print_head();
  fmt::print("{:<28}| SKIPPED: {}\n", name, reason);
  std::fflush(stdout);
}

}  // namespace chaos
