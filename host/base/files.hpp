// Small files.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace botel {

// The first line of `file`, without its end; empty when there is none, or no file.
[[nodiscard]] inline std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

}  // namespace botel
