// The second part of Host: how it comes to be.
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "app/client_id.hpp"
#include "app/host.hpp"
#include "app/plugin_copies.hpp"
#include "base/log.hpp"
#include "base/signals.hpp"
#include "gitple/unread.hpp"
#include "mqtt/topics.hpp"
#include "store/sqlite.hpp"

namespace botel::app {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kQuiet{300};  // since the last write to a file until it is taken over

// Where a commit comes before what is sent, more events share one.
runtime::RuntimeConfig runtime_config(const Config& config) {
  const milliseconds round(config.durability == Durability::strict ? 20 : 2);
  return {.threads = config.threads, .slow = config.slow_handler, .round = round};
}

// As if it had never been blocked.
void die_of(int signal) {
  log::flush();
  std::signal(signal, SIG_DFL);
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_UNBLOCK, &all, nullptr);
  raise(signal);
}

}  // namespace

Result<std::unique_ptr<Host>> Host::create(const Config& config, const std::filesystem::path& file, Reread reread) {
  umask(077);  // conversations are nobody else's business
  auto data = DataFolder::open(config.data, config.data_writable_by_others);
  if (!data) return tl::unexpected(data.error());

  std::unique_ptr<mqtt::PrivateBroker> broker;
  mqtt::LinkConfig link = config.mqtt;
  link.outline = gitple::outline;
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
  const unsigned threads = config.threads + runtime::Runtime::kMostExtraThreads;
  auto black_box = BlackBox::open(data_->running(), threads, Time::now());
  if (!black_box) return tl::unexpected(black_box.error());
  black_box_ = std::move(*black_box);
  // What crashed an earlier run than the last was told then.
  for (const auto& suspect : black_box_->suspects()) {
    if (suspect.recent) log::error("{}", suspect.describe());
  }
  // From here on no thread gets a signal.
  signals_ = Descriptor(open_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD}));

  if (auto opened = open_store(config); !opened) return opened;
  link_config.keep_session = config.durability != Durability::off;
  auto id = choose_client_id(link_config.client_id, *data_, link_config.keep_session ? store_.get() : nullptr);
  if (!id) return tl::unexpected(id.error());
  link_config.client_id = std::move(*id);
  auto link = mqtt::Link::create(std::move(link_config), counters_);
  if (!link) return tl::unexpected(link.error());
  link_ = std::move(*link);
  open_services(config);
  if (auto loaded = keeper_ ? keeper_->load() : Result<>(); !loaded) return loaded;
  auto copies = choose_plugin_copies(config);
  if (!copies) return tl::unexpected(copies.error());
  open_plugins(config, std::move(*copies));
  if (auto loaded = load_plugins(); !loaded) return loaded;
  resume();
  filters_ = config.gitple.requests;
  filters_.insert(filters_.end(), config.gitple.answers.begin(), config.gitple.answers.end());
  const auto of_connectors = moca_->take_filters();
  filters_.insert(filters_.end(), of_connectors.begin(), of_connectors.end());
  if (auto subscribed = subscribe(); !subscribed) return subscribed;
  if (broker_ && broker_->has_ended()) return failure("the private broker has ended");
  orders_.emplace(*plugins_, bots_, *moca_, runtime_, [this] { return reconfigure(); });
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
  directory_.emplace(*store_, [this] { wake(); });
  const auto find_role = [this](const std::string& type) -> runtime::Role& { return bots_.connector(type); };
  moca_.emplace(config.moca, *link_, runtime_, *directory_, find_role, counters_);
  if (config.durability == Durability::off) return;
  const bool strict = config.durability == Durability::strict;
  keeper_.emplace(*store_, strict, runtime_, *link_, *gitple_, *moca_, *directory_, counters_, [this] { wake(); });
}

void Host::open_plugins(const Config& config, std::filesystem::path copies) {
  using plugin::Writers;
  plugin::PluginsConfig plugins{.folder = config.plugins,
                                .writers = config.plugins_writable_by_others ? Writers::any : Writers::ours,
                                .data = config.data,
                                .copies = std::move(copies),
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
                                                   if (item.kind == BOTEL_CONNECTOR && resumed_)
                                                     moca_->taken_over(item.id);
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
      if (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT) continue;
      black_box_.reset();  // a stop is no crash
      die_of(static_cast<int>(info.ssi_signo));
    }
    clear_wake();
    plugins_->advance(Time::now());
  }
  return {};
}

void Host::resume() {
  if (keeper_) keeper_->resume(black_box_->away(), black_box_->ended_well());
  bots_.complain([this](const auto& name) { return plugins_->why_not_served(name); });
  resumed_ = true;
}

// A session still has the filters that an earlier run asked for, which the configuration may no longer name.
Result<> Host::subscribe() {
  earlier_filters_ = data_->filters();
  for (const auto& filter : filters_) std::erase(earlier_filters_, filter);
  for (const auto& filter : earlier_filters_) {
    if (mqtt::valid_filter(filter)) link_->disown(filter);
  }
  gitple_->open([this](const Result<>& granted) { opened(granted); });
  return write_filters();
}

}  // namespace botel::app
