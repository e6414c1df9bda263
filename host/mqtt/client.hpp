// What a protocol needs of MQTT. Implemented by Link; a test may stand in.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace botel::mqtt {

// A message that came in.
struct Message {
  std::string topic;
  std::string payload;   // over the limit: a short outline of it, or nothing
  std::size_t size = 0;  // of the payload as it was sent
  bool retained = false;
  bool over_limit = false;
};

// [driver]: all functions belong to the thread that drives the host, and so do the calls of Done.
class Client {
 public:
  // Called once: when the broker has granted the filter, or with its reason to refuse it.
  using Done = std::function<void(Result<>)>;

  virtual ~Client() = default;

  // Leaves in the order of the calls; while there is no connection it waits. `topic` is valid_topic.
  virtual void publish(std::string_view topic, std::string_view payload) { publish(topic, payload, {}); }
  // `over` is called once, in a later round: the broker has it (with QoS 0: it was sent), or it was dropped. Not for
  // what is left to the next run.
  using Over = std::function<void(bool arrived)>;
  virtual void publish(std::string_view topic, std::string_view payload, Over over) = 0;

  // How often a connection was lost so far. What was published shortly before may have arrived twice, or not at all.
  [[nodiscard]] virtual std::uint64_t losses() const = 0;

  // Filters are counted: the first subscribe() of one asks the broker, the last unsubscribe() takes it back, and all
  // that are held are asked for again after an outage. A refused one is not held. An empty `done`: it is held and asked
  // for now and then also when the broker refuses it.
  virtual void subscribe(const std::string& filter, Done done) = 0;
  virtual void unsubscribe(const std::string& filter) = 0;

  // The broker sends what nobody here asked for: where nobody holds the filter, takes it back. A session that outlives
  // the host may know it from an earlier run.
  virtual void disown(const std::string& filter) = 0;
};

}  // namespace botel::mqtt
