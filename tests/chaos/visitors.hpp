// Rooms that come and go: each visit is a start, three messages, a report and an end, or, now and then, the start of
// the next visit instead of the end. Every visit has an account of its own: what its bot remembers begins anew.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "chaos/ledger.hpp"
#include "harness/world.hpp"

namespace chaos {

class Visitors {
 public:
  using Publish = std::function<void(const std::string& topic, const std::string& payload)>;
  Visitors(int count, Publish publish) : publish_(std::move(publish)), visits_(static_cast<std::size_t>(count)) {}

  // Those that are outside come in.
  void come();
  // False: it is not for them.
  bool hear(const std::string& topic, const std::string& payload);
  // They come no more; whether all are gone.
  bool leave();

  [[nodiscard]] std::size_t visits() const;
  [[nodiscard]] Balance balance() const;

 private:
  struct Visit {
    harness::Room room;
    Ledger ledger;
    bool is_replaced = false;                         // by the next one, without an end
    bool asks_no_more = false;                        // all is said
    std::map<std::string, std::string> answers = {};  // to "start" and "end"
    std::vector<std::string> complaints = {};
    [[nodiscard]] bool gone() const { return answers.contains("end"); }
  };

  void begin(std::size_t visitor);
  void ask(Visit& visit, std::size_t visitor, const std::string& method);
  void answered(const std::string& payload);
  void said(Visit& visit, std::size_t visitor, const std::string& payload);
  void tell(const Visit& visit, const std::string& text);
  [[nodiscard]] static Balance balance(const Visit& visit);

  const Publish publish_;
  std::vector<std::vector<Visit>> visits_;  // of each visitor, from the first; the number is the session
  bool leaving_ = false;
};

}  // namespace chaos
