// The file of the black box: what the last run has left in it, and how this one writes it.
//
// It has two parts of one form: what was noted from time to time, and what a crash noted, which counts more. So whoever
// writes the one need not mind who writes the other. A part is a header and a number of places; the first kMostSuspects
// places are for suspects, the others for the tasks of threads. All are records of 256 bytes, which is never on two
// pages: each is written to the disk as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "base/black_box.hpp"
#include "base/result.hpp"

namespace botel::black_box {

// States of a record.
constexpr std::int32_t kFree = 0;
constexpr std::int32_t kRunning = 1;  // a thread's task; a suspect that has not crashed
constexpr std::int32_t kEnded = 256;  // plus the signal that the task's thread got; 0: exit(), and
constexpr int kLeft = 255;            // it had not returned at a stop

// A suspect, or the task of a thread.
struct alignas(256) Record {
  std::uint64_t task;
  std::int32_t state;
  std::uint32_t crashes, ends;  // of a suspect
  std::uint32_t length;
  char name[256 - 24];
};

// What a run has left; no place is free.
struct Left {
  std::int64_t alive_ms = 0;  // 0: there was no sign of life
  bool ended_well = false;
  std::vector<Record> suspects, tasks;
};

// Nothing where there is no file, or where it is damaged.
[[nodiscard]] Left read(const std::filesystem::path& path);

enum class Part { noted, crash };

class File {
 public:
  // Replaces `path` at once: whoever is killed here leaves the old one, or the new one, which has `suspects` in its
  // first places. All room on the disk is taken now.
  [[nodiscard]] static Result<std::unique_ptr<File>> replace(const std::filesystem::path& path, std::size_t threads,
                                                             std::span<const Record> suspects, std::int64_t alive_ms);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // One call of pwrite(), which waits for a slow disk. Whether it went well. [any thread], also in a signal handler
  bool write(Part part, std::size_t place, const Record& record) const noexcept;
  // The part counts from here on.
  bool write_header(Part part, std::int64_t alive_ms, bool ended_well = false) const noexcept;  // as above

 private:
  File(int file, std::size_t records) : file_(file), records_(records) {}
  bool write_record(Part part, std::size_t index, const void* record) const noexcept;

  const int file_;
  const std::size_t records_;  // of a part
};

}  // namespace botel::black_box
