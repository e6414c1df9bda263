// botel chat: gitple's side of a room, in a terminal or for a script.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>

#include "app/config.hpp"
#include "app/data_folder.hpp"
#include "base/signals.hpp"
#include "cli/chat_input.hpp"
#include "cli/chat_screen.hpp"
#include "cli/chat_session.hpp"
#include "cli/chat_text.hpp"
#include "cli/commands.hpp"
#include "mqtt/link.hpp"

namespace botel::cli {
namespace {

constexpr const char* kUsualBroker = "mqtt://127.0.0.1:1883";

struct Options {
  std::string config, broker, data, bot = "1";
};

// Drives a session: the broker's messages, the user's lines and the clock, round after round. Of one thread.
class Chat {
 public:
  Chat(std::unique_ptr<mqtt::Link> link, ChatRoom room, int signals)
      : link_(std::move(link)), signals_(signals), session_(*link_, screen_, std::move(room)) {}

  // Until the room is over. Why it was not ended properly; else nothing.
  std::string run() {
    session_.open(std::chrono::steady_clock::now());
    while (!session_.over()) round();
    screen_.leave_line();
    std::string trouble = session_.trouble();
    if (!trouble.empty() && !link_->trouble().empty()) trouble += " (" + link_->trouble() + ")";
    link_->leave(std::chrono::steady_clock::now() + std::chrono::seconds(1));
    return trouble;
  }

 private:
  void round() {
    wait();
    const Time now = Time::now();
    look_for_signals(now.steady);
    link_->tick(now.steady);
    link_->read();
    link_->dispatch([&](const mqtt::Message& message) { session_.receive(message, now); });
    take_lines(now);
    session_.advance(now.steady);
    link_->write();
  }

  void wait() {
    std::array<pollfd, 3> descriptors{pollfd{signals_, POLLIN, 0}, link_->descriptor(), {-1, POLLIN, 0}};
    if (session_.listens() && input_.wants_more()) descriptors[2].fd = STDIN_FILENO;
    SteadyTime until = std::min(link_->next_tick(), session_.due());
    const SteadyTime now = std::chrono::steady_clock::now();
    // Once it is the user's turn it stays so: there is nothing to wake up for.
    if (session_.users_turn(now)) until = link_->next_tick();
    if (link_->has_more()) until = now;
    const auto timeout = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
    poll(descriptors.data(), descriptors.size(), static_cast<int>(std::clamp<long>(timeout, 0, 1000)));
    if (descriptors[2].revents != 0) input_.read_some();
  }

  void look_for_signals(SteadyTime now) {
    signalfd_siginfo info{};
    if (read(signals_, &info, sizeof info) == sizeof info) session_.end(now);
  }

  // Somebody at a keyboard may speak whenever he likes; a script waits for its turn.
  void take_lines(Time now) {
    const auto may_speak = [&] { return keyboard_ ? session_.listens() : session_.users_turn(now.steady); };
    while (may_speak()) {
      if (input_.at_end()) return session_.end(now.steady);
      const auto line = input_.take_line();
      if (!line) break;
      screen_.entered();
      session_.enter(*line, now);
    }
    if (session_.users_turn(now.steady)) screen_.prompt(session_.prompt());
  }

  const std::unique_ptr<mqtt::Link> link_;
  const int signals_;
  const bool keyboard_ = isatty(STDIN_FILENO) == 1;
  ChatInput input_{STDIN_FILENO};
  ChatScreen screen_{keyboard_ && isatty(STDOUT_FILENO) == 1};
  ChatSession session_;
};

// The broker, and how to log in there: a host's configuration file says it, too.
Result<app::Config> find_broker(const Options& options) {
  app::Config config = app::default_config();
  if (!options.config.empty()) {
    const auto mistakes = app::read_config(options.config, config);
    if (!mistakes.empty()) return failure("{}", mistakes.front());
  }
  if (!options.data.empty()) config.data = options.data;
  std::string url = options.broker.empty() ? config.broker.value_or("") : options.broker;
  if (url.empty()) {
    const auto announced = app::DataFolder::announced(config.data);
    if (!announced && !options.data.empty())
      return failure("no host is running on the data directory {}", options.data);
    url = announced.value_or(kUsualBroker);
  }
  if (auto done = app::set_broker(url, config); !done) return failure("{}: {}", clean(url), done.error());
  return config;
}

int complain(const std::string& what, int code) {
  fmt::print(stderr, "botel: {}\n", clean(what));
  return code;
}

int chat(const Options& options) {
  const auto config = find_broker(options);
  if (!config) return complain(config.error(), 2);
  auto room = ChatRoom::fresh(options.bot);
  if (!room) return complain("--bot: " + room.error(), 2);

  log::set_up(log::Level::warning, log::Format::text);
  const int signals = open_signals({SIGINT, SIGTERM, SIGHUP});
  Counters counters;
  mqtt::LinkConfig link_config = config->mqtt;
  link_config.client_id.clear();  // that is the host's
  auto link = mqtt::Link::create(link_config, counters);
  if (!link) return complain(link.error(), 1);
  const std::string trouble = Chat(std::move(*link), std::move(*room), signals).run();
  return trouble.empty() ? 0 : complain(*config->broker + ": " + trouble, 1);
}

}  // namespace

void add_chat(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("chat", "Talk to a bot in the terminal");
  command->add_option("--broker", options->broker,
                      "mqtt://HOST:PORT or mqtts://HOST:PORT; else that of the host on this machine");
  command->add_option("--config", options->config, "Configuration file of the host: its broker, and the login there");
  command->add_option("--bot", options->bot, "Gitple bot id")->capture_default_str();
  command->add_option("--data", options->data, "Data directory of the host; else ~/.local/state/botel");
  command->callback([options] {
    if (const int code = chat(*options)) throw CLI::RuntimeError(code);
  });
}

}  // namespace botel::cli
