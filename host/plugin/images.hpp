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

// Of `wanted`, those for which this process has another file in memory that the linker would give out instead, and that
// one: it is known by its name to who needs it, and by its path to who opens it.
struct Clash {
  Image wanted, present;
};
enum class By { name, path };
[[nodiscard]] std::vector<Clash> clashes(const std::vector<Image>& wanted, By by = By::name);

// "fd:01:4242 /usr/lib/libz.so.1", and back.
[[nodiscard]] std::string to_text(const Image& image);
[[nodiscard]] std::optional<Image> read_image(std::string_view text);

}  // namespace botel::plugin
