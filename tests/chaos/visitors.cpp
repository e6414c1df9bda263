#include "chaos/visitors.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <sstream>

namespace chaos {
namespace {

constexpr int kMessages = 3;
constexpr auto kPrefix = "visitor-";

}  // namespace

void Visitors::come() {
  if (leaving_) return;
  for (std::size_t visitor = 0; visitor < visits_.size(); ++visitor) {
    if (visits_[visitor].empty() || visits_[visitor].back().gone()) begin(visitor);
  }
}

void Visitors::begin(std::size_t visitor) {
  auto& visits = visits_[visitor];
  const std::string name = kPrefix + std::to_string(visitor), session = std::to_string(visits.size());
  visits.push_back({.room = {.room = name, .session = session}, .ledger = Ledger(name + ", visit " + session)});
  visits.back().is_replaced = visits.size() % 4 == 0;
  ask(visits.back(), visitor, "start");
}

void Visitors::ask(Visit& visit, std::size_t visitor, const std::string& method) {
  const std::string id = fmt::format("\"visit {} {} {}\"", visitor, visit.room.session, method);
  const std::string params = method == "start" ? visit.room.start_params() : visit.room.end_params();
  publish_(visit.room.requests(), harness::request(id, method, params));
}

void Visitors::tell(const Visit& visit, const std::string& text) {
  publish_(visit.room.from_user(), R"({"m":)" + harness::quoted(text) + R"(,"_sid":)" + visit.room.session + "}");
}

bool Visitors::hear(const std::string& topic, const std::string& payload) {
  if (topic.ends_with("/res")) {
    if (!harness::at(payload, "id").starts_with("visit ")) return false;
    answered(payload);
    return true;
  }
  const auto prefix = topic.find(kPrefix);
  if (prefix == std::string::npos) return false;
  const std::size_t visitor = std::stoul(topic.substr(prefix + std::string(kPrefix).size()));
  said(visits_.at(visitor).at(std::stoul(harness::at(payload, "_sid"))), visitor, payload);
  return true;
}

void Visitors::answered(const std::string& payload) {
  std::istringstream words(harness::at(payload, "id"));
  std::string word, method;
  std::size_t visitor = 0, session = 0;
  words >> word >> visitor >> session >> method;
  Visit& visit = visits_.at(visitor).at(session);
  const auto [known, is_new] = visit.answers.emplace(method, payload);
  if (known->second != payload) visit.complaints.push_back("first " + known->second + ", then " + payload);
  if (!is_new) return;
  if (harness::at(payload, "result") != "OK") visit.complaints.push_back("refused: " + payload);
  if (method != "start") return;
  for (int message = 0; message < kMessages; ++message) tell(visit, std::to_string(visit.ledger.send_number(false)));
  tell(visit, "report 1");
}

void Visitors::said(Visit& visit, std::size_t visitor, const std::string& payload) {
  visit.ledger.hear(payload);
  if (visit.ledger.report(1).empty() || visit.asks_no_more) return;
  visit.asks_no_more = true;
  if (visit.is_replaced && !leaving_) {
    begin(visitor);
  } else {
    visit.is_replaced = false;
    ask(visit, visitor, "end");
  }
}

bool Visitors::leave() {
  leaving_ = true;
  return std::ranges::all_of(visits_, [](const auto& visits) { return visits.empty() || visits.back().gone(); });
}

std::size_t Visitors::visits() const {
  return std::accumulate(visits_.begin(), visits_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& visits) { return sum + visits.size(); });
}

Balance Visitors::balance(const Visit& visit) {
  Balance result = visit.ledger.balance(visit.ledger.report(1));
  const std::string name = visit.room.room + ", visit " + visit.room.session + ": ";
  for (const char* method : {"start", "end"}) {
    if (visit.is_replaced && method == std::string("end")) continue;
    ++result.counts.sent;
    if (visit.answers.contains(method)) {
      ++result.counts.handled;
    } else {
      ++result.counts.lost;
      result.complaints.push_back(name + "no answer to its " + method);
    }
  }
  for (const auto& complaint : visit.complaints) {
    ++result.counts.differing;
    result.complaints.push_back(name + complaint);
  }
  return result;
}

Balance Visitors::balance() const {
  Balance all;
  for (const auto& visits : visits_) {
    for (const auto& visit : visits) all += balance(visit);
  }
  return all;
}

}  // namespace chaos
