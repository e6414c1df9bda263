// A broker, a host on it, and a client that plays Gitple: what most tests need, and the words to say it.
#pragma once

#include <signal.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "harness/broker.hpp"
#include "harness/client.hpp"
#include "harness/process.hpp"

namespace harness {

// `text` as a JSON string.
[[nodiscard]] std::string quoted(const std::string& text);
// The value at `path` ("error.code") of a JSON text: a string decoded, anything else as JSON; numbers as they were
// written; empty when there is none. `json` that is no JSON throws.
[[nodiscard]] std::string at(const std::string& json, const std::string& path);
[[nodiscard]] bool is_json(const std::string& text);
// Wanted of Client::expect().
[[nodiscard]] Client::Wanted has(const std::string& path, const std::string& value);
[[nodiscard]] Client::Wanted contains(const std::string& part);

// The bots of the test's plugin, and those that come along: ids 1 and 2, `echo`, `sandwich`; no rest.
extern const char* const kBots;

struct HostOptions {
  std::string url = "";                                       // of the broker; empty: a private one
  std::string mqtt = "", gitple = "", host = "", store = "";  // lines of the configuration's tables
  std::string bots = kBots;                                   // [[bot]] tables
  std::vector<std::string> arguments = {};                    // after `botel run --config ... --data ... --plugins ...`
  std::vector<std::string> environment = {};
  std::string data = "", plugins = "";  // directories; empty: those in the host's folder
  std::string executable = "";          // empty: the real one
};

// A folder with the probe, echo and sandwich.
void make_plugins(const std::filesystem::path& folder);

// The real executable. `folder`: for its files; data is kept in it from one Host, or start(), to the next.
class Host {
 public:
  Host(std::filesystem::path folder, HostOptions options);
  // Waits for the ready line, and returns it.
  std::string ready() { return process_->line("botel ready: "); }
  // SIGTERM; the exit code.
  int stop();
  // SIGKILL.
  void kill();
  // Again, once it has ended, with what `options` says now.
  void start();

  [[nodiscard]] Process& process() { return *process_; }
  // Of the last start.
  [[nodiscard]] std::string log() const { return process_->log(); }
  [[nodiscard]] std::filesystem::path data() const;
  [[nodiscard]] std::filesystem::path plugins() const;

  HostOptions options;

 private:
  const std::filesystem::path folder_;
  std::unique_ptr<Process> process_;
};

// A room as Gitple sees it. Ids are given as they stand in JSON where `_context` has them.
struct Room {
  std::string bot = "1";
  std::string room = "7";
  std::string session = "104";
  std::string commands = "";  // of the probe, for its start
  std::string sp = "1", app = "1", user = "7";
  std::string context = "";  // JSON; empty: made of the ids
  std::string more = "";     // more members of the start's params: `"cmdResPub":"..."`

  [[nodiscard]] std::string tenant() const { return "s/" + sp + "/a/" + app + "/"; }
  [[nodiscard]] std::string base() const { return tenant() + "u/" + user + "/r/" + room + "/"; }
  [[nodiscard]] std::string requests() const { return tenant() + "t/" + bot + "/req/t/" + bot; }
  [[nodiscard]] std::string res_pub() const { return tenant() + "t/" + bot + "/res"; }
  [[nodiscard]] std::string msg_sub() const { return base() + "u/+"; }
  [[nodiscard]] std::string from_user() const { return base() + "u/" + user; }
  [[nodiscard]] std::string msg_pub() const { return base() + "t/" + bot; }
  [[nodiscard]] std::string cmd_pub() const { return base() + "req/t/" + bot; }
  [[nodiscard]] std::string cmd_answers() const { return base() + "res"; }

  [[nodiscard]] std::string own_context() const;
  [[nodiscard]] std::string start_params() const;
  [[nodiscard]] std::string end_params() const;
};

// A JSON-RPC request; `id` is JSON, empty for a notification.
[[nodiscard]] std::string request(const std::string& id, const std::string& method, const std::string& params);

struct WorldOptions {
  HostOptions host = {};
  BrokerOptions broker = {};
  ClientOptions client = {};
};

class World {
 public:
  explicit World(WorldOptions options = {});
  // Stops the host, which must have lived until now and must end well.
  ~World();

  // The host ends: by SIGTERM well, by SIGKILL at once.
  void stop_host(int signal_number = SIGTERM);
  // It is back, and ready.
  void start_host();
  void restart_host(int signal_number = SIGTERM);

  // Sends a request and waits for its answer.
  Received start(const Room& room);
  Received end(const Room& room);
  // The answer to the request with `id` (JSON).
  Received answer(const Room& room, const std::string& id);

  // A message of the user, and one of the bot.
  void tell(const Room& room, const std::string& text);
  Received hear(const Room& room, const std::string& text);
  // The bot's own request on cmdPub.
  Received asked(const Room& room, const std::string& method);
  // Gitple's answer to it. `outcome`: `"result":"OK"`, or an error.
  void reply(const Received& asked, const std::string& outcome = R"("result":"OK")");

  // When it returns, the host has handled what was published before, and all of that has come out that needs neither
  // time nor the broker.
  void fence();

  TempDir dir;
  Broker broker;
  Client client;
  Host host;

 private:
  std::string next_id();
  int last_id_ = 0;
};

}  // namespace harness
