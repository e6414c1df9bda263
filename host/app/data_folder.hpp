// The data directory: whose host this is, and where its broker is.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace botel::app {

// Holds the directory for one host as long as it lives, also when it is killed.
class DataFolder {
 public:
  // Makes the directory (0700) where it is missing. An error when another host has it, or when others may write to it
  // and that cannot be changed, unless they are trusted.
  static Result<std::unique_ptr<DataFolder>> open(const std::filesystem::path& path, bool others_are_trusted = false);
  ~DataFolder();
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // The file of the black box.
  [[nodiscard]] std::filesystem::path running() const { return path_ / "running"; }

  // What a broker calls this host: made up once, and the same ever since, so that it finds its session.
  [[nodiscard]] Result<std::string> client_id() const;
  [[nodiscard]] std::string known_client_id() const;  // empty: none
  [[nodiscard]] Result<> keep_client_id(const std::string& name) const;

  // The filters under which a session may get messages: those that are asked for now, and those of earlier runs.
  [[nodiscard]] std::vector<std::string> filters() const;
  [[nodiscard]] Result<> keep_filters(const std::vector<std::string>& filters) const;

  // Writes down the broker's URL for commands that speak to it; it is removed at the end.
  [[nodiscard]] Result<> announce(const std::string& broker) const;

  // The URL that the host of a directory has announced; nothing where none runs.
  [[nodiscard]] static std::optional<std::string> announced(const std::filesystem::path& path);

 private:
  DataFolder(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}
  const std::filesystem::path path_;
  const int lock_;
};

}  // namespace botel::app
