#include "harness/wrong_clock.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace harness {
namespace {

using Seconds = std::atomic<std::int64_t>;

void* map(const std::filesystem::path& file) {
  write_file(file, std::string(sizeof(Seconds), '\0'));
  const int opened = open(file.c_str(), O_RDWR | O_CLOEXEC);
  void* const mapped = mmap(nullptr, sizeof(Seconds), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  close(opened);
  if (mapped == MAP_FAILED) throw std::runtime_error(file.string() + " cannot be mapped");
  return mapped;
}

}  // namespace

WrongClock::WrongClock(std::filesystem::path file) : file_(std::move(file)), mapped_(map(file_)) {}

WrongClock::~WrongClock() { munmap(mapped_, sizeof(Seconds)); }

void WrongClock::set(std::chrono::seconds ahead) { static_cast<Seconds*>(mapped_)->store(ahead.count()); }

void WrongClock::give_to(HostOptions& options) const {
  options.executable = BOTEL_SHIFTED;
  options.environment.push_back("BOTEL_CLOCK=" + file_.string());
}

}  // namespace harness
