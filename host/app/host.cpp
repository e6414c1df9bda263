#include "app/host.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

// Where a commit comes before what is sent, more events share one.
runtime::RuntimeConfig runtime_config(const Config& config) {
  const milliseconds round(config.durability == Durability::strict ? 20 : 2);
  return {.threads = config.threads, .slow = config.slow_handler, .round = round};
}

}  // namespace

Descriptor::~Descriptor() { close(fd_); }

Result<std::unique_ptr<Host>> Host::create(const Config& config) {
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
  return host;
}

Host::Host(const Config& config, std::unique_ptr<DataFolder> data, std::unique_ptr<mqtt::PrivateBroker> broker,
           std::string broker_url)
    : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      data_(std::move(data)),
      broker_(std::move(broker)),
      broker_url_(std::move(broker_url)),
      runtime_(runtime_config(config), counters_, [this] { wake(); }),
      workers_([this] { return round(); }, [this] { wake(); }, config.threads) {}

Result<> Host::open(const Config& config, mqtt::LinkConfig link_config) {
  auto black_box = BlackBox::open(config.data / "running", config.threads, Time::now());
  if (!black_box) return tl::unexpected(black_box.error());
  black_box_ = std::move(*black_box);
  for (const auto& suspect : black_box_->suspects()) log::error("{}", suspect.describe());
  const auto offers = plugin::load_all(config.plugins, config.data / "loaded");
  if (!offers) return tl::unexpected(offers.error());
  bots_.emplace(*offers, config.bots);

  // Until here a signal ends the process at once, whatever a plugin does; the broker goes with it. From here on no
  // thread gets one.
  signals_.emplace(open_signals({SIGTERM, SIGINT, SIGCHLD}));

  link_config.keep_session = config.durability != Durability::off;
  if (link_config.client_id.empty()) {
    auto id = data_->client_id();
    if (!id) return tl::unexpected(id.error());
    link_config.client_id = std::move(*id);
  }
  auto link = mqtt::Link::create(std::move(link_config), counters_);
  if (!link) return tl::unexpected(link.error());
  link_ = std::move(*link);
  const auto find_bot = [this](const std::string& id) { return bots_->find(id); };
  service_.emplace(config.gitple, *link_, runtime_, find_bot, counters_);
  if (auto kept = keep(config); !kept) return kept;
  filters_ = config.gitple.requests;
  filters_.insert(filters_.end(), config.gitple.answers.begin(), config.gitple.answers.end());
  if (auto subscribed = subscribe(); !subscribed) return subscribed;
  if (broker_ && broker_->has_ended()) return failure("the private broker has ended");
  return data_->announce(broker_url_);
}

Result<> Host::keep(const Config& config) {
  if (config.durability == Durability::off) {
    if (std::filesystem::exists(config.data / store::kFile)) {
      log::warning("{} has conversations of an earlier run, which stay there: durability is off", store::kFile);
    }
    runtime_.keep(nullptr, black_box_.get());
    return {};
  }
  auto store = store::Sqlite::open(config.data / store::kFile);
  if (!store) return tl::unexpected(store.error());
  store_ = std::move(*store);
  runtime_.keep(store_.get(), black_box_.get());
  const bool strict = config.durability == Durability::strict;
  keeper_.emplace(*store_, strict, runtime_, *link_, *service_, counters_, [this] { wake(); });
  return keeper_->load(black_box_->away().value_or(milliseconds(0)));
}

// A session still has the filters that an earlier run asked for, which the configuration may no longer name.
Result<> Host::subscribe() {
  auto known = data_->filters();
  for (const auto& filter : filters_) std::erase(known, filter);
  for (const auto& filter : known) {
    if (mqtt::valid_filter(filter)) link_->disown(filter);
  }
  service_->open([this](const Result<>& granted) { opened(granted); });
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
  link_->dispatch([this](const mqtt::Message& message) { service_->receive(message); });
  if (may_run() && !runtime_.run(workers_)) return false;
  if (!keeper_ || keeper_->save(now.steady)) link_->write();
  black_box_->alive(now.unix_ms);
  look_whether_ready();
  const bool idle = !(runtime_.has_work() && may_run()) && runtime_.away().empty();
  if (stop_by_ && (idle || now.steady >= *stop_by_ + kHandlerTime)) finish();
  return true;
}

// What a handler does must be kept, and has to wait for the broker somewhere.
bool Host::may_run() const {
  const bool too_late = stop_by_ && steady_clock::now() >= *stop_by_;
  return !too_late && !link_->full() && !(keeper_ && keeper_->stalled());
}

void Host::wait() {
  std::array<pollfd, 3> descriptors{pollfd{signals_->get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}, link_->descriptor()};
  SteadyTime until = link_->next_tick();
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
  if (descriptors[1].revents) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto taken = read(wake_.get(), &count, sizeof count);
  }
}

void Host::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
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
  fmt::print("botel ready: {}, bots {}\n", broker_url_, fmt::join(bots_->names(), " "));
  std::fflush(stdout);
}

void Host::look_for_signals() {
  signalfd_siginfo info{};
  while (read(signals_->get(), &info, sizeof info) == sizeof info) {
    if (info.ssi_signo != SIGCHLD) {
      log::info("stopping: {} rooms", service_->rooms());
      stop(0);
    } else if (broker_ && broker_->has_ended()) {
      log::error("the private broker has ended; see mosquitto/mosquitto.log in the data directory");
      stop(1);
    }
  }
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
  service_->close(keeper_.has_value());
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
  if (!runtime_.away().empty()) abandon();
  workers_.stop();
}

// A handler that does not return cannot be waited for, and its thread not be ended.
void Host::abandon() {
  for (const auto& away : runtime_.away()) {
    log::error("bot {} is still busy with {} {}", away.actor->bot, away.actor->type, away.actor->address);
  }
  black_box_.reset();  // a stop is no crash
  broker_.reset();
  data_.reset();
  std::_Exit(1);
}

}  // namespace botel::app
