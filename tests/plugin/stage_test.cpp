// Tests run as root in most places: what only root can set up is left out elsewhere.
#include "plugin/stage.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "plugin/candidate.hpp"
#include "plugin/zoo.hpp"

namespace fs = std::filesystem;
using botel::plugin::Candidate;
using botel::plugin::check_folder;
using botel::plugin::Staged;
using botel::plugin::Writers;

namespace {

constexpr auto kOthersMayWrite =
    "others may write to it: `chmod go-w` helps, or `plugins_writable_by_others = true` in [host] where it cannot be "
    "changed";

constexpr uid_t kNobody = 65534;

// Of a file or a folder.
void give_away(const fs::path& path) { REQUIRE(chown(path.c_str(), kNobody, kNobody) == 0); }

unsigned mode(const fs::path& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 07777;
}

botel::Result<Staged> make(const fs::path& file, const fs::path& copy) {
  auto staged = Staged::copy_of(file, copy);
  if (!staged) return staged;
  if (auto judged = staged->judge(); !judged) return tl::unexpected(judged.error());
  return staged;
}

std::string error_of(const fs::path& file, const fs::path& copy) {
  const auto staged = make(file, copy);
  return staged ? "" : staged.error();
}

std::string sha256sum(const fs::path& file, const TempFolder& folder) {
  const auto out = folder.path / "sum";
  REQUIRE(std::system(("sha256sum < '" + file.string() + "' > '" + out.string() + "'").c_str()) == 0);
  return zoo::read(out).substr(0, 64);
}

}  // namespace

TEST_CASE("stage: a plugins folder that others may write to is refused") {
  const TempFolder folder;
  for (const unsigned bits : {0755u, 0700u, 0555u, 0775u, 0757u, 0777u, 01777u, 0720u, 0702u}) {
    CAPTURE(bits);
    REQUIRE(chmod(folder.path.c_str(), bits) == 0);
    const auto checked = check_folder(folder.path);
    CHECK(checked.has_value() == ((bits & 022) == 0));
    if (!checked) {
      CHECK(checked.error() == "plugins folder " + folder.path.string() + ": " + kOthersMayWrite);
    }
    CHECK(check_folder(folder.path, Writers::any));
  }
}

TEST_CASE("stage: a plugins folder is a folder, and belongs to root or the host's user") {
  const TempFolder folder;
  CHECK(zoo::has(check_folder(folder.path / "missing").error(), "missing: No such file or directory"));
  CHECK(zoo::has(check_folder(folder.write("file", "some")).error(), "file: it is no folder"));
  CHECK(check_folder("/"));
  fs::create_directory_symlink(folder.path, folder.path / "link");
  CHECK(check_folder(folder.path / "link"));
  if (geteuid() != 0) return;
  give_away(folder.path);
  for (const std::string name : {"", "link"}) {
    CHECK(zoo::has(check_folder(folder.path / name).error(),
                   "it belongs to the user 65534, which is neither root nor the host's"));
    CHECK(check_folder(folder.path / name, Writers::any));
  }
}

TEST_CASE("stage: the folder for copies is empty, and its owner's alone, whatever was there") {
  const TempFolder folder;
  const auto cache = folder.path / "deep" / "cache";
  fs::create_directories(cache / "more");
  folder.write("deep/cache/old.so", "old");
  fs::permissions(cache, fs::perms::all);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(botel::plugin::make_cache(cache));
    CHECK(fs::is_empty(cache));
    CHECK(mode(cache) == 0700);
    fs::remove(cache);
  }
  const auto in_the_way = folder.write("file", "some");
  CHECK_FALSE(botel::plugin::make_cache(in_the_way / "cache"));
}

TEST_CASE("stage: a copy is what the file was, with its hash and its note") {
  const TempFolder folder;
  for (const std::string name : {"v1", "v2", "stripped", "sticky"}) {
    CAPTURE(name);
    const auto file = zoo::copy(folder, name), copy = folder.path / "copy";
    const auto staged = make(file, copy);
    REQUIRE(staged);
    CHECK(staged->copy() == copy);
    CHECK(zoo::read(copy) == zoo::read(zoo::file(name)));
    CHECK(mode(copy) == 0600);
    CHECK(fs::hard_link_count(copy) == 1);
    CHECK(staged->sha256() == sha256sum(file, folder));
    CHECK(staged->note().items.at(0).id == "zoo");
  }
}

TEST_CASE("stage: a copy does not change with its file") {
  const TempFolder folder;
  const auto file = zoo::copy(folder, "v1");
  const auto staged = make(file, folder.path / "copy");
  REQUIRE(staged);
  folder.write(file.filename(), std::string(1000, 'x'));
  CHECK(zoo::read(staged->copy()) == zoo::read(zoo::file("v1")));
  CHECK(staged->note().items.at(0).version == "1.0.0");
}

TEST_CASE("stage: a copy goes with its last owner, and stays when it is released") {
  const TempFolder folder;
  const auto copy = folder.path / "copy";
  std::optional<Staged> last;
  {
    auto made = make(zoo::file("v1"), copy);
    REQUIRE(made);
    const std::string hash = made->sha256();
    last.emplace(std::move(*made));
    CHECK(last->sha256() == hash);
    CHECK(last->copy() == copy);
  }
  CHECK(fs::exists(copy));
  last.reset();
  CHECK_FALSE(fs::exists(copy));
  last.emplace(std::move(*make(zoo::file("v1"), copy)));
  CHECK(last->release() == copy);
  last.reset();
  CHECK(fs::exists(copy));
}

TEST_CASE("stage: what is no plugin, or not to be trusted, is refused, and nothing is left of it") {
  const TempFolder folder;
  const auto make = [&](const std::string& name, unsigned bits) {
    const auto file = zoo::copy(folder, name);
    REQUIRE(chmod(file.c_str(), bits) == 0);
    return file;
  };
  const auto fifo = folder.path / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const auto huge = folder.write("huge", "");
  fs::resize_file(huge, (std::uintmax_t{512} << 20) + 1);
  const auto nowhere = folder.path / "nowhere";
  fs::create_symlink("missing", nowhere);
  std::vector<std::pair<fs::path, std::string>> cases = {
      {folder.path / "missing", "it cannot be read: No such file or directory"},
      {nowhere, "it cannot be read: No such file or directory"},
      {folder.path, "it is no regular file"},
      {fifo, "it is no regular file"},
      {"/dev/null", "it is no regular file"},
      {huge, "it is larger than 512 MiB"},
      {make("v1", 0664), kOthersMayWrite},
      {make("v1", 0646), kOthersMayWrite},
      {folder.write("text", "text"), "it is no ELF file"},
      {folder.write("empty", ""), "it is no ELF file"},
      {make("has-no-note", 0600), "it has no note of a Botel plugin"},
      {make("abi-major", 0600), "built for ABI 99, this host speaks 1"},
  };
  if (geteuid() == 0) {
    cases.emplace_back(make("v1", 0644),
                       "it belongs to the user 65534, which is neither root nor the host's; "
                       "`plugins_writable_by_others = true` in [host] trusts it");
    give_away(cases.back().first);
    fs::create_symlink(cases.back().first, folder.path / "to-another-s");
    cases.emplace_back(folder.path / "to-another-s", cases.back().second);
  }
  for (const auto& [file, error] : cases) {
    CAPTURE(file);
    CHECK(error_of(file, folder.path / "copy") == error);
    CHECK_FALSE(fs::exists(folder.path / "copy"));
  }
}

TEST_CASE("stage: a symbolic link stands for what it leads to") {
  const TempFolder folder;
  fs::create_symlink(zoo::file("v2"), folder.path / "link.so");
  const auto staged = make(folder.path / "link.so", folder.path / "copy");
  REQUIRE(staged);
  CHECK(fs::symlink_status(folder.path / "copy").type() == fs::file_type::regular);
  CHECK(staged->note().items.at(0).version == "2.0.0");
}

TEST_CASE("stage: what is at the copy's path already is neither used nor touched") {
  const TempFolder folder;
  const auto victim = folder.write("victim", "some");
  fs::create_symlink(victim, folder.path / "link");
  fs::create_directory(folder.path / "folder");
  for (const std::string name : {"victim", "link", "folder"}) {
    CAPTURE(name);
    const auto copy = folder.path / name;
    CHECK(zoo::has(error_of(zoo::file("v1"), copy), "it cannot be copied to " + copy.string() + ": File exists"));
    CHECK(fs::exists(fs::symlink_status(copy)));
    // Neither by a file that cannot be copied at all.
    CHECK(error_of(folder.path / "missing", copy) != "");
    CHECK(fs::exists(fs::symlink_status(copy)));
  }
  CHECK(zoo::read(victim) == "some");
  CHECK(zoo::has(error_of(zoo::file("v1"), folder.path / "missing" / "copy"), "No such file or directory"));
}

TEST_CASE("stage: a file that is written to all the time is copied as it was at one time, or not at all") {
  const TempFolder folder;
  const std::string one = zoo::read(zoo::file("v1")), two = zoo::read(zoo::file("v2"));
  const auto file = folder.write("x.so", one);
  std::atomic<bool> enough{false};
  std::thread writer([&] {
    // Renamed over it, as it must be: there is no moment without a whole file.
    for (bool turn = false; !enough; turn = !turn) {
      fs::rename(folder.write("next", turn ? one : two), file);
    }
  });
  for (int i = 0; i < 300; ++i) {
    const auto staged = make(file, folder.path / "copy");
    if (!staged) {
      CHECK(staged.error() == "it changes while it is being read");
      continue;
    }
    const std::string copied = zoo::read(staged->copy());
    CHECK((copied == one || copied == two));
  }
  enough = true;
  writer.join();
}

TEST_CASE("stage: only a file that is certainly not in its folder is gone") {
  const TempFolder folder;
  const auto plugins = folder.path / "plugins";
  fs::create_directory(plugins);
  const auto stage = [&](const fs::path& from, const char* name) {
    Candidate candidate({});
    candidate.stage(from, from / name, folder.path / "copy", botel::plugin::Writers::ours);
    return candidate.gone ? "gone" : candidate.error;
  };
  fs::copy_file(zoo::file("v1"), plugins / "v1.so");
  fs::create_symlink("nowhere", plugins / "link.so");
  CHECK(stage(plugins, "v1.so") == "");
  CHECK(stage(plugins, "missing.so") == "gone");
  CHECK(zoo::has(stage(plugins, "link.so"), "it cannot be read: No such file or directory"));
  fs::create_symlink("loop.so", plugins / "loop.so");
  CHECK(zoo::has(stage(plugins, "loop.so"), "Too many levels of symbolic links"));
  // Such as one that is not mounted now.
  CHECK(zoo::has(stage(folder.path / "missing", "v1.so"), "missing: No such file or directory"));
  fs::permissions(plugins, fs::perms::others_write, fs::perm_options::add);
  CHECK(zoo::has(stage(plugins, "v1.so"), "others may write to it"));
}
