#include "app/host.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/ranges.h>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "mqtt/topics.hpp"
#include "store/sqlite.hpp"

namespace botel::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// For the end: in this time handlers begin,
constexpr milliseconds kDrainTime{3000};
constexpr milliseconds kHandlerTime{500};  // those that run then may return,
constexpr milliseconds kSaveTime{1000};    // a store that fails may recover,
constexpr milliseconds kLeaveTime{500};    // and the broker may acknowledge.

constexpr milliseconds kQuiet{300};  // since the last write to a file until it is taken over

// As if it had never been blocked.
void die_of(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
  raise(signal);
}

// Where a commit comes before what is sent, more events share one.
runtime::RuntimeConfig runtime_config(const Config& config) {
  const milliseconds round(config.durability == Durability::strict ? 20 : 2);
  return {.threads = config.threads, .slow = config.slow_handler, .round = round};
}

}  // namespace

Result<std::unique_ptr<Host>> Host::create(const Config& config, const std::filesystem::path& file, Reread reread) {
  umask(077);  // conversations are nobody else's business
  auto data = DataFolder::open(config.data);
  if (!data) return tl::unexpected(data.error());

  std::unique_ptr<mqtt::PrivateBroker> broker;
  mqtt::LinkConfig link = config.mqtt;
  std::string url = config.broker.value_or("");
  if (!config.broker) {
    auto started = mqtt::PrivateBroker::start(config.data / "mosquitto", config.broker_port);
    if (!started) return tl::unexpected(started.error());
    broker = std::move(*started);
    link.host = "127.0.0.1";
    link.port = broker->port();
    url = fmt::format("mqtt://127.0.0.1:{}", broker->port());
  }
  std::unique_ptr<Host> host(new Host(config, std::move(*data), std::move(broker), std::move(url)));
  if (auto opened = host->open(config, std::move(link)); !opened) return tl::unexpected(opened.error());
  if (!file.empty()) {
    host->reread_ = std::move(reread);
    const auto wanted = [name = file.filename().string()](std::string_view other) { return other == name; };
    const auto folder = file.has_parent_path() ? file.parent_path() : ".";
    host->config_watcher_ = std::make_unique<plugin::Watcher>(folder, wanted, kQuiet);
    [[maybe_unused]] const auto known = host->config_watcher_->take(steady_clock::now());
  }
  return host;
}

Host::Host(const Config& config, std::unique_ptr<DataFolder> data, std::unique_ptr<mqtt::PrivateBroker> broker,
           std::string broker_url)
    : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      data_(std::move(data)),
      broker_(std::move(broker)),
      broker_url_(std::move(broker_url)),
      fixed_(config.fixed),
      bots_(config.bots),
      runtime_(runtime_config(config), counters_, [this] { wake(); }),
      workers_([this] { return round(); }, [this] { wake(); }, config.threads) {}

Result<> Host::open(const Config& config, mqtt::LinkConfig link_config) {
  auto black_box = BlackBox::open(config.data / "running", config.threads, Time::now());
  if (!black_box) return tl::unexpected(black_box.error());
  black_box_ = std::move(*black_box);
  for (const auto& suspect : black_box_->suspects()) log::error("{}", suspect.describe());
  // From here on no thread gets a signal.
  signals_ = Descriptor(open_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD}));

  link_config.keep_session = config.durability != Durability::off;
  if (link_config.client_id.empty()) {
    auto id = data_->client_id();
    if (!id) return tl::unexpected(id.error());
    link_config.client_id = std::move(*id);
  }
  auto link = mqtt::Link::create(std::move(link_config), counters_);
  if (!link) return tl::unexpected(link.error());
  link_ = std::move(*link);
  if (auto opened = open_store(config); !opened) return opened;
  open_services(config);
  if (auto loaded = keeper_ ? keeper_->load() : Result<>(); !loaded) return loaded;
  open_plugins(config);
  if (auto loaded = load_plugins(); !loaded) return loaded;
  resume();
  filters_ = config.gitple.requests;
  filters_.insert(filters_.end(), config.gitple.answers.begin(), config.gitple.answers.end());
  if (auto subscribed = subscribe(); !subscribed) return subscribed;
  if (broker_ && broker_->has_ended()) return failure("the private broker has ended");
  orders_.emplace(*plugins_, bots_, *moca_, [this] { return reconfigure(); });
  auto control =
      Control::open(config.data, [this](const auto& request, const auto& answer) { orders_->take(request, answer); });
  if (!control) return tl::unexpected(control.error());
  control_ = std::move(*control);
  return data_->announce(broker_url_);
}

// With durability off it is there for what connectors push, and is forgotten with the process.
Result<> Host::open_store(const Config& config) {
  const bool in_memory = config.durability == Durability::off;
  if (in_memory && std::filesystem::exists(config.data / store::kFile)) {
    log::warning("{} has conversations of an earlier run, which stay there: durability is off", store::kFile);
  }
  auto store = in_memory ? store::Sqlite::in_memory() : store::Sqlite::open(config.data / store::kFile);
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);
  runtime_.keep(in_memory ? nullptr : store_.get(), black_box_.get());
  return {};
}

void Host::open_services(const Config& config) {
  const auto find_bot = [this](const std::string& id) { return bots_.find(id); };
  const auto find_owner = [this](const std::string& id, const std::string& name) -> runtime::Role& {
    return bots_.owner(id, name);
  };
  gitple_.emplace(config.gitple, *link_, runtime_, find_bot, find_owner, counters_);
  directory_.emplace(*store_, runtime_.now().unix_ms << 20, [this] { wake(); });
  const auto find_role = [this](const std::string& type) -> runtime::Role& { return bots_.connector(type); };
  moca_.emplace(config.moca, *link_, runtime_, *directory_, find_role, counters_);
  if (config.durability == Durability::off) return;
  const bool strict = config.durability == Durability::strict;
  keeper_.emplace(*store_, strict, runtime_, *link_, *gitple_, *moca_, *directory_, counters_, [this] { wake(); });
}

void Host::open_plugins(const Config& config) {
  plugin::PluginsConfig plugins{.folder = config.plugins,
                                .data = config.data,
                                .probe = {.time = config.probe_time},
                                .most_failures = config.probation_failures,
                                .probation = config.probation,
                                .quiet = kQuiet};
  plugin::Plugins::Surroundings surroundings{.objection =
                                                 [](const plugin::Item& item) {
                                                   const bool reserved =
                                                       item.kind == BOTEL_CONNECTOR && !moca::valid_type(item.id);
                                                   return reserved ? "no connector may be called " + item.id : "";
                                                 },
                                             .parts = [this](const plugin::Item& item) { return bots_.parts(item); },
                                             .serves =
                                                 [this](const plugin::Item& item) {
                                                   bots_.offer(item);
                                                   if (item.kind == BOTEL_CONNECTOR) moca_->offer(item.id);
                                                 },
                                             .restart_unreadable =
                                                 [this](const auto& role, const auto& next) {
                                                   gitple_->restart_unreadable(role, next);
                                                   moca_->restart_unreadable(role, next);
                                                 },
                                             .gone =
                                                 [this](const auto& role) {
                                                   gitple_->give_up(role);
                                                   moca_->give_up(role);
                                                 },
                                             .wake = [this] { wake(); }};
  plugins_.emplace(std::move(plugins), runtime_, black_box_.get(), std::move(surroundings), counters_);
}

// Before anything is heard of the broker. Meanwhile a signal ends the process at once, whatever a plugin does; the
// private broker goes with it.
Result<> Host::load_plugins() {
  if (auto opened = plugins_->open(); !opened) return opened;
  while (!plugins_->settled()) {
    std::array<pollfd, 2> descriptors{pollfd{signals_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    poll(descriptors.data(), descriptors.size(), -1);
    signalfd_siginfo info{};
    while (descriptors[0].revents && read(signals_.get(), &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) die_of(static_cast<int>(info.ssi_signo));
    }
    clear_wake();
    plugins_->advance(Time::now());
  }
  return {};
}

void Host::resume() {
  if (keeper_) keeper_->resume(black_box_->away().value_or(milliseconds(0)));
  bots_.complain();
}

// A session still has the filters that an earlier run asked for, which the configuration may no longer name.
Result<> Host::subscribe() {
  auto known = data_->filters();
  for (const auto& filter : filters_) std::erase(known, filter);
  for (const auto& filter : known) {
    if (mqtt::valid_filter(filter)) link_->disown(filter);
  }
  gitple_->open([this](const Result<>& granted) { opened(granted); });
  known.insert(known.end(), filters_.begin(), filters_.end());
  return data_->keep_filters(known);
}

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
  link_->dispatch([this](const mqtt::Message& message) { receive(message); });
  if (may_run() && !runtime_.run(workers_)) return false;
  save_in_memory();
  if (!keeper_ || keeper_->save(now.steady)) link_->write();
  black_box_->alive(now.unix_ms);
  look_whether_ready();
  look_at_config(now.steady);
  const bool idle = !(runtime_.has_work() && may_run()) && runtime_.away().empty();
  if (stop_by_ && (idle || now.steady >= *stop_by_ + kHandlerTime)) finish();
  return true;
}

void Host::receive(const mqtt::Message& message) {
  if (!moca_->receive(message)) gitple_->receive(message);
}

// With durability off: what connectors push is found there, too.
void Host::save_in_memory() {
  if (keeper_ || !directory_->has_changes()) return;
  store::Batch batch;
  directory_->save(batch);
  if (auto done = store_->commit(batch); !done) log::error("what connectors push is lost: {}", done.error());
  directory_->saved();
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
  if (auto kept = data_->keep_filters(filters_); !kept) log::warning("{}", kept.error());
}

// Once all rooms of an earlier run hear what is said in them, too.
void Host::look_whether_ready() {
  if (ready_ || !opened_ || !link_->settled()) return;
  ready_ = true;
  const auto bots = bots_.names(), connectors = bots_.connectors();
  fmt::print("botel ready: {}{}{}{}{}\n", broker_url_, bots.empty() ? ", no bots" : ", bots ", fmt::join(bots, " "),
             connectors.empty() ? "" : ", connectors ", fmt::join(connectors, " "));
  std::fflush(stdout);
}

void Host::look_for_signals() {
  signalfd_siginfo info{};
  while (read(signals_.get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      reload();
    } else if (info.ssi_signo != SIGCHLD) {
      log::info("stopping: {} rooms", gitple_->rooms());
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
  bots_.complain_of_names();
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
  black_box_.reset();  // a stop is no crash
  broker_.reset();
  data_.reset();
  std::_Exit(1);
}

}  // namespace botel::app
