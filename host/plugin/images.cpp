#include "plugin/images.hpp"

#include <link.h>

#include <algorithm>
#include <cstdint>
#include <sstream>

#include "base/files.hpp"

namespace botel::plugin {
namespace {

namespace fs = std::filesystem;

// A piece of memory that has its contents from a file.
struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  std::string file;
};

// "7f00-7f80 r--p 00000000 fd:01 4242    /usr/lib/libz.so.1"
std::optional<Mapping> read_mapping(const std::string& line) {
  std::istringstream words(line);
  Mapping mapping;
  char dash = 0;
  std::string rights, offset, device, inode;
  words >> std::hex >> mapping.begin >> dash >> mapping.end >> rights >> offset >> device >> inode;
  if (!words || inode == "0") return {};
  mapping.file = device + ":" + inode;
  return mapping;
}

std::vector<Mapping> mappings() {
  std::vector<Mapping> all;
  std::istringstream lines(read_whole("/proc/self/maps"));
  for (std::string line; std::getline(lines, line);) {
    if (auto mapping = read_mapping(line)) all.push_back(std::move(*mapping));
  }
  return all;
}

struct Place {
  std::uintptr_t begin;
  fs::path path;
};

// Where each library begins.
std::vector<Place> places() {
  std::vector<Place> all;
  dl_iterate_phdr(
      [](dl_phdr_info* image, std::size_t, void* all) {
        const auto* const end = image->dlpi_phdr + image->dlpi_phnum;
        const auto* const first =
            std::find_if(image->dlpi_phdr, end, [](const auto& segment) { return segment.p_type == PT_LOAD; });
        if (first != end)
          static_cast<std::vector<Place>*>(all)->push_back({image->dlpi_addr + first->p_vaddr, image->dlpi_name});
        return 0;
      },
      &all);
  return all;
}

}  // namespace

std::vector<Image> images() {
  std::vector<Image> all;
  const auto mapped = mappings();
  for (const auto& [begin, path] : places()) {
    const auto found = std::ranges::find_if(
        mapped, [begin = begin](const Mapping& mapping) { return mapping.begin <= begin && begin < mapping.end; });
    if (!path.empty() && found != mapped.end()) all.push_back({found->file, path});
  }
  return all;
}

std::vector<Clash> clashes(const std::vector<Image>& wanted, By by) {
  std::vector<Clash> all;
  const auto present = images();
  for (const Image& one : wanted) {
    const auto same = [&](const Image& other) {
      return by == By::path ? one.path == other.path : one.path.filename() == other.path.filename();
    };
    const auto found = std::ranges::find_if(present, same);
    if (found != present.end() && found->file != one.file) all.push_back({one, *found});
  }
  return all;
}

std::string to_text(const Image& image) { return image.file + " " + image.path.string(); }

std::optional<Image> read_image(std::string_view text) {
  const auto space = text.find(' ');
  if (space == std::string_view::npos) return {};
  return Image{std::string(text.substr(0, space)), text.substr(space + 1)};
}

}  // namespace botel::plugin
