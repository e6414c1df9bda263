// Small files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace botel {

// The first line of `file`, without its end; empty when there is none, or no file.
[[nodiscard]] std::string first_line(const std::filesystem::path& file);

// All of `file`; empty when it is, or cannot be read.
[[nodiscard]] std::string read_whole(const std::filesystem::path& file);

// Makes `file` (0600) what `text` is: all of it or nothing, also when the power is cut.
[[nodiscard]] Result<> write_whole(const std::filesystem::path& file, std::string_view text);

// Those that are there.
void remove_files(const std::vector<std::filesystem::path>& files);

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void close();

 private:
  int fd_;
};

}  // namespace botel
