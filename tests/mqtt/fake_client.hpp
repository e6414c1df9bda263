// A broker that only writes down what it is asked.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "mqtt/client.hpp"

// One line for each thing that reached the broker: "< TOPIC PAYLOAD", "+ FILTER", "- FILTER".
class FakeClient : public botel::mqtt::Client {
 public:
  std::vector<std::string> lines;
  std::vector<std::string> disowned;
  std::string refuse;      // filters that contain it are refused
  bool answering = true;   // otherwise answer() does it later
  std::uint64_t lost = 0;  // connections

  using Client::publish;
  void publish(std::string_view topic, std::string_view payload, Over over) override {
    lines.push_back(fmt::format("< {} {}", topic, payload));
    if (over) under_way_.push_back(std::move(over));
  }
  [[nodiscard]] std::uint64_t losses() const override { return lost; }
  // What was published has arrived, or does not. False: nobody waits to hear it.
  bool acknowledge(bool arrived = true) {
    const auto all = std::exchange(under_way_, {});
    for (const auto& over : all) over(arrived);
    return !all.empty();
  }
  void subscribe(const std::string& filter, Done done) override {
    if (done && !refuse.empty() && filter.find(refuse) != std::string::npos)
      return done(botel::failure("Not authorized"));
    if (holders_[filter]++ == 0) lines.push_back("+ " + filter);
    if (!done) return;  // held whatever the broker says
    if (answering) return done({});
    unanswered_.push_back(std::move(done));
  }
  void unsubscribe(const std::string& filter) override {
    if (--holders_[filter] == 0) lines.push_back("- " + filter);
  }
  void disown(const std::string& filter) override { disowned.push_back(filter); }
  void answer() {
    for (const auto& done : std::exchange(unanswered_, {})) done({});
  }

 private:
  std::map<std::string, int> holders_;
  std::vector<Done> unanswered_;
  std::vector<Over> under_way_;
};
