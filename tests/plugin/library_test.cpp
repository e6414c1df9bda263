#include "plugin/library.hpp"

#include <botel/ext/room.h>
#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <future>
#include <thread>

#include "plugin/inspect.hpp"
#include "plugin/zoo.hpp"
#include "runtime/actor.hpp"
#include "runtime/logic.hpp"
#include "runtime/turn.hpp"

namespace fs = std::filesystem;
namespace runtime = botel::runtime;
using botel::plugin::Library;

namespace {

std::vector<botel::plugin::Item> items(const fs::path& file) {
  const auto note = botel::plugin::inspect(file);
  REQUIRE(note);
  return note->items;
}

std::shared_ptr<Library> load(const fs::path& copy) {
  auto library = Library::load(copy, items(copy));
  REQUIRE_MESSAGE(library, library.error());
  return *library;
}

std::string error_of(const fs::path& copy) {
  const auto library = Library::load(copy, items(copy));
  return library ? "" : library.error();
}

// A room whose bot is told something; nothing happens of what it wants to.
struct Room : runtime::Port {
  explicit Room(const std::shared_ptr<Library>& library)
      : logic(runtime::Logic::create(*library->descriptors().at(0), "{}", library).value()) {}

  // What the bot says first, or why it fails.
  std::string tell(const std::string& text) {
    const runtime::Event event{.kind = BOTEL_ROOM_MESSAGE,
                               .id = 1,
                               .sequence = 1,
                               .format = BOTEL_FORMAT_TEXT,
                               .payload = text,
                               .detail = R"({"t":0,"m":"x"})"};
    runtime::Turn turn;
    turn.actor = &actor;
    turn.logic = logic;
    turn.event = &event;
    logic->handle(turn);
    if (turn.cached) logic->drop(turn.cached);
    return turn.effects.empty() ? turn.error : turn.effects.front().payload;
  }

  std::int32_t check(const botel_effect&) const override { return BOTEL_OK; }
  void handled(runtime::Actor&, const runtime::Event&, const botel::Result<>&) override {}
  void perform(runtime::Actor&, runtime::Effect&) override {}
  std::string origin(const runtime::Actor&) const override { return "{}"; }
  std::string progress(const runtime::Actor&) const override { return "{}"; }

  runtime::Role role{"zoo"};
  runtime::Actor actor{*this, BOTEL_ACTOR_ROOM, "0/0/room/0",
                       R"({"context":{"sp":0,"app":0,"room":"r","session":"s","bot":"0"},"user":null})", role};
  std::shared_ptr<runtime::Logic> logic;
};

// A thread that lives until it is told to end.
class Visitor {
 public:
  explicit Visitor(std::function<void()> work)
      : thread_([this, work = std::move(work)] {
          work();
          done_.set_value();
          go_.get_future().wait();
        }) {
    done_.get_future().wait();
  }
  void leave() {
    go_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> done_, go_;
  std::thread thread_;
};

std::ptrdiff_t threads_of_process() { return std::distance(fs::directory_iterator("/proc/self/task"), {}); }

}  // namespace

TEST_CASE("library: it is in memory from load to unload") {
  const TempFolder folder;
  for (const std::string name : {"v1", "stripped", "two-bots", "throws", "sticky"}) {
    CAPTURE(name);
    const auto copy = zoo::copy(folder, name);
    CHECK_FALSE(Library::is_mapped(copy));
    const auto library = load(copy);
    CHECK(Library::is_mapped(copy));
    CHECK_FALSE(Library::is_mapped(zoo::file(name)));
    CHECK(library->copy() == copy);
    REQUIRE(library->descriptors().size() == (name == "two-bots" ? 2 : 1));
    CHECK(library->descriptors().at(0)->id == std::string("zoo"));
    CHECK(library->threads() == 0);
    CHECK(library->unload());
    CHECK_FALSE(Library::is_mapped(copy));
    CHECK(fs::exists(copy));
  }
}

TEST_CASE("library: it goes with its last owner, too") {
  const TempFolder folder;
  const auto copy = zoo::copy(folder, "v1");
  {
    const auto library = load(copy);
    const Room room(library);
    CHECK(Library::is_mapped(copy));
  }
  CHECK_FALSE(Library::is_mapped(copy));
}

TEST_CASE("library: versions are in memory side by side, also the same one twice, each with its own data") {
  const TempFolder folder;
  struct Loaded {
    explicit Loaded(const fs::path& copy) : library(load(copy)), room(std::make_unique<Room>(library)) {}
    std::shared_ptr<Library> library;
    std::unique_ptr<Room> room;
  };
  Loaded one(zoo::copy(folder, "v1")), two(zoo::copy(folder, "v2")), again(zoo::copy(folder, "v1"));
  CHECK(one.library->descriptors().at(0) != again.library->descriptors().at(0));
  CHECK(one.room->tell("hello") == "1.0.0 hello");
  CHECK(two.room->tell("hello") == "2.0.0 hello");
  one.room.reset();
  CHECK(one.library->unload());
  CHECK(two.room->tell("hello") == "2.0.0 hello");
  CHECK(again.room->tell("hello") == "1.0.0 hello");
  two.room.reset();
  CHECK(two.library->unload());
  CHECK(again.room->tell("attach") == "1.0.0 attach");
}

TEST_CASE(
    "library: what is not what its note says, or cannot be loaded as a whole, is refused and not left in memory") {
  const TempFolder folder;
  struct Case {
    std::string name, error;
  };
  const Case cases[] = {
      {"has-no-entry", "it does not export botel_entry_v1"},
      {"other-note", "its descriptor zoo is not the one of its note"},
      {"lacks-a-symbol", "undefined symbol: nobody_has_this"},
      {"has-a-private-library", "libzoo-private.so: cannot open shared object file"},
  };
  for (const auto& [name, error] : cases) {
    CAPTURE(name);
    const auto copy = zoo::copy(folder, name);
    // Builds know where it is; installed plugins do not.
    const std::string there = (fs::path(ZOO) / "private").string();
    const std::string bytes = zoo::read(copy);
    if (zoo::has(bytes, there)) {
      folder.write(copy.filename(), zoo::replaced(bytes, there, std::string(there.size(), '/')));
    }
    const auto found = error_of(copy);
    CAPTURE(found);
    CHECK(zoo::has(found, error));
    CHECK_FALSE(Library::is_mapped(copy));
  }
}

TEST_CASE("library: a note that lists other items than the entry is found out") {
  const TempFolder folder;
  const auto wrong = [&](const char* name, const std::function<void(std::vector<botel::plugin::Item>&)>& change) {
    const auto copy = zoo::copy(folder, name);
    auto changed = items(copy);
    change(changed);
    const auto library = Library::load(copy, changed);
    CHECK_FALSE(Library::is_mapped(copy));
    return library ? "" : library.error();
  };
  const std::string other = "its descriptor zoo is not the one of its note";
  CHECK(wrong("v1", [](auto& items) { items[0].version = "1.0.1"; }) == other);
  CHECK(wrong("v1", [](auto& items) { items[0].kind = BOTEL_CONNECTOR; }) == other);
  CHECK(wrong("v1", [](auto& items) { items[0].schema_written = 2; }) == other);
  CHECK(wrong("v1", [](auto& items) { items[0].schema_oldest = 2; }) == other);
  CHECK(wrong("v1", [](auto& items) { items.push_back(items[0]); }) == "its entry and its note list different bots");
  CHECK(wrong("two-bots", [](auto& items) { items.pop_back(); }) == "its entry and its note list different bots");
  CHECK(wrong("two-bots", [](auto& items) { std::swap(items[0], items[1]); }) == other);
}

TEST_CASE("library: where there is none, nothing is loaded") {
  const TempFolder folder;
  const auto copy = zoo::copy(folder, "v1");
  const auto known = items(copy);
  CHECK_FALSE(Library::load(folder.path / "missing.so", known));
  CHECK_FALSE(Library::load(folder.path, known));
  CHECK_FALSE(Library::load(folder.write("text.so", "text"), known));
  CHECK_FALSE(Library::load("", known));
}

TEST_CASE("library: a thread_local with a destructor holds it in memory until its thread has ended") {
  const TempFolder folder;
  const auto copy = zoo::copy(folder, "sticky");
  auto library = load(copy);
  auto room = std::make_unique<Room>(library);
  Visitor visitor([&] { CHECK(room->tell("hello") == "sticky hello"); });
  room.reset();
  const auto gone = library->unload();
  REQUIRE_FALSE(gone);
  CHECK(gone.error() == "something holds it in memory, such as a thread_local with a destructor");
  CHECK(Library::is_mapped(copy));
  library.reset();
  CHECK(Library::is_mapped(copy));
  // The thread runs the destructor, whose code must still be there.
  visitor.leave();
  // The C library notices when it unloads something the next time.
  CHECK(load(zoo::copy(folder, "v1"))->unload());
  CHECK_FALSE(Library::is_mapped(copy));
}

TEST_CASE("library: a thread_local holds nothing when its thread has ended before") {
  const TempFolder folder;
  const auto copy = zoo::copy(folder, "sticky");
  const auto library = load(copy);
  auto room = std::make_unique<Room>(library);
  Visitor([&] { CHECK(room->tell("hello") == "sticky hello"); }).leave();
  room.reset();
  CHECK(library->unload());
  CHECK_FALSE(Library::is_mapped(copy));
}

TEST_CASE("library: while a thread that it has started runs, it is not unloaded") {
  const TempFolder folder;
  struct Case {
    std::string name, words;
    std::size_t threads;
  };
  for (const auto& [name, words, threads] :
       {Case{"starts-a-thread", "hello", 1}, Case{"starts-a-thread", "thread", 2}, Case{"v1", "thread", 1}}) {
    CAPTURE(name);
    const auto before = threads_of_process();
    const auto copy = zoo::copy(folder, name);
    auto library = load(copy);
    auto room = std::make_unique<Room>(library);
    room->tell(words);
    CHECK(library->threads() == threads);
    room.reset();
    const auto gone = library->unload();
    REQUIRE_FALSE(gone);
    CHECK(gone.error() == std::to_string(threads) + " of its threads still run");
    library.reset();
    // Also not when others are.
    CHECK(load(zoo::copy(folder, "v2"))->unload());
    CHECK(Library::is_mapped(copy));
    CHECK(threads_of_process() == before + static_cast<std::ptrdiff_t>(threads));
  }
}

TEST_CASE("code: the threads of one, and those that these start, count until they have ended") {
  const runtime::Code one, two;
  std::promise<void> go;
  const auto wait = [&, told = go.get_future().share()] { told.wait(); };
  std::thread host(wait), first, second;
  {
    const runtime::Code::Scope scope(&one);
    first = std::thread([&] { second = std::thread(wait); });
    {
      const runtime::Code::Scope inner(&two);
      const runtime::Code::Scope none(nullptr);
      std::thread([] {}).join();
    }
    first.join();
  }
  CHECK(one.threads() == 1);
  CHECK(two.threads() == 0);
  go.set_value();
  for (auto* const thread : {&host, &second}) thread->join();
  CHECK(one.threads() == 0);
}
