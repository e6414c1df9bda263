#include "plugin/inspect.hpp"

#include <botel/abi.h>
#include <doctest/doctest.h>
#include <botel/plugin.hpp>

#include <cstring>
#include <random>

#include "plugin/elf.hpp"
#include "plugin/zoo.hpp"

namespace fs = std::filesystem;
using botel::plugin::inspect;
using botel::plugin::Item;
using zoo::read;
using zoo::replaced;

namespace {

std::string error_of(const fs::path& file) {
  const auto note = inspect(file);
  return note ? "" : note.error();
}

// The start of a note, as it stands in a file: its owner, the ABI, the number of items.
std::string head(std::uint32_t major, std::uint32_t minor, std::uint32_t count = 1) {
  std::string bytes("Botel\0\0\0", 8);
  for (const std::uint32_t number : {major, minor, count})
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  return bytes;
}

template <class T>
std::string with(std::string bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

// `bytes` with another first item of the note.
template <class Change>
std::string with_item(std::string bytes, Change change) {
  const auto at = bytes.find(head(1, 0));
  REQUIRE(at != std::string::npos);
  botel_note_item item;
  std::memcpy(&item, bytes.data() + at + head(1, 0).size(), sizeof item);
  change(item);
  return with(std::move(bytes), at + head(1, 0).size(), item);
}

}  // namespace

TEST_CASE("inspect: a note tells what is in a file, whether it was written in C or in C++") {
  const auto echo = inspect(ECHO_PLUGIN);
  REQUIRE(echo);
  CHECK(echo->abi_major == BOTEL_ABI_MAJOR);
  CHECK(echo->abi_minor == BOTEL_ABI_MINOR);
  CHECK(echo->items == std::vector{Item{BOTEL_BOT, "echo", "1.0.0", 1, 1}});
  const auto sandwich = inspect(SANDWICH_PLUGIN);
  REQUIRE(sandwich);
  CHECK(sandwich->items.at(0).id == "sandwich");
}

TEST_CASE("inspect: the zoo is told by its notes, whatever its code does") {
  const Item v1{BOTEL_BOT, "zoo", "1.0.0", 1, 1}, v2{BOTEL_BOT, "zoo", "2.0.0", 1, 1};
  struct Case {
    std::string name;
    std::vector<Item> items;
  };
  const Case cases[] = {
      {"v1", {v1}},
      {"stripped", {v2}},
      {"writes-2", {{BOTEL_BOT, "zoo", "2.0.0", 2, 1}}},
      {"reads-2-only", {{BOTEL_BOT, "zoo", "2.0.0", 2, 2}}},
      {"two-bots", {v1, {BOTEL_BOT, "zoo-two", "1.0.0", 1, 1}}},
      {"other-note", {{BOTEL_BOT, "somebody-else", "1.0.0", 1, 1}}},
      {"has-no-entry", {v1}},
      {"lacks-a-symbol", {v1}},
      {"crashes-when-loaded", {v1}},
      {"throws", {v2}},
  };
  for (const auto& [name, items] : cases) {
    CAPTURE(name);
    const auto note = inspect(zoo::file(name));
    REQUIRE(note);
    CHECK(note->items == items);
  }
  CHECK(error_of(zoo::file("abi-major")) == "built for ABI 99, this host speaks 1");
  CHECK(error_of(zoo::file("abi-minor")) == "built for ABI 1.7, this host speaks 1.0");
  CHECK(error_of(zoo::file("has-no-note")) == "it has no note of a Botel plugin");
}

TEST_CASE("inspect: a file that is no plugin is refused with a reason") {
  const TempFolder folder;
  CHECK(error_of(folder.path) == "it is no regular file");
  CHECK(error_of(folder.path / "missing.so") == "it is no regular file");
  CHECK(error_of(folder.write("empty.so", "")) == "it is no ELF file");
  CHECK(error_of(folder.write("text.so", "#!/bin/sh\necho hello\n")) == "it is no ELF file");
  CHECK(error_of("/proc/self/exe") != "");
  const std::string echo = read(ECHO_PLUGIN);
  struct Case {
    std::string bytes, error;
  };
  const Case cases[] = {
      {echo.substr(0, 2000), "it is cut off"},
      {echo.substr(0, 70), "it is cut off"},
      {echo.substr(0, 63), "it is no ELF file"},
      {replaced(echo, "Botel", "Other"), "it has no note of a Botel plugin"},
      {replaced(echo, head(1, 0), head(2, 0)), "built for ABI 2, this host speaks 1"},
      {replaced(echo, head(1, 0), head(0, 0)), "built for ABI 0, this host speaks 1"},
      {replaced(echo, head(1, 0), head(1, 7)), "built for ABI 1.7, this host speaks 1.0"},
      {replaced(echo, head(1, 0), head(1, 0, 0)), "its note lists 0 bots"},
      {replaced(echo, head(1, 0), head(1, 0, 2)), "its note is cut off"},
      {replaced(echo, head(1, 0), head(1, 0, 1000)), "its note is cut off"},
      {replaced(echo, head(1, 0), head(1, 0, 0xFFFFFFFF)), "its note lists 4294967295 bots"},
      {with(echo, EI_CLASS, static_cast<char>(ELFCLASS32)), "it is built for another kind of machine"},
      {with(echo, EI_DATA, static_cast<char>(ELFDATA2MSB)), "it is built for another kind of machine"},
      {with(echo, offsetof(Elf64_Ehdr, e_machine), std::uint16_t{EM_386}), "it is built for another kind of machine"},
      {with(echo, offsetof(Elf64_Ehdr, e_type), std::uint16_t{ET_REL}), "it is no shared library"},
      {with(echo, offsetof(Elf64_Ehdr, e_phoff), ~std::uint64_t{0}), "it is cut off"},
      {with(echo, offsetof(Elf64_Ehdr, e_phoff), ~std::uint64_t{0} - 55), "it is cut off"},
      {with(echo, offsetof(Elf64_Ehdr, e_phnum), std::uint16_t{0}), "it has no note of a Botel plugin"},
      {with(echo, offsetof(Elf64_Ehdr, e_phnum), std::uint16_t{0xFFFF}), "it has 65535 segments"},
  };
  for (const auto& [bytes, error] : cases) CHECK(error_of(folder.write("bad.so", bytes)) == error);
}

TEST_CASE("inspect: what a note says of an item must be able to be true") {
  const TempFolder folder;
  const std::string echo = read(ECHO_PLUGIN);
  const auto error = [&](auto change) { return error_of(folder.write("changed.so", with_item(echo, change))); };
  const auto id = [&](std::string_view text) {
    return error([&](botel_note_item& item) {
      std::memset(item.id, 0, sizeof item.id);
      std::memcpy(item.id, text.data(), text.size());
    });
  };
  const auto version = [&](std::string_view text) {
    return error([&](botel_note_item& item) {
      std::memset(item.version, 0, sizeof item.version);
      std::memcpy(item.version, text.data(), text.size());
    });
  };
  // BOTEL_PLUGIN compiles what the host takes.
  for (const auto& good : {std::string("a"), std::string("-_09az"), std::string(51, 'x')}) {
    CHECK(id(good) == "");
    CHECK(botel::detail::is_id(good));
  }
  for (const auto& bad : {std::string(), std::string("Echo"), std::string("e/ho"), std::string("e ho"),
                          std::string("../x"), std::string("\xc3\xa4"), std::string(52, 'x')}) {
    CAPTURE(bad);
    CHECK(id(bad).starts_with("its note has the id '"));
    CHECK_FALSE(botel::detail::is_id(bad));
  }
  CHECK(id("Echo") == "its note has the id 'Echo': an id is 1 to 51 of the characters a-z, 0-9, _ and -");
  for (const auto& good : {std::string(), std::string("1.0.0-rc.1+linux \xc3\xa4"), std::string(31, '1')})
    CHECK(version(good) == "");
  for (const auto& bad : {std::string("1\n2"), std::string("\x1b[2J"), std::string("\xff"), std::string(32, '1')}) {
    CAPTURE(bad);
    CHECK(version(bad).starts_with("its note has the version '"));
  }
  const auto schemas = [&](std::uint32_t written, std::uint32_t oldest) {
    return error([&](botel_note_item& item) {
      item.schema_written = written;
      item.schema_oldest = oldest;
    });
  };
  CHECK(schemas(7, 7) == "");
  CHECK(schemas(7, 1) == "");
  for (const auto& [written, oldest] : {std::pair{0u, 0u}, {1u, 0u}, {0u, 1u}, {1u, 2u}})
    CHECK(schemas(written, oldest) == "its note has schemas that are none: it writes " + std::to_string(written) +
                                          ", and reads from " + std::to_string(oldest) + " on");
  const std::string twice = replaced(read(zoo::file("two-bots")), "zoo-two", std::string("zoo\0\0\0\0", 7));
  CHECK(error_of(folder.write("twice.so", twice)) == "its note has zoo twice");
}

TEST_CASE("inspect: a file that was changed or cut anywhere never harms") {
  const TempFolder folder;
  const std::string v1 = read(zoo::file("v1")), unique = read(zoo::file("unique"));
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string changed = i % 2 ? v1 : unique;
    // Where the headers and the note are, mostly.
    for (int k = 0; k < 4; ++k) changed[random() % (k < 2 ? 1024 : changed.size())] = static_cast<char>(random());
    if (i % 3 == 0) changed.resize(random() % changed.size());
    const auto note = inspect(folder.write("changed.so", changed));
    CHECK((note ? !note->items.empty() : !note.error().empty()));
    // What it is asked when it stays in memory.
    CHECK(botel::plugin::elf::unique_symbol(changed).size() <= changed.size());
    [[maybe_unused]] const bool never = botel::plugin::elf::is_never_unloaded(changed);
  }
}
