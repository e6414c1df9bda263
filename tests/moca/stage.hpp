// The MOCA service with a connector and a clock of the test's, a store in memory, and a broker that only writes down
// what it is asked.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "moca/directory.hpp"
#include "moca/fake_connector.hpp"
#include "moca/service.hpp"
#include "mqtt/fake_client.hpp"
#include "mqtt/topics.hpp"
#include "store/sqlite.hpp"

using Lines = std::vector<std::string>;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// What goes out: the answer to a request, and an error.
inline std::string answer(std::string_view topic, std::string_view json) {
  return fmt::format("< {}/response {}", topic, json);
}
inline std::string with_error(std::string_view object, int code, std::string_view message) {
  return fmt::format(R"({{"error":{{"code":{},"message":"{}"}},{})", code, message, object.substr(1));
}
inline std::string error(std::string_view topic, int code, std::string_view message) {
  const std::string json = with_error(
      R"({"message_id":[],"step":"error","success":false,"data":null,"filename":null,"mime":[],"avatar":[]})", code,
      message);
  const bool is_deletion = topic.ends_with("/delete") || topic.ends_with("/delete_connector");
  return answer(topic, is_deletion ? "[" + json + "]" : json);
}
// To a request for a contact of which nothing is known.
inline std::string contact_error(std::string_view topic, int code, std::string_view message) {
  const auto id = topic.substr(topic.rfind('/') + 1);
  const auto contact =
      fmt::format(R"({{"contact_id":{0},"id":{0},"name":"{0}","username":null,"phone":null,"avatar":null}})", id);
  return answer(topic, with_error(contact, code, message));
}

struct MocaStage {
  std::unique_ptr<botel::store::Store> own_store;
  botel::store::Store& store;
  botel::Counters counters;
  FakeClient client;
  bool acknowledging = true;
  FakeBot bot;
  botel::runtime::Role missing{"missing"};
  botel::Time time;
  botel::runtime::Runtime runtime{{}, counters, [] {}, time};
  std::counting_semaphore<> jobs{0};
  botel::moca::Directory directory;
  botel::runtime::Role& role;
  botel::moca::Service service;

  MocaStage() : MocaStage(nullptr) {}
  // A run of the host from what `kept` holds; null: a store of its own.
  explicit MocaStage(botel::store::Store* kept, std::int64_t unix_ms = 1'700'000'000'000)
      : own_store(kept ? nullptr : botel::store::Sqlite::in_memory().value()),
        store(kept ? *kept : *own_store),
        time{botel::SteadyTime{} + std::chrono::hours(1), unix_ms},
        directory(store, [this] { jobs.release(); }),
        role(bot.role(runtime, "demo")),
        service(
            {}, client, runtime, directory,
            [this](const std::string& type) -> botel::runtime::Role& { return type == "demo" ? role : missing; },
            counters) {
    bot.handle = transcript_connector;
    runtime.keep(&store, nullptr);
    service.offer("demo");
    client.lines.clear();
    if (kept) load();
  }

  void receive(std::string topic, std::string payload = "{}") {
    arrive(std::move(topic), std::move(payload));
    settle();
  }
  // The same, before any handler runs.
  bool arrive(std::string topic, std::string payload = "{}") {
    botel::mqtt::Message message{std::move(topic), std::move(payload)};
    message.size = message.payload.size();
    return service.receive(message);
  }
  // Until nothing is left to do: what handlers, the store and its reader have.
  void settle() {
    do {
      ::settle(runtime);
      save();
      while (!directory.idle()) {
        jobs.acquire();
        directory.advance();
      }
      runtime.advance(time);
    } while ((acknowledging && client.acknowledge()) || runtime.has_work() || directory.has_changes() ||
             !directory.idle());
  }
  void save() {
    auto batch = runtime.save();
    service.save(batch);
    directory.save(batch);
    REQUIRE(store.commit(batch));
    runtime.saved();
    directory.saved();
    service.saved();
  }
  void pass(milliseconds delay) {
    time.steady += delay;
    time.unix_ms += delay.count();
    runtime.advance(time);
    settle();
  }
  // Configured, with all that it has to tell told.
  void configure(const std::string& id, const std::string& phone = "+442071838750") {
    receive("demo/configure/" + id, "{}");
    receive("demo/configure/" + id, fmt::format(R"({{"phone":"{}"}})", phone));
    pass(seconds(3));
    for (int i = 0; i < 2; ++i) pass(seconds(1));
    client.lines.clear();
  }

  // What has happened since the last call.
  Lines take() {
    for (const auto& line : client.lines) {
      const auto topic = line.substr(2, line.find(' ', 2) - 2);
      CHECK_MESSAGE((!line.starts_with("<") || botel::mqtt::valid_topic(topic)), topic);
    }
    return std::exchange(client.lines, {});
  }
  [[nodiscard]] std::uint64_t count(std::string_view name) const {
    for (const auto& counter : counters.all()) {
      if (counter.name() == name) return counter.value();
    }
    FAIL("no such counter");
    return 0;
  }

 private:
  void load() {
    std::map<botel::store::ActorId, botel::runtime::Actor*> actors;
    const botel::store::Visitor visitor{
        .clock = [&](const botel::store::Clock& clock) { runtime.restore(clock); },
        .actor =
            [&](botel::store::Actor record, botel::store::State state) {
              runtime.used(record.id);
              actors[record.id] = service.restore(record, state);
              REQUIRE(actors[record.id]);
              runtime.restore(*actors[record.id], std::move(state));
            },
        .timer = [&](const botel::store::Timer& timer) { runtime.restore(*actors.at(timer.actor), timer); },
        .effect = [&](botel::store::Waiting effect) { runtime.restore(*actors.at(effect.actor), std::move(effect)); },
        .inbox = [&](auto id, std::size_t count) { runtime.restore_inbox(*actors.at(id), count); },
        .outbox = [](botel::store::Message) {},
        .request = [](botel::store::Request) {},
        .received = [](const botel::store::Received&) {},
        .secret = [&](botel::store::Secret secret) { service.restore(*actors.at(secret.actor), std::move(secret)); }};
    REQUIRE(store.load(visitor));
    runtime.saved();
  }
};

// With a connector that does this with each request, once it is configured.
struct Configured : MocaStage {
  explicit Configured(FakeBot::Handle handle = transcript_connector) {
    configure("42");
    bot.handle = std::move(handle);
  }
};
