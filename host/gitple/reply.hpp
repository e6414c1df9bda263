// Answers to requests: each exactly one, those of a payload together. [driver]
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gitple/request.hpp"
#include "mqtt/client.hpp"
#include "store/store.hpp"

namespace botel::gitple {

class Batch;

// The payloads whose requests are not all answered yet, so that another run can go on with them.
class Unanswered {
 public:
  [[nodiscard]] bool has_changes() const { return !changed_.empty() || !gone_.empty(); }
  void save(store::Batch& batch);

  // From now on what is dropped unanswered is not answered with an error: another run will answer it.
  void leave_to_next_run() { left_ = true; }

 private:
  friend class Batch;
  std::map<std::uint64_t, Batch*> open_;
  std::set<std::uint64_t> changed_;  // since the last save()
  std::vector<std::uint64_t> gone_;  // that the store has
  std::uint64_t last_id_ = 0;
  bool left_ = false;
};

// The answers to one payload, published when the last of its requests is answered: those that go to one topic together,
// as one array for a batch.
class Batch {
 public:
  // `id` 0: a new one. Otherwise the store has it, and what was answered before is added again.
  Batch(mqtt::Client& client, Unanswered& unanswered, std::string topic, std::string payload, bool array,
        std::uint64_t id = 0);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // The answer to the `index`-th request; an empty topic: nobody wants to hear it.
  void add(std::size_t index, const std::string& topic, const std::string& answer);
  // Called once all is published.
  void then(std::function<void()> action) { then_.push_back(std::move(action)); }

 private:
  friend class Unanswered;
  [[nodiscard]] store::Request record() const;

  mqtt::Client& client_;
  Unanswered& unanswered_;
  const std::uint64_t id_;
  const std::string topic_, payload_;
  const bool array_;
  bool stored_;
  std::map<std::size_t, std::string> answers_;               // by request
  std::vector<std::pair<std::string, std::string>> topics_;  // and the answers for each
  std::vector<std::function<void()>> then_;
};

// The answers of a store::Request, by the place of their request.
[[nodiscard]] std::map<std::size_t, std::string> read_answers(std::string_view json);

// The answer that one request is owed. Dropped unanswered, it answers with an error.
class Reply {
 public:
  // An empty `id` (a notification) or `topic`: nobody wants to hear it.
  Reply(std::shared_ptr<Batch> batch, std::size_t index, std::string id, std::string topic)
      : batch_(std::move(batch)), index_(index), id_(std::move(id)), topic_(std::move(topic)) {}
  ~Reply() {
    if (batch_) error(kInternalError, "Internal error: the request was dropped");
  }
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = delete;

  [[nodiscard]] bool is_wanted() const { return !id_.empty() && !topic_.empty(); }

  // `then` is called when the answer has left.
  void ok(std::function<void()> then = {}) {
    if (then) batch_->then(std::move(then));
    send(encode_ok(id_));
  }
  void error(int code, std::string_view message) { send(encode_error(id_, code, message)); }
  // As in an earlier run.
  void repeat(const std::string& answer, std::function<void()> then) {
    if (then) batch_->then(std::move(then));
    send(answer);
  }

 private:
  void send(const std::string& answer) {
    batch_->add(index_, id_.empty() ? "" : topic_, answer);
    batch_.reset();
  }

  std::shared_ptr<Batch> batch_;
  std::size_t index_;
  std::string id_;
  std::string topic_;
};

}  // namespace botel::gitple
