// Whatever comes on topics of a service, and whatever its connectors do: each request is answered once, and the next
// good one is served.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <random>

#include "base/hash.hpp"
#include "moca/stage.hpp"

namespace {

constexpr std::uint64_t kSeed = 20'240'501;
constexpr int kRounds = 20'000;

// Structure-aware junk: what is valid, and pieces of it in a wrong place, with bytes of any kind in between.
class Junk {
 public:
  explicit Junk(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <class All>
  const auto& one_of(const All& all) {
    return all[below(all.size())];
  }

  std::string topic() {
    std::string text = "demo";
    if (chance(70)) {
      text += "/" + replaced(one_of(kForms));
    } else {
      for (std::size_t i = below(8); i-- > 0;) text += "/" + level();
    }
    if (chance(2)) text += "/" + level();
    std::ranges::replace(text, ' ', '_');  // lines of the client end a topic with a space
    return text;
  }
  std::string payload() {
    std::string text(one_of(kPayloads));
    if (chance(40)) damage(text);
    return text;
  }
  void damage(std::string& text) {
    for (std::size_t i = below(4); i-- > 0;) mutate(text);
  }
  std::string bytes(std::size_t most) {
    std::string text(below(most + 1), '\0');
    for (char& c : text) c = static_cast<char>(below(256));
    return text;
  }

 private:
  static constexpr std::array<std::string_view, 20> kForms = {"configure/I",
                                                              "configure/I",
                                                              "configure/I",
                                                              "I/U/configure",
                                                              "users/I/get_chats",
                                                              "users/I/get_contacts",
                                                              "users/I/get_contact/A",
                                                              "users/I/get_messages/A",
                                                              "users/I/send_message",
                                                              "users/I/delete",
                                                              "I/U/get_contacts",
                                                              "I/U/get_contact/A",
                                                              "I/U/get_chats",
                                                              "I/U/get_chat/A",
                                                              "I/U/get_messages/A",
                                                              "I/U/send_message",
                                                              "I/U/send_message/A",
                                                              "I/U/delete_connector",
                                                              "I/U/chats/A/messages/A/get_media",
                                                              "I/U/get_media_file/A/A"};
  static constexpr std::array<std::string_view, 12> kWords = {
      "users", "configure", "get_chats", "get_contact", "delete_connector", "get_media",
      "chats", "42",        "7",         "response",    "keepalive",        "get_media_file"};
  static constexpr std::array<std::string_view, 16> kPayloads = {
      "{}",
      "{}",
      "",
      R"({"phone":"+491711234567"})",
      R"({"phone":"+442071838750"})",
      R"({"phone":"+1"})",
      R"({"code":"12345"})",
      R"({"chat_id":"7","message":{"type":"text","content":"hi","url":null,"geo_point":null}})",
      R"({"chat_id":7,"message":{"type":"image","url":"/x","content":"a cat"}})",
      R"({"message":{"type":"geo","geo_point":{"lon":1.5,"lat":-2}}})",
      R"({"type":"text","content":"never"})",
      R"({"content":"throw"})",
      R"({"message":"fail"})",
      R"({"before":"70","limit":3})",
      R"({"before":9007199254740993,"limit":99999999999999999999})",
      "[[[[[[[[[[[[[[[[[[[[[[[["};

  std::string level() {
    switch (below(12)) {
      case 0: return "";
      case 1: return std::string(one_of(std::array<std::string_view, 4>{"+", "#", "$SYS", "a+b"}));
      case 2: return std::string(1, '\0') + "x";
      case 3: return bytes(12);
      case 4: return std::string(10'240, 'x');
      case 5: return "\xc2\x85";
      default: return std::string(one_of(kWords));
    }
  }
  // A form with its ids; now and then with something else instead.
  std::string replaced(std::string_view form) {
    std::string text;
    for (const char c : form) {
      if (c == 'I') {
        text += chance(95) ? std::to_string(below(6)) : level();
      } else if (c == 'U') {
        text += chance(90) ? std::to_string(random_()) : level();
      } else if (c == 'A') {
        text += chance(90) ? std::to_string(below(100)) : level();
      } else if (chance(1)) {
        text += bytes(2);
      } else {
        text += c;
      }
    }
    return text;
  }
  void mutate(std::string& text) {
    const std::size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0: text.insert(at, bytes(3)); break;
      case 1: text.erase(at, 1 + below(4)); break;
      case 2: text.insert(at, one_of(kPayloads)); break;
      case 3: text.resize(at); break;
      case 4:
        text.insert(at, one_of(std::array<std::string_view, 6>{"{", "}", "\"", "\\u0000", "1e999", "null"}));
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
    }
  }

  std::mt19937_64 random_;
};

// Does anything that a connector can do: now this and now that, by what it is told.
std::int32_t wild_connector(const botel_call& call, const botel_event& event) {
  const auto dice = botel::hash(FakeBot::view(call.address), event.sequence * 31 + event.attempt) % 24;
  const std::uint64_t reply = event.reply;
  switch (dice) {
    case 0: return BOTEL_E_FAILED;
    case 1: return BOTEL_OK;
    case 2: return BOTEL_RETRY_AFTER(700);
    case 3: return does::answer(call, reply, "[]");
    case 4: return does::answer(call, reply, R"([{"id":1},{"contact_id":2,"name":"B"},null])") & 0;
    case 5: does::answer(call, reply, R"({"message":"no"})", 404); break;
    case 6: does::look_up(call, reply); break;
    case 7: does::media(call, reply, "piece", true); break;
    case 8: does::finish(call, reply, R"({"id":7})"); break;
    case 9: does::work(call, reply); break;
    case 10: does::step(call, reply, "code", kCodeSchema); break;
    case 11: does::keep_secret(call, "token", FakeBot::view(event.payload)); break;
    case 12: does::push(call, BOTEL_CONNECTOR_PUSH_CHATS, kContacts); break;
    case 13: {
      botel_effect timer = FakeBot::effect(BOTEL_TIMER_SET);
      timer.delay_ms = 2500;
      FakeBot::emit(call, timer);
      break;
    }
    case 14: FakeBot::emit(call, FakeBot::effect(BOTEL_EFFECT_STATE, FakeBot::view(event.payload))); break;
    default: return transcript_connector(call, event);
  }
  if (dice % 2 == 0) transcript_connector(call, event);
  return BOTEL_OK;
}

std::int32_t connector(const botel_call& call, const botel_event& event) {
  const bool is_good = FakeBot::view(call.address) == "demo/good";
  return is_good ? transcript_connector(call, event) : wild_connector(call, event);
}

// What was asked on each topic, and how often it was answered.
struct Counts {
  std::size_t asked = 0, answered = 0;
};

class Hostile {
 public:
  Hostile() : stage_(std::make_unique<MocaStage>(store_.get())) {
    stage_->bot.handle = connector;
    stage_->configure("good");
  }

  void send(Junk& junk) {
    botel::mqtt::Message message{junk.topic(), junk.payload()};
    message.size = message.payload.size();
    message.retained = junk.chance(1);
    message.over_limit = junk.chance(1);
    const bool is_asked = !message.retained && !botel::moca::is_echo(message.topic) &&
                          botel::moca::parse_topic(message.topic).has_answers &&
                          botel::mqtt::valid_topic(message.topic + "/keepalive");
    if (is_asked) ++counts_[message.topic].asked;
    CHECK(stage_->service.receive(message) == message.topic.starts_with("demo"));
  }
  // As it should be; what the connector makes of it is its own affair.
  void configure(std::size_t id) {
    const auto topic = fmt::format("demo/configure/{}", id);
    for (const char* payload : {"{}", R"({"phone":"+442071838750"})"}) {
      ++counts_[topic].asked;
      stage_->receive(topic, payload);
    }
  }
  void pass(milliseconds delay) {
    stage_->pass(delay);
    look();
  }
  void serve_good() {
    const auto topic = fmt::format("demo/good/{}/get_contact/192168", ++good_);
    ++counts_[topic].asked;
    stage_->receive(topic);
    look();
    CHECK(counts_[topic].answered == 1);
    CHECK(last_.find("Jon Doe") != std::string::npos);
  }
  void restart() {
    const auto now = stage_->time.unix_ms + 5000;
    stage_->save();
    look();
    count();
    stage_.reset();
    stage_ = std::make_unique<MocaStage>(store_.get(), now);
    stage_->bot.handle = connector;
    stage_->service.resume(seconds(5), {});
    stage_->settle();
    look();
  }
  // When everything has had its time.
  void end() {
    pass(minutes(2));
    pass(minutes(2));
    count();
    // Otherwise little has been tried.
    CHECK(served_ > 1500);
    CHECK(late_ > 100);
    CHECK(pushed_ > 200);
    std::size_t asked = 0;
    for (const auto& [topic, counts] : counts_) {
      CAPTURE(botel::log::printable(topic));
      CHECK(counts.answered >= 1);
      asked += counts.asked;
      // Media are answered in pieces.
      if (topic.find("get_media") == std::string::npos) CHECK(counts.answered <= counts.asked);
    }
    CHECK(asked > kRounds / 3);
    for (const auto& one : stage_->service.status()) CHECK(one.waiting == 0);
  }

 private:
  void count() {
    served_ += stage_->count("moca_requests_total") - stage_->count("moca_requests_refused_total");
    late_ += stage_->count("moca_timeouts_total");
    pushed_ += stage_->count("moca_items_pushed_total");
  }
  void look() {
    for (const std::string& line : stage_->take()) {
      const auto space = line.find(' ', 2);
      const std::string topic = line.substr(2, space - 2);
      last_ = line.substr(space + 1);
      CAPTURE(line);
      CHECK(botel::json::read(last_));
      if (!topic.ends_with("/response")) continue;
      const auto found = counts_.find(topic.substr(0, topic.size() - 9));
      REQUIRE(found != counts_.end());
      ++found->second.answered;
    }
  }

  const std::unique_ptr<botel::store::Store> store_ = botel::store::Sqlite::in_memory().value();
  std::unique_ptr<MocaStage> stage_;
  std::map<std::string, Counts> counts_;
  std::string last_;
  int good_ = 0;
  std::uint64_t served_ = 0, late_ = 0, pushed_ = 0;
};

}  // namespace

TEST_CASE("hostile: whatever comes, each request is answered once, and the next good one is served") {
  CAPTURE(kSeed);
  Junk junk(kSeed);
  Hostile host;
  for (int i = 1; i <= kRounds; ++i) {
    CAPTURE(i);
    host.send(junk);
    if (i % 10 == 0) host.configure(junk.below(6));
    if (i % 40 != 0) continue;
    host.pass(milliseconds(junk.below(junk.chance(5) ? 70'000 : 4000)));
    host.serve_good();
    if (i % 4000 == 0) host.restart();
  }
  host.end();
}

TEST_CASE("hostile: any bytes at all as items are read or refused, and what is read can be read again") {
  using namespace botel::moca;
  CAPTURE(kSeed);
  Junk junk(kSeed);
  const auto check = [](const auto& read, const std::string& json) {
    CAPTURE(json);
    const auto item = read(json);
    if (!item) return;
    const auto again = read(item->json);
    REQUIRE(again);
    CHECK(again->json == item->json);
    CHECK(again->id == item->id);
  };
  const std::string message =
      R"({"message_id":70,"contact_id":1,"chat_id":7,"sent_datetime":"2024-05-01T11:01:00.5+02:00",)"
      R"("message":{"type":"image","content":"first","url":null}})";
  const std::array<std::string, 4> good = {
      message,
      R"({"chat_id":7,"name":"A","chat_type":"ChatType.single","participants":[1,"b"],"last_message":)" + message + "}",
      R"({"id":192168,"name":"Jon Doe","username":"jon.doe","phone":null,"x":{"y":[1]}})",
      R"({"chat_id":7,"type":"geo","geo_point":{"lon":1,"lat":-2.5},"before":70,"limit":3})"};
  for (int i = 0; i < 20'000; ++i) {
    std::string json = junk.one_of(good);
    junk.damage(json);
    check(read_message, json);
    check(read_chat, json);
    check(read_contact, json);
    [[maybe_unused]] const auto content = read_content(json, "/x");
    [[maybe_unused]] const auto outgoing = read_outgoing(json, "7");
    [[maybe_unused]] const auto page = read_page(json);
  }
}

namespace {

// Eight bytes that have this XXH3 hash of 64 bits, behind what has the hash `seed`. Each of its steps can be undone.
std::string bytes_with_hash(std::uint64_t wanted, std::uint64_t seed) {
  constexpr std::uint64_t kPrime = 0x9FB21C651E98DF25;
  std::uint64_t inverse = kPrime;  // each step doubles how many of its low bits are right
  for (int i = 0; i < 6; ++i) inverse *= 2 - kPrime * inverse;
  std::uint64_t bits = wanted ^ (wanted >> 28) ^ (wanted >> 56);
  bits *= inverse;
  bits ^= (bits >> 35) + 8;
  bits *= inverse;
  // 64 times the step of x ^ rotl(x, 49) ^ rotl(x, 24) is no step at all.
  for (int i = 0; i < 63; ++i) bits = bits ^ std::rotl(bits, 49) ^ std::rotl(bits, 24);
  std::uint64_t secret[2];
  std::memcpy(secret, XXH3_kSecret + 8, sizeof secret);
  seed ^= std::uint64_t{__builtin_bswap32(static_cast<std::uint32_t>(seed))} << 32;
  bits ^= (secret[0] ^ secret[1]) - seed;
  bits = std::rotl(bits, 32);
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &bits, bytes.size());
  return bytes;
}

}  // namespace

TEST_CASE("hostile: nobody gets another's answer, or has another's request dropped, by bytes with the same hash") {
  using botel::hash;
  const std::string theirs = "demo/42/u/get_contacts", own = "demo/66/u/get_contacts";
  const std::string bytes = bytes_with_hash(hash("{}", hash(theirs)), hash(own));
  REQUIRE(hash(bytes, hash(own)) == hash("{}", hash(theirs)));
  MocaStage stage;
  stage.configure("42");
  stage.receive(theirs);
  CHECK(stage.take()[0].find("Ada") != std::string::npos);
  stage.receive(own, bytes);
  const Lines lines = stage.take();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("Ada") == std::string::npos);
  CHECK(lines[0].find(R"("code":400)") != std::string::npos);
  CHECK(stage.count("moca_requests_repeated_total") == 0);
}
