// Named counts of what happened: the way to see what was refused, dropped or failed.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

namespace botel {

// Goes up only. [any thread]
class Counter {
 public:
  Counter(std::string name, std::string help) : name_(std::move(name)), help_(std::move(help)) {}
  void operator++() { value_.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& help() const { return help_; }

 private:
  const std::string name_;
  const std::string help_;
  std::atomic<std::uint64_t> value_{0};
};

// All counters of a host, each owned here and valid as long. Added while the host is put together, by one thread.
class Counters {
 public:
  // `name` in Prometheus's way: "gitple_requests_malformed_total".
  Counter& add(std::string name, std::string help) { return counters_.emplace_back(std::move(name), std::move(help)); }
  [[nodiscard]] const std::deque<Counter>& all() const { return counters_; }

 private:
  std::deque<Counter> counters_;
};

}  // namespace botel
