// A disk that a test can fill: a tmpfs, mounted where only the test and its children see it, and gone with them.
#pragma once

#include <filesystem>
#include <string>

namespace chaos {

class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, int megabytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // Why there is none; empty when there is.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  // Until not a byte fits.
  void fill();
  void make_room();

 private:
  const std::filesystem::path folder_;
  std::string refusal_;
};

}  // namespace chaos
