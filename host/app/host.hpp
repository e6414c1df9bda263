// The host: all rooms of the house wired together, and the round that the driver repeats.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/bots.hpp"
#include "app/config.hpp"
#include "app/control.hpp"
#include "app/data_folder.hpp"
#include "app/keeper.hpp"
#include "app/orders.hpp"
#include "base/black_box.hpp"
#include "base/counters.hpp"
#include "base/files.hpp"
#include "base/heap.hpp"
#include "base/log.hpp"
#include "gitple/service.hpp"
#include "moca/service.hpp"
#include "mqtt/link.hpp"
#include "mqtt/private_broker.hpp"
#include "plugin/plugins.hpp"
#include "plugin/watcher.hpp"
#include "runtime/runtime.hpp"
#include "runtime/workers.hpp"

namespace botel::app {

class Host {
 public:
  // Reads the configuration anew, and says what is wrong with it.
  using Reread = std::function<Mistakes(Config&)>;

  // Takes the data directory, starts the private broker where one is wanted, loads the plugins. `file` is where the
  // configuration came from; empty: it cannot change. Call it on the main thread, before any other thread gets signals.
  static Result<std::unique_ptr<Host>> create(const Config& config, const std::filesystem::path& file, Reread reread);

  // Serves until SIGTERM or SIGINT. The process's exit code.
  int run();

 private:
  Host(const Config& config, std::unique_ptr<DataFolder> data, std::unique_ptr<mqtt::PrivateBroker> broker,
       std::string broker_url);
  Result<> open(const Config& config, mqtt::LinkConfig link);

  bool round();
  void wait();
  void wake();
  void clear_wake();
  Result<> open_store(const Config& config);
  void open_services(const Config& config);
  void receive(const mqtt::Message& message);
  void save_in_memory();
  void open_plugins(const Config& config, std::filesystem::path copies);
  Result<> load_plugins();
  void resume();
  Result<> subscribe();
  void opened(const Result<>& granted);
  void keep_filters();
  [[nodiscard]] Result<> write_filters() const;
  void look_whether_ready();
  [[nodiscard]] bool may_run() const;
  void look_for_signals();
  void look_at_config(SteadyTime now);
  void tidy(SteadyTime now);
  void reload();
  std::string reconfigure();
  void stop(int exit_code);
  void finish();
  [[noreturn]] void abandon();

  Descriptor signals_;  // blocked in every thread, and read here
  Descriptor wake_;
  std::unique_ptr<DataFolder> data_;
  std::unique_ptr<mqtt::PrivateBroker> broker_;
  const std::string broker_url_;
  // Beside those of rooms: what this run has asked for, and what earlier ones have left until the broker has it back.
  std::vector<std::string> filters_, earlier_filters_;

  Counters counters_;
  const log::DroppedLines dropped_lines_{counters_};
  std::unique_ptr<BlackBox> black_box_;
  std::unique_ptr<store::Store> store_;
  std::map<std::string, std::string> fixed_;  // of the configuration, by table
  Bots bots_;
  std::unique_ptr<mqtt::Link> link_;
  runtime::Runtime runtime_;
  std::optional<plugin::Plugins> plugins_;
  std::optional<gitple::Service> gitple_;
  std::optional<moca::Directory> directory_;
  std::optional<moca::Service> moca_;
  std::optional<Keeper> keeper_;  // none: nothing outlives the process
  std::optional<Orders> orders_;
  std::unique_ptr<Control> control_;
  Reread reread_;
  std::unique_ptr<plugin::Watcher> config_watcher_;  // null: there is no file
  runtime::Workers workers_;

  HeapTidier heap_;
  SteadyTime next_tidy_{};
  bool resumed_ = false;  // what was there in an earlier run has been told
  bool opened_ = false;
  bool ready_ = false;
  std::optional<SteadyTime> stop_by_;  // when it stops: until then what has come in is handled
  int exit_code_ = 0;
};

}  // namespace botel::app
