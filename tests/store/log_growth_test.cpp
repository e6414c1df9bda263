// The store's log while another program reads the file without an end.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include "base/files.hpp"
#include "store/contents.hpp"
#include "store/database.hpp"
#include "store/maintenance.hpp"
#include "store/readers.hpp"
#include "store/replacement.hpp"
#include "temp_folder.hpp"

using namespace botel;
using namespace botel::store;

namespace fs = std::filesystem;

namespace {

constexpr LogLimits kLimits{.warning = 1 << 20, .most = 4 << 20};
constexpr std::uintmax_t kSlack = 2 << 20;  // a batch, and what SQLite adds

// A program that has begun to read a store, and goes on when it is told to: it counts the actors that it sees.
class OtherProgram {
 public:
  explicit OtherProgram(const fs::path& file) {
    int to[2], from[2];
    REQUIRE(pipe(to) == 0);
    REQUIRE(pipe(from) == 0);
    pid_ = fork();
    if (pid_ == 0) read(file, to[0], from[1]);
    to_ = Descriptor(to[1]);
    from_ = Descriptor(from[0]);
    close(to[0]);
    close(from[1]);
    REQUIRE(listen() == 1);
  }
  ~OtherProgram() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  // It ends its reading, and closes the file.
  std::int64_t end() {
    const char go = 1;
    REQUIRE(write(to_.get(), &go, 1) == 1);
    const auto seen = listen();
    REQUIRE(waitpid(pid_, nullptr, 0) == pid_);
    return seen;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  [[noreturn]] static void read(const fs::path& file, int in, int out) {
    std::int64_t seen = 1;
    {
      SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
      database.exec("BEGIN");
      database.execAndGet("SELECT count(*) FROM actors");
      if (write(out, &seen, sizeof seen) < 0) _exit(1);
      char go = 0;
      if (::read(in, &go, 1) < 1) _exit(1);
      seen = database.execAndGet("SELECT count(*) FROM actors").getInt64();
      database.exec("COMMIT");
    }
    if (write(out, &seen, sizeof seen) < 0) _exit(1);
    _exit(0);
  }
  std::int64_t listen() const {
    std::int64_t number = -1;
    REQUIRE(::read(from_.get(), &number, sizeof number) == sizeof number);
    return number;
  }

  pid_t pid_ = -1;
  Descriptor to_, from_;
};

std::unique_ptr<Sqlite> opened_with_limits(const fs::path& file) { return Sqlite::open(file, kLimits).value(); }

// Some 100 KB, in actors of their own.
Batch numbered(int number) {
  Batch batch;
  for (int i = 0; i < 100; ++i) add_actor(batch, number * 100 + i, std::string(1000, 's'));
  return batch;
}

std::uintmax_t log_size(const fs::path& file) {
  std::error_code none;
  const auto size = fs::file_size(file.string() + "-wal", none);
  return none ? 0 : size;
}

std::string integrity(const fs::path& file) {
  return SQLite::Database(file.string()).execAndGet("PRAGMA integrity_check").getString();
}

// A store that has been copied for a replacement, and closed with its log beside it, as a kill leaves it.
struct Prepared {
  Prepared() {
    const fs::path file = folder.path / "killed" / kFile;
    fs::create_directory(file.parent_path());
    const auto store = opened(file);
    REQUIRE(store->commit(many(500)));
    lines = contents(*store);
    auto database = open_database(file);
    REQUIRE(database);
    REQUIRE(prepare_replacement(*database, file));
    fs::copy(file.parent_path(), folder.path / "left");
  }
  TempFolder folder;
  std::vector<std::string> lines;
  const fs::path file = folder.path / "left" / kFile;
};

}  // namespace

TEST_CASE("store: a program that reads without an end makes the log grow to its limit, and loses nothing; nor do we") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened_with_limits(file);
  REQUIRE(store->commit(numbered(0)));
  OtherProgram other(file);
  std::uintmax_t longest = 0;
  constexpr int kBatches = 300;  // some 30 MB
  for (int i = 1; i < kBatches; ++i) {
    REQUIRE(store->commit(numbered(i)));
    REQUIRE(store->tidy());
    longest = std::max(longest, log_size(file));
  }
  CHECK(longest > kLimits.warning);
  CHECK(longest < kLimits.most + kSlack);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));

  const auto lines = contents(*store);
  CHECK(lines.size() == kBatches * 100);
  CHECK(other.end() == 100);
  // It was the last one to have the old file open; what it takes along is not ours.
  REQUIRE(store->commit(numbered(kBatches)));
  CHECK(log_size(file) > 0);
  CHECK(contents(*opened(file)).size() == (kBatches + 1) * 100);
  CHECK(integrity(file) == "ok");
  CHECK(static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path), {})) == 3);
}

TEST_CASE("store: what is asked for while the file is replaced comes from the old one or the new one") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened_with_limits(file);
  Batch batch = numbered(0);
  batch.items.push_back({0, "contact", "a", "", 1, 1, R"({"id":"a"})"});
  REQUIRE(store->commit(batch));
  const OtherProgram other(file);
  std::atomic<bool> done{false};
  std::thread asks([&] {
    while (!done) CHECK(store->items({.actor = 0, .kind = "contact"}).value().size() == 1);
  });
  for (int i = 1; i < 100; ++i) {
    REQUIRE(store->commit(numbered(i)));
    REQUIRE(store->tidy());
  }
  done = true;
  asks.join();
}

TEST_CASE("store: who keeps the log from being used anew is named") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened(file);
  REQUIRE(store->commit(numbered(0)));
  CHECK(readers_of(file) == "another program");
  OtherProgram other(file);
  CHECK(readers_of(file) == fmt::format("process {} (test-store)", other.pid()));
  other.end();
  CHECK(readers_of(file) == "another program");
}

TEST_CASE("store: a copy that a killed host has not finished is thrown away") {
  Prepared prepared;
  std::ofstream(prepared.file.string() + ".making", std::ios::binary | std::ios::in) << "half";
  const auto store = opened(prepared.file);
  CHECK(contents(*store) == prepared.lines);
  CHECK_FALSE(fs::exists(prepared.file.string() + ".making"));
  REQUIRE(store->commit(numbered(10)));
}

TEST_CASE("store: a replacement that a killed host has begun is finished, wherever it was") {
  Prepared prepared;
  const fs::path& file = prepared.file;
  const std::string making = file.string() + ".making", next = file.string() + ".next";
  REQUIRE(log_size(file) > 0);
  fs::rename(making, next);
  SUBCASE("its copy is whole") {}
  SUBCASE("the old log is gone") { fs::remove(file.string() + "-wal"); }
  SUBCASE("all of the old log is gone") {
    fs::remove(file.string() + "-wal");
    fs::remove(file.string() + "-shm");
  }
  const auto store = opened(file);
  CHECK(contents(*store) == prepared.lines);
  CHECK_FALSE(fs::exists(next));
  CHECK(integrity(file) == "ok");
  REQUIRE(store->commit(numbered(10)));
}

TEST_CASE("store: where the disk has no room for the copy the store goes on in the old file") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened_with_limits(file);
  REQUIRE(store->commit(numbered(0)));
  OtherProgram other(file);
  // Nothing can be made there.
  fs::create_directory(file.string() + ".making");
  std::ofstream(file.string() + ".making/in-the-way") << "x";
  for (int i = 1; i < 100; ++i) {
    REQUIRE(store->commit(numbered(i)));
    REQUIRE(store->tidy());
  }
  CHECK(log_size(file) > kLimits.most);
  CHECK(contents(*store).size() == 100 * 100);
  CHECK(other.end() == 100);
}

TEST_CASE("store: an export that nobody reads to its end does not keep the log from being used anew") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened(file);
  REQUIRE(store->commit(many(500)));
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Descriptor out(ends[0]);
  const pid_t child = fork();
  if (child == 0) _exit(export_to(file, fdopen(ends[1], "w")) ? 0 : 1);
  close(ends[1]);
  char first = 0;
  REQUIRE(::read(out.get(), &first, 1) == 1);
  CHECK(readers_of(file) == "another program");
  kill(child, SIGKILL);
  REQUIRE(waitpid(child, nullptr, 0) == child);
}
