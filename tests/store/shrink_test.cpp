// The store's file when much of what was in it is gone.
#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>

#include "store/contents.hpp"
#include "store/database.hpp"
#include "temp_folder.hpp"

using namespace botel;
using namespace botel::store;

namespace fs = std::filesystem;

namespace {

constexpr int kMany = 20'000;

// All of many(kMany) but its first actor.
Batch nearly_all_gone() {
  Batch batch;
  for (ActorId id = 2; id <= kMany; ++id) {
    batch.actors_gone.push_back(id);
    batch.requests_gone.push_back(static_cast<std::uint64_t>(id));
  }
  batch.delivered_before = kMany + 1;
  return batch;
}

int tidy_all(Store& store) {
  int steps = 0;
  for (auto more = store.tidy(); more && *more; more = store.tidy()) ++steps;
  return steps;
}

std::int64_t number(const fs::path& file, const std::string& pragma) {
  return SQLite::Database(file.string()).execAndGet("PRAGMA " + pragma).getInt64();
}

}  // namespace

TEST_CASE("store: the file gives back what is gone, in steps, and keeps what is there") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened(file);
  REQUIRE(store->commit(many(kMany)));
  CHECK(tidy_all(*store) == 0);
  const auto full = number(file, "page_count");
  REQUIRE(store->commit(nearly_all_gone()));
  CHECK(tidy_all(*store) > 10);
  CHECK(number(file, "page_count") < full / 4);
  CHECK(number(file, "page_count") > 1000);  // spare room for what comes next
  CHECK(fs::file_size(file) == static_cast<std::uintmax_t>(number(file, "page_count") * number(file, "page_size")));
  const auto left = contents(*store);
  CHECK(left.size() == 3);
  CHECK(contents(*opened(file)) == left);
  CHECK(number(file, "integrity_check(1)") == 0);  // "ok" is no number
}

TEST_CASE("store: a little that is gone is kept for what comes next") {
  const TempFolder folder;
  const auto store = opened(folder.path / kFile);
  REQUIRE(store->commit(many(200)));
  Batch batch;
  for (ActorId id = 2; id <= 200; ++id) batch.actors_gone.push_back(id);
  REQUIRE(store->commit(batch));
  CHECK(tidy_all(*store) == 0);
}

TEST_CASE("store: a file of an earlier version learns to give back what is gone") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  {
    SQLite::Database old(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec("PRAGMA journal_mode = WAL");
    REQUIRE(migrate(old, file.string(), migrations()));
  }
  REQUIRE(number(file, "auto_vacuum") == 0);
  const auto store = opened(file);
  CHECK(number(file, "auto_vacuum") == 2);
  REQUIRE(store->commit(many(kMany)));
  REQUIRE(store->commit(nearly_all_gone()));
  CHECK(tidy_all(*store) > 10);
}

TEST_CASE("store: one in memory has nothing to tidy") {
  const auto store = Sqlite::in_memory();
  REQUIRE((*store)->commit(many(kMany)));
  REQUIRE((*store)->commit(nearly_all_gone()));
  CHECK(tidy_all(**store) == 0);
}
