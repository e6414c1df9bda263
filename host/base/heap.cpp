#include "base/heap.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace botel {
namespace {

constexpr std::size_t kWorthwhile = 16 << 20;  // bytes
constexpr std::chrono::seconds kPause{60};

std::size_t free(const HeapUse& use) { return use.resident > use.used ? use.resident - use.used : 0; }

HeapUse measure() {
  std::size_t all = 0, resident = 0, shared = 0;  // pages
  std::ifstream("/proc/self/statm") >> all >> resident >> shared;
  const auto info = mallinfo2();
  return {(resident - std::min(shared, resident)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)),
          info.uordblks + info.hblkhd};
}

}  // namespace

bool HeapRule::is_due(const HeapUse& use, SteadyTime now) {
  kept_ = std::min(kept_, free(use));
  return free(use) > kWorthwhile && (free(use) > kept_ + kWorthwhile || now >= again_);
}

void HeapRule::given_back(const HeapUse& left, SteadyTime now) {
  kept_ = free(left);
  again_ = now + kPause;
}

void HeapTidier::tidy(SteadyTime now) {
  if (!rule_.is_due(measure(), now)) return;
  malloc_trim(0);
  rule_.given_back(measure(), now);
}

}  // namespace botel
