// `botel store` as main() runs it.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "app/data_folder.hpp"
#include "cli/commands.hpp"
#include "store/contents.hpp"
#include "store/pages.hpp"
#include "temp_folder.hpp"

using namespace botel;
using namespace botel::store;

namespace fs = std::filesystem;

namespace {

struct Ran {
  int code = 0;
  std::string out;
};

// Its exit code, and what it wrote on stdout.
Ran run(const std::string& command, const fs::path& data) {
  CLI::App app;
  cli::add_store(app);
  const TempFolder folder;
  std::fflush(stdout);
  const int before = dup(STDOUT_FILENO);
  const int out = open((folder.path / "out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  dup2(out, STDOUT_FILENO);
  Ran ran;
  try {
    app.parse("botel store " + command + " --data " + data.string(), true);
  } catch (const CLI::RuntimeError& result) {
    ran.code = result.get_exit_code();
  }
  std::fflush(stdout);
  dup2(before, STDOUT_FILENO);
  close(before);
  close(out);
  std::ostringstream text;
  text << std::ifstream(folder.path / "out").rdbuf();
  ran.out = text.str();
  return ran;
}

bool has(const Ran& ran, const std::string& text) { return ran.out.find(text) != std::string::npos; }

std::size_t files(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("botel store: without a store there is nothing to do, and nothing is made") {
  const TempFolder folder;
  for (const char* const command : {"check", "repair", "export"}) CHECK(run(command, folder.path / "none").code == 1);
  CHECK(run("backup " + (folder.path / "copy").string(), folder.path / "none").code == 1);
  CHECK(files(folder.path) == 0);
}

TEST_CASE("botel store: a file is checked, exported and repaired, but not repaired while a host runs") {
  const TempFolder folder;
  const fs::path file = folder.path / kFile;
  REQUIRE(opened(file)->commit(many(200)));
  {
    const auto host = app::DataFolder::open(folder.path);
    REQUIRE(host);
    const Ran checked = run("check", folder.path);
    CHECK(checked.code == 0);
    CHECK(has(checked, "  actors 200\n  states 200\n"));
    CHECK(has(checked, "\nno damage\n"));
    const Ran exported = run("export", folder.path);
    CHECK(exported.code == 0);
    CHECK(std::ranges::count(exported.out, '\n') == 200 * 5);
    const auto before = files(folder.path);
    CHECK(run("repair", folder.path).code == 1);
    CHECK(files(folder.path) == before);
  }
  const int page = pages(file, "states").back();
  overwrite(file, page);
  const Ran damaged = run("check", folder.path);
  CHECK(damaged.code == 1);
  CHECK(has(damaged, fmt::format("\ndamaged: Page {}: ", page)));

  const Ran repaired = run("repair", folder.path);
  CHECK(repaired.code == 0);
  CHECK(has(repaired, "actors 200\n"));
  CHECK(has(repaired, ", others could not be read\n"));
  CHECK(has(repaired, fmt::format("saved in {}; the old file is {}.broken-", file.string(), file.string())));
  CHECK(run("check", folder.path).code == 0);
}

TEST_CASE("botel store: a copy is made while a host runs, once") {
  const TempFolder folder;
  REQUIRE(opened(folder.path / kFile)->commit(many(200)));
  const auto host = app::DataFolder::open(folder.path);
  const std::string copy = (folder.path / "copy.db").string();
  const Ran made = run("backup " + copy, folder.path);
  CHECK(made.code == 0);
  CHECK(has(made, "saved in " + copy));
  CHECK(contents(*opened(copy)) == contents(*opened(folder.path / kFile)));
  CHECK(run("backup " + copy, folder.path).code == 1);
  CHECK(run("restore " + copy, folder.path).code == 1);
}

TEST_CASE("botel store: a copy is put back while no host runs, also into a directory that is not there yet") {
  const TempFolder folder;
  const std::string copy = (folder.path / "copy.db").string();
  REQUIRE(opened(copy)->commit(many(200)));
  const fs::path data = folder.path / "data";
  Ran done = run("restore " + copy, data);
  CHECK(done.code == 0);
  CHECK(done.out == fmt::format("{} is as {} is\n", (data / kFile).string(), copy));
  CHECK(fs::status(data).permissions() == fs::perms::owner_all);
  CHECK(contents(*opened(data / kFile)) == contents(*opened(copy)));
  std::ofstream(data / "running") << "of the other";
  done = run("restore " + copy, data);
  CHECK(done.code == 0);
  CHECK(has(done, "; the old file is "));
  CHECK_FALSE(fs::exists(data / "running"));
  CHECK(run("restore " + copy + ".none", folder.path / "other").code == 1);
  CHECK_FALSE(fs::exists(folder.path / "other"));
}

TEST_CASE("botel store: it wants to know what to do") {
  CLI::App app;
  cli::add_store(app);
  CHECK_THROWS_AS(app.parse("botel store", true), CLI::ParseError);
  CHECK_THROWS_AS(app.parse("botel store heal", true), CLI::ParseError);
  for (const char* const command : {"backup", "restore"}) {
    CHECK_THROWS_AS(app.parse(fmt::format("botel store {}", command), true), CLI::ParseError);
  }
}
