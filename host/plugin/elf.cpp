#include "plugin/elf.hpp"

#include <algorithm>
#include <fstream>
#include <vector>

namespace botel::plugin::elf {
namespace {

constexpr std::uintmax_t kLargestFile = std::uintmax_t{512} << 20;

// A table of them; what is cut off at its end is none.
template <class T>
std::vector<T> entries(std::string_view table) {
  std::vector<T> all(table.size() / sizeof(T));
  if (!all.empty()) std::memcpy(all.data(), table.data(), all.size() * sizeof(T));
  return all;
}

std::vector<Elf64_Shdr> sections(std::string_view file) {
  const auto header = at<Elf64_Ehdr>(file, 0);
  if (!header) return {};
  return entries<Elf64_Shdr>(part(file, header->e_shoff, std::uint64_t{header->e_shnum} * sizeof(Elf64_Shdr)));
}

std::string_view contents(std::string_view file, const Elf64_Shdr& section) {
  return part(file, section.sh_offset, section.sh_size);
}

std::string_view text(std::string_view strings, std::uint64_t offset) {
  strings = strings.substr(std::min<std::uint64_t>(offset, strings.size()));
  return strings.substr(0, strings.find('\0'));
}

}  // namespace

Result<std::string> read(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return failure("{}", error.message());
  if (size > kLargestFile) return failure("it is larger than 512 MiB");
  std::ifstream in(path, std::ios::binary);
  std::string bytes(size, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  if (!in) return failure("it cannot be read");
  return bytes;
}

std::string_view part(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) return {};
  return bytes.substr(offset, size);
}

std::string unique_symbol(std::string_view file) {
  const auto all = sections(file);
  for (const auto& section : all) {
    if (section.sh_type != SHT_DYNSYM || section.sh_link >= all.size()) continue;
    for (const auto& symbol : entries<Elf64_Sym>(contents(file, section))) {
      if (ELF64_ST_BIND(symbol.st_info) != STB_GNU_UNIQUE || symbol.st_shndx == SHN_UNDEF) continue;
      return std::string(text(contents(file, all[section.sh_link]), symbol.st_name));
    }
  }
  return "";
}

bool is_never_unloaded(std::string_view file) {
  for (const auto& section : sections(file)) {
    if (section.sh_type != SHT_DYNAMIC) continue;
    for (const auto& one : entries<Elf64_Dyn>(contents(file, section))) {
      if (one.d_tag == DT_FLAGS_1 && (one.d_un.d_val & DF_1_NODELETE)) return true;
    }
  }
  return false;
}

}  // namespace botel::plugin::elf
