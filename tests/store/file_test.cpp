// The store's file when something is wrong with it, or with the disk.
#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "store/contents.hpp"
#include "store/database.hpp"
#include "temp_folder.hpp"

using namespace botel;
using namespace botel::store;

namespace fs = std::filesystem;

namespace {

SQLite::Database raw(const fs::path& file) {
  return SQLite::Database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
}

// Why `file` is not opened, with FILE for its path.
std::string refusal(const fs::path& file) {
  const auto store = Sqlite::open(file);
  if (store) return "";
  std::string why = store.error();
  const auto at = why.find(file.string());
  return at == std::string::npos ? why : why.replace(at, file.string().size(), "FILE");
}

// Another user for a while: root may write everywhere.
class Nobody {
 public:
  Nobody() {
    if (geteuid() == 0) REQUIRE(seteuid(65534) == 0);
  }
  ~Nobody() {
    if (getuid() == 0 && seteuid(0) != 0) std::abort();
  }
};

// A batch whose records all say which batch it was.
Batch numbered(std::uint64_t number) {
  Batch batch;
  for (ActorId id = 1; id <= 20; ++id) batch.states.push_back({id, number, 1, std::string(200, 'x'), "{}"});
  if (number == 1) {
    for (ActorId id = 1; id <= 20; ++id) batch.actors.push_back({id, "room", std::to_string(id), "echo", "{}"});
  }
  batch.outbox.push_back({number, "topic", "payload"});
  return batch;
}

// Commits one batch after the other, and says so.
[[noreturn]] void commit_forever(const fs::path& file, int said) {
  const auto store = opened(file);
  for (std::uint64_t number = 1;; ++number) {
    if (!store->commit(numbered(number))) _exit(1);
    if (write(said, &number, sizeof number) != sizeof number) _exit(1);
  }
}

// A disk of `kilobytes`. Only root can make one.
class SmallDisk {
 public:
  explicit SmallDisk(int kilobytes)
      : mounted(mount("tmpfs", folder.path.c_str(), "tmpfs", 0, fmt::format("size={}k", kilobytes).c_str()) == 0) {}
  ~SmallDisk() {
    if (mounted) umount(folder.path.c_str());
  }
  TempFolder folder;
  const bool mounted;
};

}  // namespace

TEST_CASE("store: its files are for their owner alone") {
  const TempFolder folder;
  const mode_t before = umask(0);
  const auto store = opened(folder.path / kFile);
  REQUIRE(store->commit(many(1)));
  umask(before);
  for (const char* const suffix : {"", "-wal", "-shm"}) {
    const auto permissions = fs::status(folder.path / (std::string(kFile) + suffix)).permissions();
    CHECK_MESSAGE(permissions == (fs::perms::owner_read | fs::perms::owner_write), suffix);
  }
}

TEST_CASE("store: what was committed is there after a crash, and nothing of what was not") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  std::uint64_t told = 0;
  for (int crash = 0; crash < 5; ++crash) {
    fs::remove_all(file);
    fs::remove_all(file.string() + "-wal");
    fs::remove_all(file.string() + "-shm");
    int said[2];
    REQUIRE(pipe(said) == 0);
    const pid_t child = fork();
    if (child == 0) commit_forever(file, said[1]);
    close(said[1]);
    for (int i = 0; i < 20 + crash * 7; ++i) REQUIRE(read(said[0], &told, sizeof told) == sizeof told);
    kill(child, SIGKILL);
    REQUIRE(waitpid(child, nullptr, 0) == child);
    while (read(said[0], &told, sizeof told) == sizeof told) {
    }
    close(said[0]);

    std::uint64_t messages = 0;
    std::vector<std::uint64_t> sequences;
    Visitor visitor;
    visitor.actor = [&](const Actor&, const State& state) { sequences.push_back(state.sequence); };
    visitor.outbox = [&](const Message&) { ++messages; };
    REQUIRE(opened(file)->load(visitor));
    CHECK(messages >= told);
    CHECK(messages <= told + 1);
    CHECK(sequences == std::vector<std::uint64_t>(20, messages));
  }
}

TEST_CASE("store: a disk that is full is named, nothing is lost, and it goes on when there is room") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  auto store = opened(file);
  REQUIRE(store->commit(many(1)));
  const auto before = contents(*store);
  Batch large;
  large.outbox.push_back({7, "topic", std::string(1 << 20, 'x')});

  const SmallDisk disk(512);
  if (!disk.mounted) return;
  const fs::path full = disk.folder.path / kFile;
  store.reset();
  fs::copy_file(file, full);
  store = opened(full);
  for (int i = 0; i < 2; ++i) {
    const auto done = store->commit(large);
    REQUIRE_FALSE(done);
    CHECK(done.error() == full.string() + " cannot grow: the disk is full");
    CHECK(contents(*store) == before);
  }
  REQUIRE(mount("tmpfs", disk.folder.path.c_str(), "tmpfs", MS_REMOUNT, "size=16m") == 0);
  REQUIRE(store->commit(large));
  CHECK(contents(*store).size() == before.size() + 1);
  store.reset();
}

TEST_CASE("store: while another program has locked it, an error says so, and later it goes on") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened(file);
  auto other = raw(file);
  other.exec("BEGIN IMMEDIATE");
  const auto done = store->commit(many(1));
  REQUIRE_FALSE(done);
  CHECK(done.error() == file.string() + " is locked by another program");
  CHECK(contents(*store).empty());
  other.exec("ROLLBACK");
  CHECK(store->commit(many(1)));
}

TEST_CASE("store: another program may read it meanwhile") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const auto store = opened(file);
  REQUIRE(store->commit(many(3)));
  SQLite::Database reader(file.string(), SQLite::OPEN_READONLY);
  reader.exec("BEGIN");
  CHECK(reader.execAndGet("SELECT count(*) FROM outbox WHERE payload LIKE 'm%'").getInt() == 3);
  Batch batch;
  batch.delivered = {1};
  CHECK(store->commit(batch));
  CHECK(reader.execAndGet("SELECT count(*) FROM outbox").getInt() == 3);
  reader.exec("COMMIT");
  CHECK(reader.execAndGet("SELECT count(*) FROM outbox").getInt() == 2);
}

TEST_CASE("store: a file or a folder that is read-only is refused") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  opened(file).reset();
  fs::permissions(folder.path, fs::perms::all);
  fs::permissions(file, fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read);
  const Nobody nobody;
  CHECK(refusal(file) == "FILE is read-only");
  CHECK(refusal("/proc/nothing/botel.db") == "FILE cannot be made: No such file or directory");
  CHECK(refusal("/usr/botel.db") == "FILE cannot be made: Permission denied");
}

TEST_CASE("store: what is no database, or that of another program, is refused and left as it is") {
  const TempFolder folder;
  const std::string text(5000, 'x');
  const fs::path file = folder.write("text.db", text);
  CHECK(refusal(file) == "FILE is not a database, or its beginning is overwritten");
  std::string after;
  std::getline(std::ifstream(file), after);
  CHECK(after == text);

  raw(folder.path / "other.db").exec("CREATE TABLE songs (title)");
  CHECK(refusal(folder.path / "other.db") == "FILE is the database of another program, not a store of Botel");
  CHECK(raw(folder.path / "other.db").execAndGet("PRAGMA journal_mode").getString() == "delete");
}

TEST_CASE("store: a file of a newer Botel is refused") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  opened(file).reset();
  raw(file).exec("PRAGMA user_version = 9");
  CHECK(refusal(file) == "FILE was written by a newer Botel (schema 9; this one reads up to " +
                             std::to_string(migrations().size()) + ")");
}

TEST_CASE("store: an empty file, as a crash may leave it, becomes a store") {
  const TempFolder folder;
  const auto store = opened(folder.write(kFile, ""));
  CHECK(store->commit(many(1)));
}

TEST_CASE("store: a file of an older Botel is brought up to date, step by step, and keeps its records") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const std::string name = file.string();
  REQUIRE(opened(file)->commit(many(2)));
  auto database = raw(file);
  const auto version = [&] { return database.execAndGet("PRAGMA user_version").getInt(); };
  Migrations all = migrations();
  const int newest = static_cast<int>(all.size());
  all.push_back("ALTER TABLE timers ADD note TEXT");
  all.push_back("UPDATE timers SET note = 'hello'; INSERT INTO nowhere VALUES (1)");

  CHECK_THROWS_AS((void)migrate(database, name, all), SQLite::Exception);
  CHECK(version() == newest + 1);
  CHECK(database.execAndGet("SELECT count(*) FROM timers WHERE note IS NULL").getInt() == 2);

  all.back() = "UPDATE timers SET note = 'hello'";
  REQUIRE(migrate(database, name, all));
  REQUIRE(migrate(database, name, all));
  CHECK(version() == newest + 2);
  CHECK(database.execAndGet("SELECT count(*) FROM timers WHERE note = 'hello'").getInt() == 2);
}

TEST_CASE("store: what was received before the order was kept is still there, by packet id") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  Migrations older = migrations();
  older.resize(2);
  open_database(file, older)->exec("INSERT INTO received VALUES (65535, -7), (3, 5), (0, 0)");
  CHECK(contents(*opened(file)) ==
        std::vector<std::string>{"received 3 3 5", fmt::format("received 65535 65535 {}", kMost - 6)});
}

TEST_CASE("store: a file that was written before there was a clock has none, and no session") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  Migrations older = migrations();
  older.resize(3);
  open_database(file, older)->exec("INSERT INTO timers VALUES (1, 2, 3)");
  CHECK(contents(*opened(file)) == std::vector<std::string>{"timer 1 2 3"});
}

TEST_CASE("store: a damaged file is named when it is read, with what helps") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  REQUIRE(opened(file)->commit(many(200)));
  const auto size = fs::file_size(file);
  const std::string damaged =
      file.string() + " is damaged: `botel store check` says more, `botel store repair` saves what can be read";

  SUBCASE("overwritten") {
    std::fstream pages(file, std::ios::in | std::ios::out | std::ios::binary);
    pages.seekp(4096 * 12);
    pages << std::string(size - 4096 * 12, '\x55');
  }
  SUBCASE("truncated") { fs::resize_file(file, size / 2); }

  const auto store = Sqlite::open(file);
  if (!store) {
    CHECK(store.error() == damaged);
    return;
  }
  Visitor visitor;
  visitor.actor = [](const Actor&, const State&) {};
  visitor.request = [](const Request&) {};
  const auto loaded = (*store)->load(visitor);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error() == damaged);
}
