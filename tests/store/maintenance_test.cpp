#include "store/maintenance.hpp"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <fmt/chrono.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "store/contents.hpp"
#include "store/database.hpp"
#include "store/pages.hpp"
#include "temp_folder.hpp"

using namespace botel;
using namespace botel::store;

namespace fs = std::filesystem;

namespace {

constexpr int kRecords = 500;

// A store with kRecords records in each of the tables of many().
fs::path filled(const TempFolder& folder) {
  fs::path file = folder.path / kFile;
  Batch batch = many(kRecords);
  batch.clock = {3, 4};
  batch.session = {"name"};
  for (std::uint64_t i = 1; i <= kRecords; ++i) batch.inbox.push_back({1, {1, i, i}});
  REQUIRE(opened(file)->commit(batch));
  return file;
}

const Repaired::Table& of(const Repaired& repaired, const std::string& table) {
  return *std::ranges::find(repaired.tables, table, &Repaired::Table::name);
}

std::string exported(const fs::path& file) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* const out = open_memstream(&text, &size);
  const auto done = export_to(file, out);
  std::fclose(out);
  std::string result = done ? std::string(text, size) : done.error();
  std::free(text);
  return result;
}

std::string bytes_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

// The names that files get in a folder, in order.
class NewNames {
 public:
  explicit NewNames(const fs::path& folder) : events_(inotify_init1(IN_CLOEXEC)) {
    inotify_add_watch(events_, folder.c_str(), IN_CREATE | IN_MOVED_TO);
  }
  ~NewNames() { close(events_); }
  NewNames(const NewNames&) = delete;
  NewNames& operator=(const NewNames&) = delete;

  // Once there are some, and at most 4 KiB of them.
  [[nodiscard]] std::vector<std::string> read() const {
    alignas(inotify_event) std::array<char, 4096> bytes{};
    const ssize_t size = ::read(events_, bytes.data(), bytes.size());
    std::vector<std::string> names;
    for (ssize_t at = 0; at < size;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(bytes.data() + at);
      names.emplace_back(event->name);
      at += static_cast<ssize_t>(sizeof *event + event->len);
    }
    return names;
  }

 private:
  const int events_;
};

}  // namespace

TEST_CASE("check: a healthy file has no damage, and as many records as were written, also while it is open") {
  const TempFolder folder;
  const fs::path file = filled(folder);
  const auto host = opened(file);
  const auto checked = check(file);
  REQUIRE(checked);
  CHECK(checked->schema == static_cast<int>(migrations().size()));
  CHECK(checked->damages.empty());
  CHECK(checked->tables.size() == 13);
  for (const auto& table : checked->tables) {
    const std::set<std::string> unused = {"effects", "received", "items", "secrets", "dead_letters"};
    const bool is_one = table.name == "clock" || table.name == "session";
    CHECK_MESSAGE(table.records == (unused.contains(table.name) ? 0 : is_one ? 1 : kRecords), table.name);
  }
}

TEST_CASE("check: damage is found, and what can be counted is") {
  const TempFolder folder;
  const fs::path file = filled(folder);
  overwrite(file, pages(file, "states").at(3));
  overwrite(file, pages(file, "sqlite_autoindex_actors_1").at(0));
  const auto checked = check(file);
  REQUIRE(checked);
  REQUIRE_FALSE(checked->damages.empty());
  CHECK(checked->damages[0].starts_with("Page "));
  const auto actors = std::ranges::find(checked->tables, "actors", &Checked::Table::name);
  REQUIRE(actors != checked->tables.end());
  CHECK(actors->records == kRecords);
}

TEST_CASE("check, export, repair: what cannot be read at all is said, and left as it is") {
  const TempFolder folder;
  fs::path file = folder.path / "none.db";
  std::string why = fmt::format("there is no {}", file.string());
  SUBCASE("no file") {}
  SUBCASE("an empty file") {
    file = folder.write("empty.db", "");
    why = fmt::format("{} is empty, and no store of Botel", file.string());
  }
  SUBCASE("the first page is lost") {
    file = filled(folder);
    overwrite(file, 1);
    why = fmt::format("{} is not a database, or its beginning is overwritten", file.string());
  }
  SUBCASE("the list of the tables is lost") {
    file = filled(folder);
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(100);
    bytes << std::string(kPage - 100, '\x55');
    bytes.close();
    why = fmt::format("{} is damaged where it begins: nothing of it can be read", file.string());
  }
  const std::string before = bytes_of(file);
  CHECK(check(file).error() == why);
  CHECK(exported(file) == why);
  CHECK(repair(file).error() == why);
  CHECK(bytes_of(file) == before);
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) <= 3);  // with -wal and -shm
}

TEST_CASE("repair: a healthy file keeps all its records, and the old one is kept, too") {
  const TempFolder folder;
  const fs::path file = filled(folder);
  const auto before = contents(*opened(file));
  const std::string old = bytes_of(file);
  const auto repaired = repair(file);
  REQUIRE_MESSAGE(repaired, (repaired ? "" : repaired.error()));
  for (const auto& table : repaired->tables) CHECK_FALSE_MESSAGE(table.damaged, table.name);
  CHECK(contents(*opened(file)) == before);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(repaired->aside.parent_path() == folder.path);
  CHECK(std::regex_match(repaired->aside.filename().string(), std::regex(R"(botel\.db\.broken-\d{8}T\d{6})")));
  CHECK(bytes_of(repaired->aside) == old);
}

TEST_CASE("repair: of a table with overwritten pages the others are saved, from all sides of the damage") {
  const TempFolder folder;
  const fs::path file = filled(folder);
  const auto states = pages(file, "states");
  REQUIRE(states.size() > 30);
  // The first and the last, one alone, and two together: five of them are lost, whatever lies between.
  for (const std::size_t at : {std::size_t{0}, std::size_t{10}, std::size_t{20}, std::size_t{21}, states.size() - 1}) {
    overwrite(file, states[at]);
  }
  overwrite(file, pages(file, "inbox").at(2));
  overwrite(file, pages(file, "sqlite_autoindex_actors_1").at(0));
  const auto repaired = repair(file);
  REQUIRE_MESSAGE(repaired, (repaired ? "" : repaired.error()));

  const std::uint64_t most_of_a_page = 13;  // states of more than 300 bytes
  CHECK(of(*repaired, "states").damaged);
  CHECK(of(*repaired, "states").saved >= kRecords - 5 * most_of_a_page);
  CHECK(of(*repaired, "states").saved < kRecords);
  CHECK(of(*repaired, "inbox").damaged);
  CHECK(of(*repaired, "inbox").saved > kRecords / 2);
  for (const char* const whole : {"actors", "timers", "outbox", "requests"}) {
    CHECK_FALSE_MESSAGE(of(*repaired, whole).damaged, whole);
    CHECK_MESSAGE(of(*repaired, whole).saved == kRecords, whole);
  }
  const auto checked = check(file);
  REQUIRE(checked);
  CHECK(checked->damages.empty());

  // What was saved is as it was.
  Visitor visitor;
  std::uint64_t states_found = 0;
  visitor.actor = [&](const Actor& actor, const State& state) {
    CHECK(actor.address == fmt::format("address {}", actor.id));
    if (state.sequence == 0) return;
    ++states_found;
    CHECK(state.state == std::string(300, 's'));
  };
  REQUIRE(opened(file)->load(visitor));
  CHECK(states_found == of(*repaired, "states").saved);
}

TEST_CASE("repair: empty texts and bytes are kept as they are") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  Batch batch;
  add_actor(batch, 1, "");
  batch.inbox = {{1, {}}};
  batch.outbox = {{kMost, "", ""}};
  batch.dead_letters = {{0, "", "", "", "", {}}};
  REQUIRE(opened(file)->commit(batch));
  const auto before = exported(file);
  REQUIRE(repair(file));
  CHECK(exported(file) == before);
}

TEST_CASE("repair: the pages above many others are lost, and the rest is saved") {
  const TempFolder folder;
  const fs::path file = filled(folder);
  overwrite(file, pages(file, "outbox", "internal").at(0));
  const auto repaired = repair(file);
  REQUIRE_MESSAGE(repaired, (repaired ? "" : repaired.error()));
  CHECK(of(*repaired, "outbox").damaged);
  CHECK(of(*repaired, "requests").saved == kRecords);
}

TEST_CASE("repair: the parts of an actor that is lost are left out, as they would fall to another one") {
  const TempFolder folder;
  const fs::path file = filled(folder);
  overwrite(file, pages(file, "actors").at(1));
  const auto repaired = repair(file);
  REQUIRE_MESSAGE(repaired, (repaired ? "" : repaired.error()));
  const auto lost = kRecords - of(*repaired, "actors").saved;
  CHECK(lost > 0);
  for (const char* const part : {"states", "timers"}) {
    CHECK(of(*repaired, part).left_out == lost);
    CHECK(of(*repaired, part).saved == kRecords - lost);
    CHECK_FALSE(of(*repaired, part).damaged);
  }
}

TEST_CASE("repair: what a crash has left beside the file is read, and is moved with it") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  const pid_t child = fork();
  if (child == 0) {
    const auto store = opened(file);
    _exit(store->commit(many(20)) ? 0 : 1);  // without closing it
  }
  int status = 1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  const auto beside = [](const fs::path& path) { return fs::path(path.string() + "-wal"); };
  const auto size = fs::file_size(beside(file));
  REQUIRE(size > 0);
  const auto repaired = repair(file);
  REQUIRE_MESSAGE(repaired, (repaired ? "" : repaired.error()));
  CHECK(of(*repaired, "actors").saved == 20);
  CHECK(fs::file_size(beside(repaired->aside)) == size);
  CHECK(contents(*opened(file)).size() == 20 * 4);
  CHECK(contents(*opened(repaired->aside)).size() == 20 * 4);
}

TEST_CASE("export: each record is a line of JSON, with its bytes as text or base64, also while it is open") {
  const TempFolder folder;
  const auto store = opened(folder.path / kFile);
  Batch batch;
  add_actor(batch, 1, std::string("\0 \"방\"", 7));
  for (const char* const bytes : {"\xFF", "\xFF\xFE", "\xFF\xFE\xFD", "\xFF\xFE\xFD\xFC"}) {
    batch.outbox.push_back({batch.outbox.size() + 1, "topic", bytes});
  }
  batch.received = {{7, 1, kMost}};
  REQUIRE(store->commit(batch));
  const std::string text = exported(folder.path / kFile);
  CHECK(text == R"({"table":"actors","id":1,"type":"room","address":"address 1","bot":"echo","origin":"{}"})"
                "\n"
                R"({"table":"states","actor":1,"sequence":1,"schema":1,"state":"\u0000 \"방\"","progress":"{}"})"
                "\n"
                R"({"table":"outbox","id":1,"topic":"topic","payload":{"base64":"/w=="}})"
                "\n"
                R"({"table":"outbox","id":2,"topic":"topic","payload":{"base64":"//4="}})"
                "\n"
                R"({"table":"outbox","id":3,"topic":"topic","payload":{"base64":"//79"}})"
                "\n"
                R"({"table":"outbox","id":4,"topic":"topic","payload":{"base64":"//79/A=="}})"
                "\n"
                R"({"table":"received","number":7,"packet":1,"hash":-1})"
                "\n");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK(json::read(line));
}

TEST_CASE("export: every table is in it") {
  const TempFolder folder;
  const auto store = opened(folder.path / kFile);
  Batch batch = many(1);
  batch.clock = {3, 4};
  batch.session = {"name"};
  batch.effects = {{1, 1, 0, {}}};
  batch.inbox = {{1, {}}};
  batch.received = {{1, 1, 1}};
  batch.dead_letters = {{0, "", "", "", "", {}}};
  REQUIRE(store->commit(batch));
  const std::string text = exported(folder.path / kFile);
  CHECK(std::ranges::count(text, '\n') == 11);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK_MESSAGE(json::read(line), line);
}

TEST_CASE("export: where it cannot be written, an error says so") {
  const TempFolder folder;
  const fs::path file = filled(folder);
  std::FILE* const full = std::fopen("/dev/full", "w");
  const auto done = export_to(file, full);
  std::fclose(full);
  REQUIRE_FALSE(done);
  CHECK(done.error() == "the export cannot be written: No space left on device");
}

TEST_CASE("backup: the copy has all records, and is its owner's alone, also while a host writes") {
  const TempFolder folder;
  const fs::path file = filled(folder), copy = folder.path / "copy.db";
  const auto host = opened(file);
  Batch batch;
  batch.actors_gone = {7};
  REQUIRE(host->commit(batch));
  const auto before = contents(*host);
  const mode_t mask = umask(0);
  const auto done = back_up(file, copy);
  umask(mask);
  REQUIRE_MESSAGE(done, (done ? "" : done.error()));
  add_actor(batch, 1000);
  REQUIRE(host->commit(batch));
  CHECK(fs::status(copy).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 4);  // with the -wal and -shm of the other
  CHECK(check(copy)->damages.empty());
  CHECK(contents(*opened(copy)) == before);
}

TEST_CASE("backup: nothing is overwritten, and what is not whole does not get the name") {
  const TempFolder folder;
  const fs::path file = filled(folder), copy = folder.path / "copy.db";
  const auto why = [&](const fs::path& from, const fs::path& to) {
    const auto done = back_up(from, to);
    return done ? std::string() : done.error();
  };
  SUBCASE("a file of that name") {
    folder.write("copy.db", "mine");
    CHECK(why(file, copy) == copy.string() + " is there already");
    CHECK(bytes_of(copy) == "mine");
    return;
  }
  SUBCASE("another that is being made") {
    folder.write("copy.db.part", "mine");
    CHECK(why(file, copy) == copy.string() + ".part is there already");
    CHECK(bytes_of(copy.string() + ".part") == "mine");
  }
  SUBCASE("no folder") {
    CHECK(why(file, "/proc/nothing/copy").ends_with("cannot be made: No such file or directory"));
  }
  SUBCASE("no store") { CHECK(why(folder.path / "none.db", copy).starts_with("there is no ")); }
  SUBCASE("damage") {
    overwrite(file, pages(file, "states").at(3));
    CHECK(why(file, copy).find("`botel store repair`") != std::string::npos);
    CHECK_FALSE(fs::exists(copy.string() + ".part"));
  }
  CHECK_FALSE(fs::exists(copy));
}

TEST_CASE("restore: a copy takes the place of the file, which is kept with what belongs to it") {
  const TempFolder folder, elsewhere;
  const fs::path file = filled(folder), copy = elsewhere.path / "copy.db";
  REQUIRE(back_up(file, copy));
  const auto before = contents(*opened(copy));
  // As a crash leaves it: what was written last is in the file beside it, and would fall to any other file of that
  // name.
  const pid_t child = fork();
  if (child == 0) {
    const auto store = Sqlite::open(file);
    Batch batch;
    batch.actors_gone = {1, 2, 3};
    _exit(store && (*store)->commit(batch) ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  REQUIRE(fs::file_size(file.string() + "-wal") > 0);

  const auto aside = restore(copy, file);
  REQUIRE_MESSAGE(aside, (aside ? "" : aside.error()));
  CHECK(check(file)->damages.empty());
  CHECK(contents(*opened(file)) == before);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(std::regex_match(aside->filename().string(), std::regex(R"(botel\.db\.replaced-\d{8}T\d{6})")));
  const auto old = check(*aside);
  REQUIRE(old);
  CHECK(old->damages.empty());
  CHECK(std::ranges::find(old->tables, "actors", &Checked::Table::name)->records == kRecords - 3);
  CHECK(fs::exists(copy));
}

TEST_CASE("restore: where there was no file there is one, and what is no store is not taken") {
  const TempFolder folder, elsewhere;
  const fs::path copy = filled(elsewhere), file = folder.path / kFile;
  folder.write("botel.db.restoring", "left by one that was interrupted");
  folder.write("botel.db-wal", "of a file that was taken away");
  const auto aside = restore(copy, file);
  REQUIRE_MESSAGE(aside, (aside ? "" : aside.error()));
  CHECK(aside->empty());
  const auto before = contents(*opened(copy));
  CHECK(contents(*opened(file)) == before);

  const fs::path other = elsewhere.write("other.db", std::string(5000, 'x'));
  CHECK(restore(other, file).error() == other.string() + " is not a database, or its beginning is overwritten");
  const fs::path empty = elsewhere.write("empty.db", "");
  CHECK(restore(empty, file).error() == empty.string() + " is empty, and no store of Botel");
  overwrite(copy, pages(copy, "states").at(3));
  CHECK(restore(copy, file).error().find("is damaged") != std::string::npos);
  CHECK(contents(*opened(file)) == before);
}

TEST_CASE("restore: what a killed host has begun does not come back in its place") {
  const TempFolder folder, elsewhere;
  const fs::path file = filled(folder), copy = elsewhere.path / "copy.db";
  REQUIRE(opened(copy)->commit(many(1)));
  fs::rename(filled(elsewhere), file.string() + ".next");
  CHECK(check(file).error() == file.string() + " is being replaced: the next start of the host finishes that");
  REQUIRE(restore(copy, file));
  CHECK_FALSE(fs::exists(file.string() + ".next"));
  CHECK(contents(*opened(file)) == contents(*opened(copy)));
}

TEST_CASE("restore: the new file is its owner's, whoever puts it there") {
  if (geteuid() != 0) return;
  const TempFolder folder, elsewhere;
  const fs::path file = filled(folder), copy = elsewhere.path / "copy.db";
  REQUIRE(back_up(file, copy));
  const auto owner_of = [](const fs::path& path) {
    struct stat found {};
    REQUIRE(stat(path.c_str(), &found) == 0);
    return found.st_uid;
  };
  REQUIRE(chown(file.c_str(), 65534, 65534) == 0);
  REQUIRE(restore(copy, file));
  CHECK(owner_of(file) == 65534);
  fs::remove(file);
  REQUIRE(chown(folder.path.c_str(), 65533, 65533) == 0);
  REQUIRE(restore(copy, file));
  CHECK(owner_of(file) == 65533);
}

TEST_CASE("restore: the old file and its log have a second name before the new one counts") {
  const TempFolder folder, elsewhere;
  const fs::path file = filled(folder), copy = elsewhere.path / "copy.db";
  REQUIRE(back_up(file, copy));
  folder.write("botel.db-wal", "what a crash has left");
  const NewNames names(folder.path);
  REQUIRE(restore(copy, file));
  const auto all = names.read();
  const auto at = [&](const std::string& name) { return std::ranges::find(all, name) - all.begin(); };
  CHECK(std::ranges::count(all, "botel.db.next") == 1);
  CHECK(at("botel.db.old") < at("botel.db.next"));
  CHECK(at("botel.db.old-wal") < at("botel.db.next"));
}

TEST_CASE("restore: who is killed meanwhile loses neither the old file nor the new one") {
  const TempFolder folder, elsewhere;
  const fs::path file = filled(folder), copy = elsewhere.path / "copy.db", old = file.string() + ".old";
  REQUIRE(opened(copy)->commit(many(1)));
  const auto ours = contents(*opened(file)), others = contents(*opened(copy));
  fs::create_hard_link(file, old);
  SUBCASE("before the new one counts") { CHECK(contents(*opened(file)) == ours); }
  SUBCASE("after that") {
    fs::copy_file(copy, file.string() + ".next");
    CHECK(contents(*opened(file)) == others);
    fs::path aside;
    for (const auto& entry : fs::directory_iterator(folder.path)) {
      if (entry.path().filename().string().starts_with("botel.db.replaced-")) aside = entry.path();
    }
    CHECK(contents(*opened(aside)) == ours);
  }
  CHECK_FALSE(fs::exists(old));
}

TEST_CASE("restore: where the old file cannot be kept it stays") {
  const TempFolder folder, elsewhere;
  const fs::path file = filled(folder), copy = elsewhere.path / "copy.db";
  REQUIRE(opened(copy)->commit(many(1)));
  // Each name of the next seconds is taken.
  for (int i = 0; i < 10; ++i) {
    folder.write(fmt::format("botel.db.replaced-{:%Y%m%dT%H%M%S}", fmt::gmtime(std::time(nullptr) + i)), "mine");
  }
  const auto done = restore(copy, file);
  REQUIRE_FALSE(done);
  CHECK(done.error().ends_with(" is there already"));
  CHECK(std::ranges::find(check(file)->tables, "actors", &Checked::Table::name)->records == kRecords);
  CHECK_FALSE(fs::exists(file.string() + ".next"));
  CHECK_FALSE(fs::exists(file.string() + ".restoring"));
}
