// Judges a plugin by its ELF note, without running any of its code. A note stops accidents, not malice.
#pragma once

#include <botel/abi.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace botel::plugin {

// One bot or connector, as the note describes it.
struct Item {
  std::int32_t kind = 0;
  std::string id;
  std::string version;
  std::uint32_t schema_written = 0;
  std::uint32_t schema_oldest = 0;

  [[nodiscard]] std::string_view kind_name() const {
    return kind == BOTEL_BOT ? "bot" : kind == BOTEL_CONNECTOR ? "connector" : "unknown";
  }
  bool operator==(const Item&) const = default;
};

struct Note {
  std::uint32_t abi_major = 0, abi_minor = 0;
  std::vector<Item> items;  // at least one
};

// "echo 1.0.0, parrot 2.1.0"
[[nodiscard]] std::string describe(const Note& note);
// "2 rooms", or where only connectors are in it, "1 connector"
[[nodiscard]] std::string counted_actors(std::size_t number, const Note& note);

// What is in the file, or why this host cannot load it.
[[nodiscard]] Result<Note> inspect(const std::filesystem::path& file);

}  // namespace botel::plugin
