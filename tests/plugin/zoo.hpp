// The files of tests/zoo.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "temp_folder.hpp"

namespace zoo {

inline std::filesystem::path file(const std::string& name) { return std::filesystem::path(ZOO) / (name + ".so"); }

// A copy of one, at a path of its own.
inline std::filesystem::path copy(const TempFolder& folder, const std::string& name) {
  static int copies = 0;
  const auto to = folder.path / (name + "." + std::to_string(++copies) + ".so");
  REQUIRE(std::filesystem::copy_file(file(name), to));
  return to;
}

inline std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

// `bytes` with every `from` replaced; both of one size.
inline std::string replaced(std::string bytes, std::string_view from, std::string_view to) {
  REQUIRE(from.size() == to.size());
  REQUIRE(bytes.find(from) != std::string::npos);
  for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + to.size()))
    bytes.replace(at, to.size(), to);
  return bytes;
}

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace zoo
