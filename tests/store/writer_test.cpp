#include "store/writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <optional>

using namespace botel;
using namespace botel::store;
using namespace std::chrono_literals;

namespace {

// A store whose commits do what the test says.
class FakeStore final : public Store {
 public:
  Result<> commit(const Batch& batch) override {
    std::unique_lock lock(mutex_);
    ++tries_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    if (trouble_.empty()) committed_.push_back(batch.delivered_before);
    return trouble_.empty() ? Result<>() : tl::unexpected(trouble_);
  }
  Result<> load(const Visitor&) override { return {}; }
  Result<Inbox> inbox(ActorId, std::uint64_t, std::size_t) override { return std::nullopt; }
  Result<std::vector<std::string>> items(const ItemQuery&) override { return {}; }
  Result<bool> tidy() override {
    const std::lock_guard lock(mutex_);
    ++tidied_;
    changed_.notify_all();
    return true;
  }

  void fail(const std::string& trouble) {
    set([&] { trouble_ = trouble; });
  }
  void hold(bool held) {
    set([&] { held_ = held; });
  }

  // Waits until so many commits have begun.
  void wait_for_tries(int tries) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tries_ >= tries; });
  }
  void wait_for_tidied(int times) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return tidied_ >= times; });
  }
  int tidied() {
    const std::lock_guard lock(mutex_);
    return tidied_;
  }
  int tries() {
    const std::lock_guard lock(mutex_);
    return tries_;
  }
  std::vector<std::uint64_t> committed() {
    const std::lock_guard lock(mutex_);
    return committed_;
  }

 private:
  template <class Change>
  void set(const Change& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  std::string trouble_;
  int tries_ = 0;
  int tidied_ = 0;
  std::vector<std::uint64_t> committed_;
};

Batch numbered(std::uint64_t number) {
  Batch batch;
  batch.delivered_before = number;
  return batch;
}

struct Stage {
  FakeStore store;
  Counters counters;
  std::atomic<int> wakes{0};
  std::optional<Writer> writer;

  explicit Stage(std::chrono::milliseconds pause = 1ms) {
    writer.emplace(
        store, counters, [this] { wake(); }, pause);
  }

  void wake() {
    ++wakes;
    wakes.notify_all();
  }
  void wait_for_wakes(int count) {
    for (int now = wakes; now < count; now = wakes) wakes.wait(now);
  }
  std::uint64_t counted(const std::string& name) const {
    return std::ranges::find(counters.all(), name, &Counter::name)->value();
  }
};

constexpr auto kLongEnough = 1min;

}  // namespace

TEST_CASE("writer: batches are committed one after the other, and each wakes") {
  Stage stage;
  CHECK(stage.writer->idle());
  CHECK(stage.writer->wait());
  for (std::uint64_t number = 1; number <= 100; ++number) {
    stage.writer->write(numbered(number));
    REQUIRE(stage.writer->wait());
    REQUIRE(stage.writer->idle());
  }
  stage.wait_for_wakes(100);
  CHECK(stage.store.committed().size() == 100);
  CHECK(std::ranges::is_sorted(stage.store.committed()));
  CHECK(stage.counted("store_commits_total") == 100);
  CHECK(stage.counted("store_commits_failed_total") == 0);
}

TEST_CASE("writer: while a batch is under way it is not idle, and nobody has to wait for it") {
  Stage stage;
  stage.store.hold(true);
  stage.writer->write(numbered(1));
  stage.store.wait_for_tries(1);
  CHECK_FALSE(stage.writer->idle());
  CHECK_FALSE(stage.writer->wait_until(std::chrono::steady_clock::now()));
  CHECK(stage.writer->trouble().empty());
  stage.store.hold(false);
  CHECK(stage.writer->wait());
}

TEST_CASE("writer: a batch that fails is tried until it succeeds; trouble is told while it lasts") {
  Stage stage;
  stage.store.fail("the disk is full");
  stage.writer->write(numbered(1));
  CHECK_FALSE(stage.writer->wait());
  CHECK(stage.writer->trouble() == "the disk is full");
  CHECK_FALSE(stage.writer->wait());
  CHECK_FALSE(stage.writer->idle());
  stage.store.wait_for_tries(5);
  stage.wait_for_wakes(1);
  CHECK(stage.wakes == 1);

  stage.store.fail("the disk is gone");
  stage.wait_for_wakes(2);
  CHECK(stage.writer->trouble() == "the disk is gone");

  stage.store.fail("");
  CHECK(stage.writer->wait_until(std::chrono::steady_clock::now() + kLongEnough));
  stage.wait_for_wakes(3);
  CHECK(stage.writer->trouble().empty());
  CHECK(stage.writer->idle());
  CHECK(stage.store.committed() == std::vector<std::uint64_t>{1});
  CHECK(stage.counted("store_commits_total") == 1);
  CHECK(stage.counted("store_commits_failed_total") >= 4);

  stage.writer->write(numbered(2));
  CHECK(stage.writer->wait());
  CHECK(stage.store.committed() == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("writer: it tidies the store now and then, but not while a batch waits") {
  Stage stage;
  stage.store.wait_for_tidied(3);
  stage.store.fail("the disk is full");
  stage.writer->write(numbered(1));
  CHECK_FALSE(stage.writer->wait());
  const int before = stage.store.tidied();
  stage.store.wait_for_tries(500);
  CHECK(stage.store.tidied() == before);
  stage.store.fail("");
  stage.store.wait_for_tidied(before + 2);
}

TEST_CASE("writer: it ends in the middle of a pause, though the batch was never committed") {
  Stage stage(kLongEnough);
  stage.store.fail("the disk is full");
  stage.writer->write(numbered(1));
  CHECK_FALSE(stage.writer->wait());
  stage.writer.reset();
  CHECK(stage.store.tries() == 1);
  CHECK(stage.store.committed().empty());
}

TEST_CASE("writer: what was given before the end is still committed") {
  Stage stage;
  stage.writer->write(numbered(1));
  stage.writer.reset();
  CHECK(stage.store.committed() == std::vector<std::uint64_t>{1});
}
