// What connectors tell of their services, and what they keep to themselves.
#include <SQLiteCpp/Database.h>

#include <thread>

#include "store/contents.hpp"
#include "store/maintenance.hpp"
#include "temp_folder.hpp"

using namespace botel::store;
using Texts = std::vector<std::string>;

namespace {

Item message(std::string id, std::string chat, std::int64_t time_ms, std::int64_t number, std::string json = "") {
  if (json.empty()) json = id;
  return {1, "message", std::move(id), std::move(chat), time_ms, number, std::move(json)};
}

void commit_items(Store& store, std::vector<Item> items) {
  Batch batch;
  batch.items = std::move(items);
  REQUIRE(store.commit(batch));
}

std::string exported(const std::filesystem::path& file) {
  std::FILE* const out = std::tmpfile();
  REQUIRE(export_to(file, out));
  std::string text(static_cast<std::size_t>(std::ftell(out)), '\0');
  std::rewind(out);
  REQUIRE(std::fread(text.data(), 1, text.size(), out) == text.size());
  std::fclose(out);
  return text;
}

int count(std::string_view text, std::string_view part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++found;
  return found;
}

// Both ways in which the store may be had.
struct Stores {
  TempFolder folder;
  std::vector<std::unique_ptr<Sqlite>> all;
  Stores() {
    all.push_back(Sqlite::in_memory().value());
    all.push_back(opened(folder.path / kFile));
  }
};

}  // namespace

TEST_CASE("store: items are found by their id, or all of a kind in the order in which they came") {
  Stores stores;
  for (const auto& store : stores.all) {
    commit_items(*store, {{1, "contact", "b", "", 0, 1, "B"}, {1, "contact", "a", "", 0, 2, "A"}});
    commit_items(*store, {{2, "contact", "a", "", 0, 3, "of another"}, {1, "chat", "a", "", 0, 4, "a chat"}});
    CHECK(store->items({.actor = 1, .kind = "contact"}).value() == Texts{"B", "A"});
    CHECK(store->items({.actor = 1, .kind = "contact", .id = "a"}).value() == Texts{"A"});
    CHECK(store->items({.actor = 1, .kind = "contact", .id = "c"}).value().empty());
    CHECK(store->items({.actor = 3, .kind = "contact"}).value().empty());
    CHECK(store->items({.actor = 1, .kind = "contact", .most = 1}).value() == Texts{"B"});
  }
}

TEST_CASE("store: an item that is there is replaced, also within a batch") {
  Stores stores;
  for (const auto& store : stores.all) {
    commit_items(*store, {{1, "contact", "a", "", 0, 1, "old"}});
    commit_items(*store, {{1, "contact", "a", "", 0, 2, "newer"}, {1, "contact", "a", "", 0, 3, "new"}});
    CHECK(store->items({.actor = 1, .kind = "contact"}).value() == Texts{"new"});
    // It keeps its place.
    commit_items(*store, {{1, "contact", "b", "", 0, 4, "B"}, {1, "contact", "a", "", 0, 5, "newest"}});
    CHECK(store->items({.actor = 1, .kind = "contact"}).value() == Texts{"newest", "B"});
  }
}

TEST_CASE("store: the messages of a chat come from the newest on, in pages") {
  Stores stores;
  for (const auto& store : stores.all) {
    commit_items(*store, {message("1", "x", 100, 1), message("2", "x", 300, 2), message("3", "y", 200, 3),
                          message("4", "x", 200, 4), message("5", "x", 200, 5)});
    const ItemQuery all{.actor = 1, .kind = "message", .chat = "x"};
    CHECK(store->items(all).value() == Texts{"2", "5", "4", "1"});
    ItemQuery page = all;
    page.most = 2;
    CHECK(store->items(page).value() == Texts{"2", "5"});
    page.before = "5";
    CHECK(store->items(page).value() == Texts{"4", "1"});
    page.before = "1";
    CHECK(store->items(page).value().empty());
    page.before = "unknown";
    CHECK(store->items(page).value().empty());
  }
}

TEST_CASE("store: items and secrets go with their actor, items also without it") {
  Stores stores;
  for (const auto& store : stores.all) {
    Batch batch;
    add_actor(batch, 1);
    add_actor(batch, 2);
    batch.items = {{1, "contact", "a", "", 0, 1, "A"}, {2, "contact", "a", "", 0, 2, "A2"}};
    batch.secrets = {{1, "token", "s3cret"}, {2, "token", std::string("\0\xff", 2)}};
    REQUIRE(store->commit(batch));
    CHECK(contents(*store).back() == "secret 2 token " + botel::json::quoted(std::string("\0\xff", 2)));

    Batch gone;
    gone.actors_gone = {1};
    gone.items_gone = {2};
    gone.items = {{2, "contact", "b", "", 0, 3, "B"}};
    gone.secrets = {{2, "token", ""}, {2, "other", "x"}};
    REQUIRE(store->commit(gone));
    CHECK(store->items({.actor = 1, .kind = "contact"}).value().empty());
    CHECK(store->items({.actor = 2, .kind = "contact"}).value() == Texts{"B"});
    const auto lines = contents(*store);
    CHECK(lines.size() == 2);
    CHECK(lines.back() == "secret 2 other \"x\"");
  }
}

TEST_CASE("store: what a connector is told is in no export, what is said in a room is") {
  const TempFolder folder;
  const Event step{.kind = 0x501, .sequence = 1, .payload = "s3cret", .detail = "s3cret", .blob = "s3cret"};
  const Event said{.kind = 0x102, .sequence = 1, .payload = "hello"};
  Batch batch;
  add_actor(batch, 1);
  batch.actors[0].type = "connector";
  add_actor(batch, 2);
  batch.inbox = {{1, step}, {2, said}};
  batch.dead_letters = {{1, "connector", "demo/1", "demo", "crashed", step}, {1, "room", "2", "echo", "crashed", said}};
  REQUIRE(opened(folder.path / kFile)->commit(batch));
  const std::string text = exported(folder.path / kFile);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(count(text, R"("payload":"hidden","detail":"hidden","blob":"hidden")") == 2);
  CHECK(count(text, R"("payload":"hello","detail":"")") == 2);
}

TEST_CASE("store: dead letters of one who is wiped go, those of others do not") {
  const TempFolder folder;
  const auto store = opened(folder.path / kFile);
  Batch batch;
  batch.dead_letters = {{1, "connector", "demo/1", "demo", "first", {}},
                        {2, "connector", "demo/2", "demo", "other", {}},
                        {3, "room", "demo/1", "demo", "room", {}}};
  REQUIRE(store->commit(batch));
  Batch gone;
  gone.dead_letters_gone = {{"connector", "demo/1"}};
  gone.dead_letters = {{4, "connector", "demo/1", "demo", "later", {}}};
  REQUIRE(store->commit(gone));
  const std::string text = exported(folder.path / kFile);
  CHECK(text.find("first") == std::string::npos);
  for (const auto* const reason : {"other", "room", "later"}) {
    CHECK(count(text, fmt::format(R"("reason":"{}")", reason)) == 1);
  }
}

TEST_CASE("store: items can be read while others are written") {
  const TempFolder folder;
  const auto store = opened(folder.path / kFile);
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) commit_items(*store, {message(std::to_string(i), "x", i, i)});
  });
  std::size_t before = 0;
  for (int reads = 0; before < 200; ++reads) {
    const auto found = store->items({.actor = 1, .kind = "message", .chat = "x"});
    REQUIRE(found);
    REQUIRE(found->size() >= before);
    before = found->size();
  }
  writer.join();
}

TEST_CASE("store: a secret is in no export") {
  const TempFolder folder;
  Batch batch;
  add_actor(batch, 1);
  batch.secrets = {{1, "token", "s3cret"}};
  REQUIRE(opened(folder.path / kFile)->commit(batch));
  const std::string text = exported(folder.path / kFile);
  CHECK(text.find(R"({"table":"secrets","actor":1,"name":"token","value":"hidden"})") != std::string::npos);
  CHECK(text.find("s3cret") == std::string::npos);
}
