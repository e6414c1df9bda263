#include "base/black_box.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <new>
#include <tuple>

#include "base/log.hpp"
#include "base/text.hpp"

namespace botel {
namespace {

namespace fs = std::filesystem;
using Image = BlackBox::Image;
using Suspect = BlackBox::Suspect;

constexpr unsigned kCrashes = 2, kEnds = 5;  // that condemn
constexpr std::size_t kSignalStack = 64 << 10;
constexpr std::array<char, 8> kMagic{'b', 'o', 't', 'e', 'l', 'b', 'b', '1'};  // the last one: version of the layout

// States of a record.
constexpr std::int32_t kFree = 0;
constexpr std::int32_t kIdle = 1;     // a thread's, without a task
constexpr std::int32_t kRunning = 2;  // a thread's task; a suspect that has not crashed
constexpr std::int32_t kEnded = 256;  // plus the signal that the task's thread got; 0: exit()

// A thread and its task, or a suspect. Never on two pages, so that it is written to the disk as a whole.
struct alignas(256) Record {
  std::uint64_t task;
  std::int32_t state;           // set last and cleared first: what is half written does not count
  std::uint32_t crashes, ends;  // of a suspect
  std::uint32_t length;
  char name[256 - 24];
};
constexpr std::size_t kLongestNumber = sizeof "0xffffffff" - 1;

}  // namespace

struct BlackBox::Image {
  std::array<char, 8> magic;
  std::int64_t alive_ms;
  std::array<Record, kMostSuspects> suspects;
  std::array<Record, kMostThreads> threads;
};

namespace {

std::atomic_ref<std::int32_t> state(Record& record) { return std::atomic_ref(record.state); }

bool sound(const Record& record) {
  const bool ended = record.state >= kEnded && record.state <= kEnded + SIGRTMAX;
  return record.state == kFree || record.state == kIdle ||
         ((record.state == kRunning || ended) && record.length <= sizeof record.name);
}

// What the last run left; an empty image where there is nothing sound.
std::unique_ptr<Image> read(const fs::path& file) {
  auto image = std::make_unique<Image>();
  std::error_code error;
  const auto status = fs::symlink_status(file, error);
  if (!fs::exists(status)) return image;
  if (fs::is_regular_file(status) && fs::file_size(file, error) == sizeof(Image)) {
    std::ifstream(file, std::ios::binary).read(reinterpret_cast<char*>(image.get()), sizeof(Image));
    if (image->magic == kMagic && image->alive_ms >= 0 && std::ranges::all_of(image->suspects, sound) &&
        std::ranges::all_of(image->threads, sound)) {
      return image;
    }
  }
  log::warning("{} is damaged or of another version: what was running before is not known", file.string());
  return std::make_unique<Image>();
}

Suspect suspect_of(const Record& record) {
  const int signal = std::max(record.state - kEnded, 0);
  return {record.task, clean({record.name, record.length}), record.crashes, record.ends, signal};
}

void write(const Suspect& suspect, Record& to) {
  to.task = suspect.task;
  to.state = suspect.crashes > 0 ? kEnded + suspect.signal : kRunning;
  to.crashes = suspect.crashes;
  to.ends = suspect.ends;
  to.length = static_cast<std::uint32_t>(suspect.name.copy(to.name, sizeof to.name));
}

// One run counts once, also where two of its threads ran the task.
void count(std::vector<Suspect>& suspects, const Record& thread) {
  auto known = std::ranges::find(suspects, thread.task, &Suspect::task);
  if (known == suspects.end()) known = suspects.insert(known, suspect_of(thread));
  if (std::exchange(known->recent, true)) return;
  if (thread.state == kRunning) {
    ++known->ends;
  } else {
    ++known->crashes;
    known->signal = thread.state - kEnded;
  }
}

std::vector<Suspect> suspects_of(const Image& last) {
  std::vector<Suspect> suspects;
  for (const Record& record : last.suspects) {
    if (record.state >= kRunning) suspects.push_back(suspect_of(record));
  }
  for (const bool crashed : {true, false}) {
    for (const Record& thread : last.threads) {
      if (thread.state >= kRunning && (thread.state >= kEnded) == crashed) count(suspects, thread);
    }
  }
  // Many that merely ran must not push out the one that crashes, or one that is close to being condemned.
  const auto rank = [](const Suspect& s) { return std::tuple(s.crashes > 0, s.recent, s.ends); };
  std::ranges::stable_sort(suspects, std::greater(), rank);
  suspects.resize(std::min(suspects.size(), BlackBox::kMostSuspects));
  return suspects;
}

// Replaces `path` at once: whoever is killed here leaves the old one, or the new one. Null, and errno, where it cannot.
std::shared_ptr<Image> replace(const fs::path& path, const Image& start) {
  const std::string next = path.string() + ".new";
  unlink(next.c_str());
  const int file = ::open(next.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return nullptr;
  // All room is taken now: where the disk is full, it would be a SIGBUS later.
  void* memory = MAP_FAILED;
  errno = posix_fallocate(file, 0, sizeof start);
  if (errno == 0) memory = mmap(nullptr, sizeof start, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
  close(file);
  if (memory == MAP_FAILED) return nullptr;
  const auto unmap = [](Image* image) { munmap(image, sizeof *image); };
  std::shared_ptr<Image> image(new (memory) Image(start), unmap);
  return rename(next.c_str(), path.c_str()) == 0 ? image : nullptr;
}

// This thread's place; the signal handler may look at it, as it needs no construction.
constinit thread_local struct {
  const Image* image;
  Record* record;
} here{};

std::array<struct sigaction, 32> previous_actions{};  // by signal
pid_t host = 0;
constinit std::atomic_flag blamed{};

// Not in a child that a handler has made.
bool in_host() { return getpid() == host; }

// This thread ends the run by a signal, or 0 for exit(). What the other threads run into while the host falls apart is
// not their fault. [any thread], also in a signal handler
void blame(int signal) {
  if (!in_host() || blamed.test_and_set()) return;
  std::array<char, 400> line;
  char* to = line.data();
  const auto add = [&](std::string_view text) { to += text.copy(to, static_cast<std::size_t>(line.end() - 1 - to)); };
  add("botel: ");
  add(signal == 0 ? "exit()" : "fatal signal ");
  if (signal != 0) to = std::to_chars(to, line.end(), signal).ptr;
  if (here.record && state(*here.record) == kRunning) {
    state(*here.record) = kEnded + signal;
    add(" in ");
    add({here.record->name, here.record->length});
  }
  const auto odd = [](char c) { return c < ' ' || c > '~'; };
  std::replace_if(line.data(), to, odd, '?');
  *to++ = '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(to - line.data()));
}

void on_fatal_signal(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const bool sent = info->si_code <= 0;  // by kill() or raise()
  if (!sent || info->si_pid == getpid()) blame(signal);
  // After the return the fault happens once more, and then what was set before.
  sigaction(signal, &previous_actions[static_cast<std::size_t>(signal)], nullptr);
  if (sent) raise(signal);
  errno = error;
}

void watch_signals() {
  host = getpid();
  struct sigaction action {};
  action.sa_sigaction = on_fatal_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  for (const std::size_t signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    struct sigaction before {};
    sigaction(static_cast<int>(signal), &action, &before);
    if (before.sa_sigaction != on_fatal_signal) previous_actions[signal] = before;
  }
}

// What a thread holds until it ends.
struct Place {
  ~Place() {
    // exit() destroys what belongs to its thread, and then what is static.
    if (here.record && state(*here.record) == kRunning) {
      blame(0);
      here = {};
    }
    leave();
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    if (stack) sigaltstack(&none, nullptr);
  }

  void leave() {
    if (here.record && in_host()) state(*here.record) = kFree;
    here = {};
  }

  // Who has used up the stack leaves none for the signal handler.
  void make_stack() {
    stack_t used{};
    if (stack || sigaltstack(nullptr, &used) != 0 || !(used.ss_flags & SS_DISABLE)) return;
    stack.reset(new (std::nothrow) std::byte[kSignalStack]);
    const stack_t own{stack.get(), 0, kSignalStack};
    if (stack) sigaltstack(&own, nullptr);
  }

  std::shared_ptr<const Image> image;
  std::unique_ptr<std::byte[]> stack;
};

}  // namespace

bool BlackBox::Suspect::condemned() const { return crashes >= kCrashes || ends >= kEnds; }

std::string BlackBox::Suspect::describe() const {
  if (crashes == 0) return fmt::format("{}: running at {} ends of the host", name, ends);
  const std::string by = signal == 0 ? "exit()" : fmt::format("signal {}", signal);
  return fmt::format("{}: {} crashes of the host, last by {}; running at {} other ends", name, crashes, by, ends);
}

Result<std::unique_ptr<BlackBox>> BlackBox::open(const fs::path& file, unsigned threads, Time now) {
  const auto last = read(file);
  std::unique_ptr<BlackBox> box(new BlackBox);
  box->suspects_ = suspects_of(*last);
  if (last->alive_ms > 0)
    box->away_ = std::chrono::milliseconds(std::max<std::int64_t>(now.unix_ms - last->alive_ms, 0));

  const auto start = std::make_unique<Image>();
  start->magic = kMagic;
  start->alive_ms = last->alive_ms;
  for (std::size_t i = 0; i < box->suspects_.size(); ++i) write(box->suspects_[i], start->suspects[i]);
  box->image_ = replace(file, *start);
  if (!box->image_) return failure("{} cannot be written: {}", file.string(), std::strerror(errno));
  box->threads_ = std::min(threads, kMostThreads);
  watch_signals();
  return box;
}

const Suspect* BlackBox::find_condemned(std::uint64_t task) const {
  const auto found = std::ranges::find(suspects_, task, &Suspect::task);
  return found != suspects_.end() && found->condemned() ? &*found : nullptr;
}

void BlackBox::forget(std::uint64_t task) {
  if (std::erase_if(suspects_, [task](const Suspect& s) { return s.task == task; }) == 0) return;
  for (Record& record : image_->suspects) {
    if (record.task == task) state(record) = kFree;
  }
}

void BlackBox::alive(std::int64_t unix_ms) {
  std::atomic_ref(image_->alive_ms).store(unix_ms, std::memory_order_relaxed);
}

void BlackBox::begin(std::uint64_t task, std::initializer_list<std::string_view> name, std::uint32_t number) noexcept {
  if (here.image != image_.get() && !take_place()) return;
  Record& record = *here.record;
  state(record).store(kIdle, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  record.task = task;
  char* to = record.name;
  char* const end = std::end(record.name);
  for (const std::string_view piece : name) to += piece.copy(to, static_cast<std::size_t>(end - kLongestNumber - to));
  to = std::copy_n("0x", 2, to);
  record.length = static_cast<std::uint32_t>(std::to_chars(to, end, number, 16).ptr - record.name);
  state(record).store(kRunning, std::memory_order_release);
}

void BlackBox::end() noexcept {
  if (here.record) state(*here.record).store(kIdle, std::memory_order_release);
}

bool BlackBox::take_place() noexcept {
  thread_local Place place;
  place.leave();
  for (unsigned i = 0; i < threads_; ++i) {
    Record& record = image_->threads[i];
    std::int32_t expected = kFree;
    if (!state(record).compare_exchange_strong(expected, kIdle)) continue;
    here = {image_.get(), &record};
    place.image = image_;
    place.make_stack();
    return true;
  }
  return false;
}

}  // namespace botel
