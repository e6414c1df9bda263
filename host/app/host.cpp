#include "app/host.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/ranges.h>

#include "base/log.hpp"
#include "base/text.hpp"

namespace botel::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// For the end: in this time handlers begin,
constexpr milliseconds kDrainTime{3000};
constexpr milliseconds kHandlerTime{500};  // those that run then may return,
constexpr milliseconds kSaveTime{1000};    // a store that fails may recover,
constexpr milliseconds kLeaveTime{500};    // and the broker may acknowledge.

constexpr std::chrono::seconds kTidyPause{10};

}  // namespace

int Host::run() {
  workers_.run();
  return exit_code_;
}

// The straight line: what came in becomes events, the handlers run, what they did is kept and goes out.
bool Host::round() {
  wait();
  const Time now = Time::now();
  link_->tick(now.steady);
  if (!stop_by_) link_->read();
  runtime_.advance(now);
  plugins_->advance(now);
  directory_->advance();
  control_->advance(now.steady);
  link_->dispatch([this](const mqtt::Message& message) { receive(message); });
  if (may_run() && !runtime_.run(workers_)) return false;
  save_in_memory();
  keep_filters();
  if (!keeper_ || keeper_->save(now.steady)) link_->write();
  black_box_->alive(now.unix_ms);
  look_whether_ready();
  look_at_config(now.steady);
  const bool idle = !(runtime_.has_work() && may_run()) && runtime_.away().empty();
  if (idle && !stop_by_) tidy(now.steady);
  if (stop_by_ && (idle || now.steady >= *stop_by_ + kHandlerTime)) finish();
  return true;
}

void Host::receive(const mqtt::Message& message) {
  if (!moca_->receive(message)) gitple_->receive(message);
}

// With durability off: what connectors push is found there, too.
void Host::save_in_memory() {
  if (keeper_ || !(directory_->has_changes() || moca_->has_changes())) return;
  store::Batch batch;
  directory_->save(batch);
  moca_->save(batch);
  if (auto done = store_->commit(batch); !done) log::error("what connectors push is lost: {}", done.error());
  directory_->saved();
  moca_->saved();
}

// Memory is given back in a moment in which nobody waits.
void Host::tidy(SteadyTime now) {
  if (now < next_tidy_) return;
  next_tidy_ = now + kTidyPause;
  gitple_->tidy();
  moca_->tidy();
  link_->tidy();
  heap_.tidy(now);
}

// What a handler does must be kept, and has to wait for the broker somewhere.
bool Host::may_run() const {
  const bool too_late = stop_by_ && steady_clock::now() >= *stop_by_;
  return !too_late && !link_->full() && !(keeper_ && keeper_->stalled());
}

void Host::wait() {
  std::array<pollfd, 6> descriptors{pollfd{signals_.get(), POLLIN, 0},
                                    {wake_.get(), POLLIN, 0},
                                    link_->descriptor(),
                                    {plugins_->descriptor(), POLLIN, 0},
                                    {control_->descriptor(), POLLIN, 0},
                                    {config_watcher_ ? config_watcher_->descriptor() : -1, POLLIN, 0}};
  SteadyTime until = std::min(link_->next_tick(), plugins_->next());
  if (config_watcher_) until = std::min(until, config_watcher_->next());
  if (const auto next = runtime_.next()) until = std::min(until, *next);
  if (const auto next = keeper_ ? keeper_->next() : std::nullopt) until = std::min(until, *next);
  if (stop_by_) {
    until = std::min(until, *stop_by_ + (steady_clock::now() < *stop_by_ ? milliseconds(0) : kHandlerTime));
    descriptors[2].events &= POLLOUT;
    if (descriptors[2].events == 0) descriptors[2].fd = -1;
  }
  const bool busy = (link_->has_more() && !stop_by_) || (runtime_.has_work() && workers_.can_lend() && may_run());
  const auto timeout = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
  poll(descriptors.data(), descriptors.size(), busy ? 0 : static_cast<int>(std::clamp<long>(timeout, 0, 1000)));
  if (descriptors[0].revents) look_for_signals();
  if (descriptors[1].revents) clear_wake();
  if (descriptors[3].revents) plugins_->read(steady_clock::now());
  if (descriptors[4].revents) control_->turn();
  if (descriptors[5].revents) config_watcher_->read(steady_clock::now());
}

void Host::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void Host::clear_wake() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = read(wake_.get(), &count, sizeof count);
}

void Host::opened(const Result<>& granted) {
  if (!granted) {
    log::error("the broker refuses what Botel cannot do without: {}", granted.error());
    return stop(1);
  }
  opened_ = true;
  earlier_filters_.clear();
  if (auto kept = write_filters(); !kept) log::warning("{}", kept.error());
}

// A session may outlive this run with all that was asked for in it: that is written down before the broker hears of it.
void Host::keep_filters() {
  bool is_news = false;
  for (auto& filter : moca_->take_filters()) {
    if (std::ranges::count(filters_, filter) > 0) continue;
    filters_.push_back(std::move(filter));
    is_news = true;
  }
  if (auto kept = is_news ? write_filters() : Result<>(); !kept) log::warning("{}", kept.error());
}

Result<> Host::write_filters() const {
  auto all = filters_;
  all.insert(all.end(), earlier_filters_.begin(), earlier_filters_.end());
  return data_->keep_filters(all);
}

// Once all rooms of an earlier run hear what is said in them, too.
void Host::look_whether_ready() {
  if (ready_ || !opened_ || !link_->settled()) return;
  ready_ = true;
  auto bots = bots_.names(), connectors = bots_.connectors();
  // Of one that the broker refuses the log has told.
  std::erase_if(connectors, [this](const std::string& type) { return !link_->grants(type + "/#"); });
  log::print(STDOUT_FILENO,
             fmt::format("botel ready: {}{}{}{}{}", broker_url_, bots.empty() ? ", no bots" : ", bots ",
                         fmt::join(bots, " "), connectors.empty() ? "" : ", connectors ", fmt::join(connectors, " ")));
}

void Host::look_for_signals() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      reload();
    } else if (info.ssi_signo != SIGCHLD) {
      log::info("stopping: {}, {}", counted(gitple_->rooms(), "room"), counted(moca_->connectors(), "connector"));
      stop(0);
    } else if (broker_ && broker_->has_ended()) {
      log::error("the private broker has ended; see mosquitto/mosquitto.log in the data directory");
      stop(1);
    }
  }
}

void Host::reload() {
  if (const auto mistakes = reconfigure(); !mistakes.empty()) log::error("{}", mistakes);
  plugins_->reload("", false, [](const auto&) {});
}

void Host::look_at_config(SteadyTime now) {
  if (!config_watcher_ || now < config_watcher_->next() || config_watcher_->take(now).empty()) return;
  if (const auto mistakes = reconfigure(); !mistakes.empty()) log::error("{}", mistakes);
}

// Of a file with mistakes nothing is taken.
std::string Host::reconfigure() {
  if (!reread_) return "";
  Config config = default_config();
  const auto mistakes = reread_(config);
  if (!mistakes.empty()) return fmt::format("the configuration stays as it was: {}", fmt::join(mistakes, "; "));
  for (const auto& [table, text] : config.fixed) {
    if (fixed_[table] != text) log::warning("what has changed in [{}] is taken at the next start", table);
  }
  fixed_ = config.fixed;
  bots_.configure(config.bots);
  plugins_->reconfigure();
  bots_.complain_of_names([this](const auto& name) { return plugins_->why_not_served(name); });
  return "";
}

// What has come in is still handled and sent, for a while; nothing new is read.
void Host::stop(int exit_code) {
  if (stop_by_) return;
  exit_code_ = exit_code;
  stop_by_ = steady_clock::now() + kDrainTime;
}

void Host::finish() {
  const SteadyTime save_by = steady_clock::now() + kSaveTime;
  auto kept = keeper_ ? keeper_->finish(save_by) : Result<>();
  gitple_->close(keeper_.has_value());
  if (kept) {
    link_->leave(steady_clock::now() + kLeaveTime);
    // What the broker has now the next run need not send again.
    if (keeper_ && link_->has_gone()) kept = keeper_->finish(save_by + kLeaveTime);
  }
  if (!kept) {
    log::error("what happened last is not in the store: {}", kept.error());
    exit_code_ = 1;
  } else {
    black_box_->end_well();
  }
  for (const Counter& counter : counters_.all()) {
    if (counter.value() > 0) log::info("{} {}", counter.name(), counter.value());
  }
  const bool loader_returns = plugins_->stop(steady_clock::now() + kHandlerTime);
  if (!loader_returns) log::error("a plugin does not return from being loaded or unloaded");
  if (!runtime_.away().empty() || !loader_returns) abandon();
  workers_.stop();
}

// A handler that does not return cannot be waited for, and its thread not be ended.
void Host::abandon() {
  for (const auto& away : runtime_.away()) {
    log::error("{} {} is still busy with {} {}", away.actor->served_by(), away.actor->role.name(), away.actor->type,
               away.actor->address);
  }
  // What has begun since may only be slow.
  black_box_->leave_running(runtime_.tasks_begun_after(*stop_by_ - kDrainTime));
  black_box_.reset();
  broker_.reset();
  data_.reset();
  log::flush();
  std::_Exit(1);
}

}  // namespace botel::app
