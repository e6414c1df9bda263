#include "plugin/inspect.hpp"

#include <botel/abi.h>
#include <doctest/doctest.h>

#include <fstream>
#include <random>

#include "plugin/library.hpp"
#include "temp_folder.hpp"

namespace fs = std::filesystem;
using botel::plugin::inspect;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

// `bytes` with every `from` replaced; both of one size.
std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + to.size()))
    bytes.replace(at, to.size(), to);
  return bytes;
}

std::string error_of(const fs::path& file) {
  const auto items = inspect(file);
  return items ? "" : items.error();
}

// The start of a note's body, as it stands in a file.
std::string abi(std::uint32_t major, std::uint32_t minor) {
  std::string bytes("Botel\0\0\0", 8);
  for (const std::uint32_t number : {major, minor}) bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  return bytes;
}

}  // namespace

TEST_CASE("plugin: a note tells what is in a file, whether it was written in C or in C++") {
  const auto echo = inspect(ECHO_PLUGIN);
  REQUIRE(echo);
  REQUIRE(echo->size() == 1);
  CHECK(echo->front() == botel::plugin::Item{BOTEL_BOT, "echo", "1.0.0", 1, 1});
  const auto sandwich = inspect(SANDWICH_PLUGIN);
  REQUIRE(sandwich);
  CHECK(sandwich->front().id == "sandwich");
}

TEST_CASE("plugin: a file that is no plugin is refused with a reason") {
  const TempFolder folder;
  CHECK(error_of(folder.path) == "it is no regular file");
  CHECK(error_of(folder.path / "missing.so") == "it is no regular file");
  CHECK(error_of(folder.write("empty.so", "")) == "it is no ELF file");
  CHECK(error_of(folder.write("text.so", "#!/bin/sh\necho hello\n")) == "it is no ELF file");
  CHECK(error_of("/proc/self/exe").find("note") != std::string::npos);

  const std::string echo = read(ECHO_PLUGIN);
  CHECK(error_of(folder.write("cut.so", echo.substr(0, 2000))) == "it is cut off");
  CHECK(error_of(folder.write("head.so", echo.substr(0, 70))) == "it is cut off");
  CHECK(error_of(folder.write("none.so", replaced(echo, "Botel", "Other"))) == "it has no note of a Botel plugin");
  CHECK(error_of(folder.write("major.so", replaced(echo, abi(1, 0), abi(2, 0)))) ==
        "built for ABI 2, this host speaks 1");
  CHECK(error_of(folder.write("minor.so", replaced(echo, abi(1, 0), abi(1, 7)))) ==
        "built for ABI 1.7, this host speaks 1.0");
  CHECK(error_of(folder.write("id.so", replaced(echo, "echo", "e/ho"))) == "its note has an id that is none");
  std::string machine = echo;
  machine[18] = 3;
  CHECK(error_of(folder.write("machine.so", machine)) == "it is built for another kind of machine");
}

TEST_CASE("plugin: inspecting a file that was changed anywhere never crashes") {
  const TempFolder folder;
  const std::string echo = read(ECHO_PLUGIN);
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string changed = echo;
    // Where the headers and the note are, mostly.
    for (int k = 0; k < 4; ++k) changed[random() % (k < 2 ? 1024 : changed.size())] = static_cast<char>(random());
    if (i % 3 == 0) changed.resize(random() % changed.size());
    const auto items = inspect(folder.write("changed.so", changed));
    CHECK((items || !items.error().empty()));
  }
}

TEST_CASE("plugin: a folder's plugins are loaded from copies, the bad ones are left out") {
  const TempFolder folder;
  fs::create_directory(folder.path / "plugins");
  fs::copy(ECHO_PLUGIN, folder.path / "plugins" / "echo.so");
  fs::copy(ECHO_PLUGIN, folder.path / "plugins" / "echo-again.so");
  fs::copy(SANDWICH_PLUGIN, folder.path / "plugins" / "sandwich.so");
  fs::copy(SANDWICH_PLUGIN, folder.path / "plugins" / ".hidden.so");
  folder.write("plugins/bad.so", "bad");
  folder.write("plugins/readme.txt", "no plugin");
  fs::create_directory(folder.path / "plugins" / "folder.so");
  {
    auto offers = botel::plugin::load_all(folder.path / "plugins", folder.path / "cache");
    REQUIRE(offers);
    REQUIRE(offers->size() == 2);
    CHECK(offers->at(0).descriptor->id == std::string("echo"));
    CHECK(offers->at(0).file.filename() == "echo-again.so");
    CHECK(offers->at(1).descriptor->id == std::string("sandwich"));
    // Overwriting the file in place does not touch what is loaded.
    folder.write("plugins/sandwich.so", std::string(1000, 'x'));
    CHECK(offers->at(1).descriptor->version == std::string("1.0.0"));
    CHECK(std::distance(fs::directory_iterator(folder.path / "cache"), {}) == 2);
  }
  CHECK(fs::is_empty(folder.path / "cache"));
}

TEST_CASE("plugin: a note that belongs to another library is found out after loading") {
  const TempFolder folder;
  // The descriptor's id lies elsewhere than the note's: only one of them is changed.
  std::string changed = read(ECHO_PLUGIN);
  const auto note = changed.find(abi(1, 0));
  REQUIRE(note != std::string::npos);
  const auto id = changed.find("echo", note);
  changed.replace(id, 4, "ohce");
  const auto offers = botel::plugin::load(folder.write("changed.so", changed), folder.path);
  REQUIRE_FALSE(offers);
  CHECK(offers.error().find("is not the one of its note") != std::string::npos);
}

TEST_CASE("plugin: a folder that is not there is an error") {
  const TempFolder folder;
  CHECK_FALSE(botel::plugin::load_all(folder.path / "missing", folder.path / "cache"));
}
