// Answers to requests: each exactly one, those of a batch together. [driver]
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gitple/request.hpp"
#include "mqtt/client.hpp"

namespace botel::gitple {

// The answers to one payload, published when the last of its requests is answered: those that go to one topic together,
// as one array for a batch.
class Batch {
 public:
  Batch(mqtt::Client& client, bool array) : client_(client), array_(array) {}
  ~Batch() {
    for (const auto& [topic, answers] : topics_) client_.publish(topic, array_ ? "[" + answers + "]" : answers);
    for (const auto& then : then_) then();
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  void add(const std::string& topic, const std::string& answer) {
    for (auto& [known, answers] : topics_) {
      if (known == topic) {
        answers += "," + answer;
        return;
      }
    }
    topics_.emplace_back(topic, answer);
  }
  // Called once all is published.
  void then(std::function<void()> action) { then_.push_back(std::move(action)); }

 private:
  mqtt::Client& client_;
  const bool array_;
  std::vector<std::pair<std::string, std::string>> topics_;  // and the answers for each
  std::vector<std::function<void()>> then_;
};

// The answer that one request is owed. Dropped unanswered, it answers with an error.
class Reply {
 public:
  // An empty `id` (a notification) or `topic`: nobody wants to hear it.
  Reply(std::shared_ptr<Batch> batch, std::string id, std::string topic)
      : batch_(std::move(batch)), id_(std::move(id)), topic_(std::move(topic)) {}
  ~Reply() {
    if (batch_) error(kInternalError, "Internal error: the request was dropped");
  }
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = delete;

  // `then` is called when the answer has left.
  void ok(std::function<void()> then = {}) {
    if (then) batch_->then(std::move(then));
    send(encode_ok(id_));
  }
  void error(int code, std::string_view message) { send(encode_error(id_, code, message)); }

 private:
  void send(const std::string& answer) {
    if (!id_.empty() && !topic_.empty()) batch_->add(topic_, answer);
    batch_.reset();
  }

  std::shared_ptr<Batch> batch_;
  std::string id_;
  std::string topic_;
};

}  // namespace botel::gitple
