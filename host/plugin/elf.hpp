// The bytes of an ELF file, read with bounds checks: it may be cut off, or made to harm.
#pragma once

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace botel::plugin::elf {

// All of a file of up to 512 MiB.
[[nodiscard]] Result<std::string> read(const std::filesystem::path& path);

// The T at `offset`, when all of it is there.
template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return {};
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Empty when not all of it is there.
[[nodiscard]] std::string_view part(std::string_view bytes, std::uint64_t offset, std::uint64_t size);

// The name of a symbol that the file defines for the whole process (STB_GNU_UNIQUE); empty when there is none, or it
// cannot be known.
[[nodiscard]] std::string unique_symbol(std::string_view file);

// Whether it was linked with -z nodelete.
[[nodiscard]] bool is_never_unloaded(std::string_view file);

}  // namespace botel::plugin::elf
