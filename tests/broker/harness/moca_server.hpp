// Behaves as one of the two published MOCA servers does towards a service: what it asks for and when, what it makes of
// the answers, how it folds ids together, and what it loses. Nothing else of a server is here.
//
// It is one loop, as they are: what has arrived is handled in order, each push until it has to ask for a contact, and
// each tenth of a second somebody who waits looks whether there is an answer.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/broker.hpp"
#include "harness/client.hpp"

namespace harness {

class MocaServer {
 public:
  // The older one asks on T/users/ID/..., for each contact that a push names and that is not the user's own, however
  // often, and always on the same topic. The newer one asks on a topic of its own each time, for contacts that it does
  // not know.
  enum class Kind { older, newer };

  MocaServer(const Broker& broker, std::string type, Kind kind);

  // What its user does. `steps`: what is given to one step after the other, {} first; the last answer.
  std::string configure(int connector, const std::vector<std::string>& steps);
  // HTTP statuses.
  int send(int connector, const std::string& chat, const std::string& text);
  int remove(int connector);
  struct Download {
    int status = 0;
    std::string bytes;
  };
  Download download(int connector, const std::string& chat, const std::string& message);

  // From the end of the next configuration on it does something else for two seconds, or until messages were pushed:
  // what arrives meanwhile is handled after that, and before the end of the configuration is.
  void be_busy() { busy_next_ = true; }

  // Goes on until `condition` holds; throws `what` when it does not in time.
  void run_until(const std::string& what, const std::function<bool()>& condition);
  // Goes on until all pushes that came are handled.
  void settle();

  // What it has in its tables.
  struct Contact {
    int connector = 0;
    std::string id, name, phone;
    bool is_self = false;
  };
  [[nodiscard]] const Contact* contact(int connector, const std::string& id) const;
  [[nodiscard]] std::size_t messages() const { return messages_.size(); }
  [[nodiscard]] bool has(int connector) const { return connectors_.contains(connector); }
  // Pushes that came, and those of them that it gave up in the middle.
  [[nodiscard]] std::size_t pushes() const { return pushed_; }
  [[nodiscard]] std::size_t given_up() const { return given_up_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  // A request that waits for its answer.
  struct Asked {
    std::deque<std::string> answers;
    Time until;
  };
  // A contact that a push names, and what is done once it is there.
  struct Step {
    std::string contact;
    std::function<void()> then;
  };
  struct Push {
    int connector;
    std::deque<Step> steps;
    std::string topic = "";  // on which it waits for an answer
    Time look = {};          // when it looks for it next
  };

  void turn();
  void handle(const Received& message);
  void begin(int connector, const std::string& kind, const std::string& list);
  std::deque<Step> steps_of(int connector, const std::string& kind, const std::string& list);
  // Whether the push waits, or goes on; false: it is over.
  bool go_on(Push& push);
  bool look(Push& push);
  [[nodiscard]] bool must_ask(int connector, const std::string& contact) const;
  void store_contact(int connector, const std::string& id, const std::string& json);

  [[nodiscard]] std::string topic(int connector, const std::string& command, const std::string& old_command);
  void ask(const std::string& topic, const std::string& payload);
  // The answer; nothing: none came in time.
  std::optional<std::string> get(const std::string& topic, const std::string& payload);
  void finish(int connector, const std::string& answer);

  Client client_;
  const std::string type_;
  const Kind kind_;
  std::size_t seen_ = 0;  // of what the client has received
  int last_uuid_ = 0;
  bool busy_next_ = false;
  std::map<std::string, Asked> asked_;  // by topic
  std::deque<Push> under_way_;
  std::set<int> connectors_;
  std::map<std::uint64_t, Contact> contacts_;  // by folded id, as are
  std::set<std::uint64_t> messages_;
  std::size_t pushed_ = 0, given_up_ = 0;
};

}  // namespace harness
