// The file of the black box.
#include "base/black_box_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/log.hpp"

namespace botel::black_box {
namespace {

namespace fs = std::filesystem;

constexpr std::array<char, 8> kMagic{'b', 'o', 't', 'e', 'l', 'b', 'b', '2'};  // the last one: version of the layout

struct alignas(256) Header {
  std::array<char, 8> magic;
  std::int64_t alive_ms;
  std::int32_t ended_well;  // 0: no
};

constexpr std::size_t kSize = 256;
static_assert(sizeof(Record) == kSize && sizeof(Header) == kSize);

constexpr std::size_t kFixed = 1 + BlackBox::kMostSuspects;  // records in front of those of the threads

bool sound(const Record& record) {
  const int signal = record.state - kEnded;
  const bool ended = signal >= 0 && (signal <= SIGRTMAX || signal == kLeft);
  return record.state == kFree || ((record.state == kRunning || ended) && record.length <= sizeof record.name);
}

// All of it; nothing where its size is not that of a box's.
std::vector<Record> read_records(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error || size % (2 * kSize) != 0) return {};
  const auto of_part = size / (2 * kSize);
  if (of_part < kFixed || of_part > kFixed + BlackBox::kMostThreads) return {};
  std::vector<Record> records(2 * of_part);
  std::ifstream file(path, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(records.data()), static_cast<std::streamsize>(size))) return {};
  return records;
}

Header header_of(std::span<const Record> part) {
  Header header{};
  std::memcpy(&header, part.data(), sizeof header);
  return header;
}

bool counts(const Header& header) { return header.magic == kMagic && header.alive_ms >= 0; }

// Nothing where it is damaged.
std::optional<Left> parse(std::span<const Record> records) {
  if (records.empty()) return {};
  auto part = records.first(records.size() / 2);
  const auto crash = records.last(records.size() / 2);
  const Header header = header_of(part), crash_header = header_of(crash);
  if (!counts(header)) return {};
  Left left;
  left.alive_ms = header.alive_ms;
  left.ended_well = header.ended_well != 0 && !counts(crash_header);
  if (counts(crash_header)) {
    part = crash;
    left.alive_ms = std::max(left.alive_ms, crash_header.alive_ms);
  }
  const auto places = part.subspan(1);
  if (!std::ranges::all_of(places, sound)) return {};
  const auto taken = [](const Record& record) { return record.state != kFree; };
  std::ranges::copy_if(places.first(BlackBox::kMostSuspects), std::back_inserter(left.suspects), taken);
  std::ranges::copy_if(places.subspan(BlackBox::kMostSuspects), std::back_inserter(left.tasks), taken);
  return left;
}

}  // namespace

Left read(const fs::path& path) {
  std::error_code error;
  const auto status = fs::symlink_status(path, error);
  if (!fs::exists(status)) return {};
  if (fs::is_regular_file(status)) {
    if (auto left = parse(read_records(path))) return std::move(*left);
  }
  log::warning("{} is damaged or of another version: what was running before is not known", path.string());
  return {};
}

Result<std::unique_ptr<File>> File::replace(const fs::path& path, std::size_t threads, std::span<const Record> suspects,
                                            std::int64_t alive_ms) {
  const std::string next = path.string() + ".new";
  const auto failed = [&path] { return failure("{} cannot be written: {}", path.string(), std::strerror(errno)); };
  unlink(next.c_str());
  const int descriptor = ::open(next.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed();
  std::unique_ptr<File> file(new File(descriptor, kFixed + threads));
  errno = posix_fallocate(descriptor, 0, static_cast<off_t>(2 * kSize * file->records_));
  if (errno != 0) return failed();
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    if (!file->write(Part::noted, i, suspects[i])) return failed();
  }
  if (!file->write_header(Part::noted, alive_ms) || rename(next.c_str(), path.c_str()) != 0) return failed();
  return file;
}

File::~File() { close(file_); }

bool File::write(Part part, std::size_t place, const Record& record) const noexcept {
  return write_record(part, 1 + place, &record);
}

bool File::write_header(Part part, std::int64_t alive_ms, bool ended_well) const noexcept {
  const Header header{kMagic, alive_ms, ended_well ? 1 : 0};
  return write_record(part, 0, &header);
}

bool File::write_record(Part part, std::size_t index, const void* record) const noexcept {
  const std::size_t before = index + (part == Part::crash ? records_ : 0);
  return pwrite(file_, record, kSize, static_cast<off_t>(before * kSize)) == static_cast<ssize_t>(kSize);
}

}  // namespace botel::black_box
