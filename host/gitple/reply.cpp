#include "gitple/reply.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace botel::gitple {

Batch::Batch(mqtt::Client& client, Unanswered& unanswered, std::string topic, std::string payload, bool array,
             std::uint64_t id)
    : client_(client),
      unanswered_(unanswered),
      id_(id == 0 ? unanswered.last_id_ + 1 : id),
      topic_(std::move(topic)),
      payload_(std::move(payload)),
      array_(array),
      stored_(id != 0) {
  unanswered_.last_id_ = std::max(unanswered_.last_id_, id_);
  unanswered_.open_[id_] = this;
  if (!stored_) unanswered_.changed_.insert(id_);
}

Batch::~Batch() {
  unanswered_.open_.erase(id_);
  unanswered_.changed_.erase(id_);
  if (unanswered_.left_) return;
  if (stored_) unanswered_.gone_.push_back(id_);
  for (const auto& [topic, answers] : topics_) client_.publish(topic, array_ ? "[" + answers + "]" : answers);
  for (const auto& then : then_) then();
}

void Batch::add(std::size_t index, const std::string& topic, const std::string& answer) {
  answers_[index] = answer;
  unanswered_.changed_.insert(id_);
  if (topic.empty()) return;
  const auto known = std::ranges::find(topics_, topic, &std::pair<std::string, std::string>::first);
  if (known == topics_.end()) {
    topics_.emplace_back(topic, answer);
  } else {
    known->second += "," + answer;
  }
}

// The answers are a list of pairs: the place of the request, and the answer as text.
store::Request Batch::record() const {
  store::Request record{id_, topic_, payload_, "["};
  for (const auto& [index, answer] : answers_) {
    if (record.answers.size() > 1) record.answers += ",";
    record.answers += "[" + std::to_string(index) + ",";
    json::quote(record.answers, answer);
    record.answers += "]";
  }
  record.answers += "]";
  return record;
}

std::map<std::size_t, std::string> read_answers(std::string_view json) {
  std::map<std::size_t, std::string> answers;
  const auto list = json::read(json);
  if (!list) return answers;
  for (const auto& element : list->elements) {
    const auto pair = json::read(element.raw);
    if (!pair || pair->elements.size() != 2) continue;
    const auto index = json::integer(pair->elements[0]);
    if (index && *index >= 0) answers[static_cast<std::size_t>(*index)] = json::text(pair->elements[1]);
  }
  return answers;
}

void Unanswered::save(store::Batch& batch) {
  for (const auto id : std::exchange(changed_, {})) {
    Batch& open = *open_.at(id);
    batch.requests.push_back(open.record());
    open.stored_ = true;
  }
  batch.requests_gone = std::exchange(gone_, {});
}

}  // namespace botel::gitple
