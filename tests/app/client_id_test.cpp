#include "app/client_id.hpp"

#include <doctest/doctest.h>

#include "store/sqlite.hpp"
#include "temp_folder.hpp"

using namespace botel;
using app::choose_client_id;
using app::DataFolder;

namespace {

struct Directory {
  TempFolder root;
  std::unique_ptr<DataFolder> folder = DataFolder::open(root.path / "data").value();
  std::unique_ptr<store::Store> store = store::Sqlite::in_memory().value();

  std::string chosen(const std::string& configured = "") const {
    return choose_client_id(configured, *folder, store.get()).value();
  }
  std::string kept() const {
    std::string name;
    REQUIRE(store->load({.session = [&](const store::Session& session) { name = session.client_id; }}));
    return name;
  }
};

}  // namespace

TEST_CASE("client id: one is made up, and stays") {
  const Directory directory;
  const std::string name = directory.chosen();
  CHECK(name.starts_with("botel-"));
  CHECK(directory.kept() == name);
  CHECK(directory.folder->known_client_id() == name);
  CHECK(directory.chosen() == name);
}

TEST_CASE("client id: it moves with the store, whatever the other data directory had") {
  Directory directory;
  const std::string name = directory.chosen();
  Directory other;
  SUBCASE("nothing") {}
  SUBCASE("a name of its own") { CHECK(other.chosen() != name); }
  other.store = std::move(directory.store);
  CHECK(other.chosen() == name);
  CHECK(other.folder->known_client_id() == name);
  CHECK(other.kept() == name);
}

TEST_CASE("client id: a store that does not know it takes the directory's") {
  const Directory directory;
  REQUIRE(directory.folder->keep_client_id("before"));
  CHECK(directory.chosen() == "before");
  CHECK(directory.kept() == "before");
}

TEST_CASE("client id: the configured one goes first, and is the store's then") {
  const Directory directory;
  const std::string name = directory.chosen();
  CHECK(directory.chosen("mine") == "mine");
  CHECK(directory.kept() == "mine");
  CHECK(directory.folder->known_client_id() == name);
  CHECK(directory.chosen() == "mine");
}

TEST_CASE("client id: where nothing is kept the directory's is used") {
  const Directory directory;
  const std::string name = directory.chosen();
  CHECK(directory.chosen("mine") == "mine");
  CHECK(choose_client_id("", *directory.folder, nullptr) == name);
  CHECK(choose_client_id("other", *directory.folder, nullptr) == "other");
  CHECK(directory.kept() == "mine");
}
