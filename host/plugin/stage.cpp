#include "plugin/stage.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include <fmt/ranges.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "base/writers.hpp"

namespace botel::plugin {
namespace {

namespace fs = std::filesystem;

constexpr off_t kLargestFile = off_t{512} << 20;

std::string describe(int error) { return std::strerror(error); }

constexpr auto kSetting = "plugins_writable_by_others";

Result<> check(const struct stat& found, Writers allowed) {
  return allowed == Writers::any ? Result<>() : check_writers(found, kSetting);
}

bool same(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string hex() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return fmt::format("{:02x}", fmt::join(digest, ""));
  }

 private:
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

// A file to be copied, as it was found.
struct Source {
  Descriptor in;
  struct stat found {};
};

Result<Source> open_source(const fs::path& file, Writers allowed) {
  Source source{Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK))};
  struct stat& found = source.found;
  if (!source.in.is_open() || fstat(source.in.get(), &found) != 0) {
    return failure("it cannot be read: {}", describe(errno));
  }
  if (!S_ISREG(found.st_mode)) return failure("it is no regular file");
  if (found.st_size > kLargestFile) return failure("it is larger than 512 MiB");
  if (auto trusted = check(found, allowed); !trusted) return tl::unexpected(trusted.error());
  return source;
}

bool write_all(const Descriptor& out, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(out.get(), bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Returns the hash of what was copied.
Result<std::string> copy_bytes(const Descriptor& in, const Descriptor& out) {
  Sha256 hash;
  std::array<char, 1 << 16> buffer{};
  for (;;) {
    const ssize_t size = ::read(in.get(), buffer.data(), buffer.size());
    if (size < 0) return failure("it cannot be read: {}", describe(errno));
    if (size == 0) return hash.hex();
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
    hash.add(bytes);
    if (!write_all(out, bytes)) return failure("it cannot be copied: {}", describe(errno));
  }
}

}  // namespace

Result<> check_folder(const fs::path& folder, Writers allowed) {
  struct stat found {};
  if (stat(folder.c_str(), &found) != 0) return failure("plugins folder {}: {}", folder.string(), describe(errno));
  if (!S_ISDIR(found.st_mode)) return failure("plugins folder {}: it is no folder", folder.string());
  if (auto trusted = check(found, allowed); !trusted) {
    return failure("plugins folder {}: {}", folder.string(), trusted.error());
  }
  return {};
}

Result<> check_name(std::string_view name) {
  if (name.ends_with(".so") && !name.starts_with('.') && clean(name) == name) return {};
  return failure("a file of this name is ignored: that of a plugin ends in .so, and does not begin with a dot");
}

Result<> make_cache(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (!error) fs::create_directories(folder.parent_path(), error);
  if (error) return failure("{}: {}", folder.string(), error.message());
  // It is made here, and is no folder or link of somebody else's who was quicker.
  if (mkdir(folder.c_str(), 0700) != 0) return failure("{}: {}", folder.string(), describe(errno));
  struct statvfs system {};
  if (statvfs(folder.c_str(), &system) == 0 && system.f_flag & ST_NOEXEC) {
    return failure(
        "{}: no plugin can be loaded from there, as its file system is mounted noexec: `plugin_copies` in [host] names "
        "another folder",
        folder.string());
  }
  return {};
}

Result<Staged> Staged::copy_of(const fs::path& file, const fs::path& to, Writers allowed) {
  const auto source = open_source(file, allowed);
  if (!source) return tl::unexpected(source.error());
  const Descriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out.is_open()) return failure("it cannot be copied to {}: {}", to.string(), describe(errno));
  Staged staged(to);
  auto hash = copy_bytes(source->in, out);
  if (!hash) return tl::unexpected(hash.error());
  struct stat after {};
  if (stat(file.c_str(), &after) != 0 || !same(source->found, after)) {
    return failure("it changes while it is being read");
  }
  staged.sha256_ = std::move(*hash);
  return staged;
}

// The copy is what is judged, as the file may change at any moment.
Result<> Staged::judge() {
  auto note = inspect(copy_);
  if (!note) return tl::unexpected(note.error());
  note_ = std::move(*note);
  return {};
}

Staged::~Staged() {
  std::error_code ignored;
  if (!copy_.empty()) fs::remove(copy_, ignored);
}

Staged::Staged(Staged&& other) noexcept
    : copy_(std::exchange(other.copy_, {})), sha256_(std::move(other.sha256_)), note_(std::move(other.note_)) {}

fs::path Staged::release() { return std::exchange(copy_, {}); }

}  // namespace botel::plugin
