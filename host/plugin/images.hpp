// The libraries in memory of this process, and which files they are: the linker tells them apart by name only, so that
// one that was replaced on disk stays what it was for whoever needs it next.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace botel::plugin {

struct Image {
  std::string file;  // device and inode, as /proc/self/maps has them: "fd:01:4242"
  std::filesystem::path path;

  bool operator==(const Image&) const = default;
};

// Without the program itself. [any thread]
[[nodiscard]] std::vector<Image> images();

// Of `wanted`, those for which this process has another file of the same name in memory, and that one.
struct Clash {
  Image wanted, present;
};
[[nodiscard]] std::vector<Clash> clashes(const std::vector<Image>& wanted);

// "fd:01:4242 /usr/lib/libz.so.1", and back.
[[nodiscard]] std::string to_text(const Image& image);
[[nodiscard]] std::optional<Image> read_image(std::string_view text);

}  // namespace botel::plugin
