#include "plugin/inspect.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "base/log.hpp"
#include "base/text.hpp"
#include "plugin/elf.hpp"

namespace botel::plugin {
namespace {

using elf::at;
using elf::part;

constexpr unsigned char kByteOrder = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr std::uint16_t kMachine = EM_RISCV;
#else
#error "inspect.cpp does not know the ELF machine of this platform"
#endif

constexpr std::uint32_t kMostItems = 1000;
constexpr std::uint16_t kMostSegments = 128;

std::uint64_t padded(std::uint64_t size) { return (size + 3) / 4 * 4; }

// The body of our note among those of one segment.
std::string_view find_note(std::string_view notes) {
  for (std::uint64_t offset = 0;;) {
    const auto head = at<Elf64_Nhdr>(notes, offset);
    if (!head) return {};
    const auto owner = part(notes, offset + sizeof *head, head->n_namesz);
    const auto body = part(notes, offset + sizeof *head + padded(head->n_namesz), head->n_descsz);
    if (head->n_type == BOTEL_NOTE_TYPE && owner == std::string_view(BOTEL_NOTE_OWNER, sizeof BOTEL_NOTE_OWNER)) {
      return body;
    }
    offset += sizeof *head + padded(head->n_namesz) + padded(head->n_descsz);
  }
}

Result<std::string_view> find_note_in_file(std::string_view file) {
  const auto header = at<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return failure("it is no ELF file");
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != kByteOrder ||
      header->e_machine != kMachine) {
    return failure("it is built for another kind of machine");
  }
  if (header->e_type != ET_DYN) return failure("it is no shared library");
  if (header->e_phnum > kMostSegments) return failure("it has {} segments", header->e_phnum);
  std::string_view note;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto segment = at<Elf64_Phdr>(file, header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return failure("it is cut off");
    if (segment->p_type != PT_NOTE && segment->p_type != PT_LOAD) continue;
    const auto bytes = part(file, segment->p_offset, segment->p_filesz);
    if (bytes.size() != segment->p_filesz) return failure("it is cut off");
    if (segment->p_type == PT_NOTE && note.empty()) note = find_note(bytes);
  }
  if (note.empty()) return failure("it has no note of a Botel plugin");
  return note;
}

template <std::size_t Size>
std::string text(const char (&chars)[Size]) {
  return {chars, strnlen(chars, Size)};
}

bool valid_id(std::string_view id) {
  return !id.empty() && id.size() < sizeof botel_note_item::id &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

bool valid_version(std::string_view version) {
  return version.size() < sizeof botel_note_item::version && clean(version) == version;
}

// Whether it can be true of a plugin.
Result<> check(const Item& item, const std::vector<Item>& before) {
  if (!valid_id(item.id)) {
    return failure("its note has the id '{}': an id is 1 to 51 of the characters a-z, 0-9, _ and -",
                   log::printable(item.id));
  }
  if (!valid_version(item.version)) {
    return failure("its note has the version '{}': a version is at most 31 bytes of text, without control characters",
                   log::printable(item.version));
  }
  if (item.schema_oldest == 0 || item.schema_oldest > item.schema_written) {
    return failure("its note has schemas that are none: it writes {}, and reads from {} on", item.schema_written,
                   item.schema_oldest);
  }
  if (std::ranges::count(before, item.id, &Item::id) > 0) return failure("its note has {} twice", item.id);
  return {};
}

Result<Note> decode_note(std::string_view note) {
  struct Head {
    std::uint32_t abi_major, abi_minor, count;
  };
  const auto head = at<Head>(note, 0);
  if (!head) return failure("its note is cut off");
  if (head->abi_major != BOTEL_ABI_MAJOR) {
    return failure("built for ABI {}, this host speaks {}", head->abi_major, BOTEL_ABI_MAJOR);
  }
  if (head->abi_minor > BOTEL_ABI_MINOR) {
    return failure("built for ABI {}.{}, this host speaks {}.{}", head->abi_major, head->abi_minor, BOTEL_ABI_MAJOR,
                   BOTEL_ABI_MINOR);
  }
  if (head->count == 0 || head->count > kMostItems) return failure("its note lists {} bots", head->count);
  Note found{head->abi_major, head->abi_minor, {}};
  for (std::uint64_t i = 0; i < head->count; ++i) {
    const auto item = at<botel_note_item>(note, sizeof(Head) + i * sizeof(botel_note_item));
    if (!item) return failure("its note is cut off");
    Item one{item->kind, text(item->id), text(item->version), item->schema_written, item->schema_oldest};
    if (auto checked = check(one, found.items); !checked) return tl::unexpected(checked.error());
    found.items.push_back(std::move(one));
  }
  return found;
}

}  // namespace

std::string describe(const Note& note) {
  std::string text;
  for (const Item& item : note.items) text += (text.empty() ? "" : ", ") + item.id + " " + item.version;
  return text;
}

std::string counted_actors(std::size_t number, const Note& note) {
  const bool is_connector = std::ranges::count(note.items, BOTEL_CONNECTOR, &Item::kind) == std::ssize(note.items);
  return counted(number, is_connector ? "connector" : "room");
}

Result<Note> inspect(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return failure("it is no regular file");
  const auto file = elf::read(path);
  if (!file) return tl::unexpected(file.error());
  const auto note = find_note_in_file(*file);
  if (!note) return tl::unexpected(note.error());
  return decode_note(*note);
}

}  // namespace botel::plugin
